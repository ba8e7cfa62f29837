package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.TINY;
import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.cache.Warnings;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code --rope-scaling}, {@code --rope-factor}, {@code --rope-base}, and a {@code --context} that needs them. */
class RopeOptionsTest {
    @TempDir
    private Path folder;

    private byte[] logits(Object... options) throws Exception {
        Path output = folder.resolve("logits.f32");
        Object[] words = new Object[options.length + 7];
        System.arraycopy(new Object[] {"logits", "--model", TINY, "--ids", "1,20,299,7,45,120", "--output", output}, 0, words, 0, 7);
        System.arraycopy(options, 0, words, 7, options.length);
        CommandRun run = CommandRun.of(words);
        assertThat(run.exitCode()).as(run.errors()).isZero();
        return Files.readAllBytes(output);
    }

    @Test
    void everyScalingChangesWhatIsComputedBeyondTheOriginalContext() throws Exception {
        byte[] plain = logits();
        for (String scaling : new String[] {"linear", "ntk", "yarn", "LLAMA3"}) {
            assertThat(logits("--rope-scaling", scaling, "--rope-factor", "4")).as(scaling).isNotEqualTo(plain);
        }
        assertThat(logits("--rope-scaling", "dynamic", "--rope-factor", "4")).as("a short text").isEqualTo(plain);
        assertThat(logits("--rope-scaling", "none")).isEqualTo(plain);
        assertThat(logits("--rope-base", "10000")).isEqualTo(plain);
        assertThat(logits("--rope-base", "5e5")).isNotEqualTo(plain);
    }

    @Test
    void longerContextIsAWarningUnlessRopeIsScaledForIt() throws Exception {
        try (Warnings warnings = new Warnings()) {
            logits("--context", "1024", "--rope-scaling", "yarn", "--rope-factor", "4");
            logits("--context", "256");
            assertThat(warnings.messages()).isEmpty();
            logits("--context", "1025", "--rope-scaling", "yarn", "--rope-factor", "4");
            assertThat(warnings.messages()).singleElement().asString().contains("1,025", "1,024 with its RoPE scaling");
        }
        try (Warnings warnings = new Warnings()) {
            logits("--context", "257");
            assertThat(warnings.messages()).singleElement().asString().contains("257", "trained for 256;");
        }
    }

    @Test
    void convertedModelIsScaledWithoutOptions() throws Exception {
        Path output = folder.resolve("scaled.gguf");
        CommandRun run = CommandRun.of("convert", "--model", TINY, "--output", output, "--rope-scaling", "yarn", "--rope-factor", "2.5", "--rope-base", "20000");
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(CommandRun.of("inspect", output).text())
                .containsPattern("rope theta +20000.0").containsPattern("rope scaling +yarn").containsPattern("rope scaling factor +2.5")
                .containsPattern("rope original context +256");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            2 | --rope-scaling | su | 'su' is not a RoPE scaling; there are none, linear, ntk, dynamic, yarn, llama3
            2 | --rope-factor | -1 | the RoPE factor is -1.0, must be finite and positive
            2 | --rope-base | 0 | the RoPE base is 0.0, must be finite and positive
            2 | --rope-base | x | 'x'
            1 | --rope-factor | 2 | the model's scaling (none) has none
            1 | --rope-scaling | yarn | the RoPE scaling yarn needs a factor""")
    void wrongOptionsAreNamed(int exitCode, String option, String value, String part) {
        CommandRun run = CommandRun.of("logits", "--model", TINY, "--ids", "1", "--output", folder.resolve("none"), option, value);
        assertThat(run.exitCode()).as(run.errors()).isEqualTo(exitCode);
        assertThat(run.errors()).contains(part);
    }
}
