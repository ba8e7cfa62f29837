package dev.yangtuo.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.ChildJvm;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Damaged files are exceptions: llama.cpp, which would end the process on some, does not get those. */
class HostileGgufTest {
    @TempDir
    private Path folder;

    /** The seeds are of files on which the process has ended before there was a check, and some that follow. */
    @ParameterizedTest
    @CsvSource({"qwen2, 370, 40", "llama, 0, 40", "gemma3, 2385, 20", "mamba, 0, 20"})
    void damageNeverEndsTheProcess(String architecture, int firstSeed, int count) throws Exception {
        SharedLibrary.assumed();
        ChildJvm.Outcome outcome = ChildJvm.run(120, Map.of(), SharedLibrary.childOptions(), HostileGguf.class,
                folder.toString(), architecture, Integer.toString(firstSeed), Integer.toString(count));
        List<String> lines = outcome.output().lines().toList();
        assertThat(outcome.exitCode()).as("what was written last: %s", lines.subList(Math.max(0, lines.size() - 20), lines.size())).isZero();
        assertThat(lines.getLast()).matches("loaded [0-9]+ of " + count);
    }
}
