package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class LoraArgumentTest {
    @ParameterizedTest
    @CsvSource({
        "none, none, 1", "none:0.5, none, 0.5", "none:-1, none, -1", "none:0, none, 0", "none:+2e-1, none, 0.2", "none:.5, none, 0.5", "a:b:2, a:b, 2",
        "none:, none:, 1", ":2, :2, 1", "none:2x, none:2x, 1", "none:0x10, none:0x10, 1", "none:1d, none:1d, 1", "C:/x, C:/x, 1",
    })
    void aNumberBehindTheLastColonIsTheScale(String text, String path, double scale) {
        assertThat(LoraArgument.of(text)).isEqualTo(new LoraArgument(Path.of(path), scale));
    }

    @Test
    void aPathThatExistsIsAPath(@TempDir Path folder) throws IOException {
        Path odd = Files.createDirectory(folder.resolve("lora:0.5"));
        assertThat(LoraArgument.of(odd.toString())).isEqualTo(new LoraArgument(odd, 1));
        assertThat(LoraArgument.of(odd + ":2")).isEqualTo(new LoraArgument(odd, 2));
    }

    @ParameterizedTest
    @ValueSource(strings = {"nan", "NaN", "inf", "Infinity", "1e999", "x", "", "0,5"})
    void aScaleBehindAPathThatExistsMustBeFinite(String scale, @TempDir Path folder) {
        assertThatThrownBy(() -> LoraArgument.of(folder + ":" + scale))
                .isInstanceOf(TypeConversionException.class)
                .hasMessageContaining("the scale '" + scale + "' in '" + folder + ":" + scale + "' is not a finite number");
    }
}
