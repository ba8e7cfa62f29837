package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DoctorCommandTest {
    @Test
    void namesWhatDecidesTheSpeed() {
        CommandRun run = CommandRun.of("doctor");
        assertThat(run.exitCode()).as(run.text()).isZero();
        assertThat(run.errors()).isEmpty();
        assertThat(run.text().lines().map(line -> line.substring(0, 15).strip())).containsExactly(
                "yangtuo", "jdk", "system", "processors", "memory", "large pages", "native library", "features", "kernels", "chosen");
        assertThat(run.text()).contains(Runtime.version().toString(), "portable", "GB");
    }
}
