package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.sampling.SamplingOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GenerationConfigTest {
    @TempDir
    private Path folder;

    private GenerationConfig read(String text) throws IOException {
        Files.writeString(folder.resolve("generation_config.json"), text);
        return GenerationConfig.read(folder);
    }

    @Test
    void everyFieldIsRead() throws IOException {
        assertThat(GenerationConfig.isIn(folder)).isFalse();
        GenerationConfig config = read("""
                {"do_sample": true, "temperature": 0.8, "top_k": 50, "top_p": 0.95, "min_p": 0.05, "repetition_penalty": 1.2,
                 "max_new_tokens": 17, "eos_token_id": [2, 5], "bos_token_id": 1, "transformers_version": "4.30"}""");
        assertThat(config).isEqualTo(new GenerationConfig(new SamplingOptions(0.8f, 50, 0.95f, 0.05f, 1.2f), 17, List.of(2, 5)));
        assertThat(GenerationConfig.isIn(folder)).isTrue();
        SamplingOptions plain = new SamplingOptions(1f, 0, 1f, 0f, 1f);
        assertThat(read("{\"typical_p\": 0.9}").sampling()).isEqualTo(plain.with(plain.truncation().withTypicalP(0.9f)));
    }

    @Test
    void fileThatSaysNothingAboutSamplingLeavesTheDefaults() throws IOException {
        assertThat(read("{\"eos_token_id\": 2}")).isEqualTo(new GenerationConfig(SamplingOptions.DEFAULT, 400, List.of(2)));
    }

    @Test
    void whatASamplingFileLeavesOutIsOff() throws IOException {
        assertThat(read("{\"temperature\": 0.7}").sampling()).isEqualTo(new SamplingOptions(0.7f, 0, 1f, 0f, 1f));
        assertThat(read("{\"do_sample\": true}").sampling()).isEqualTo(new SamplingOptions(1f, 0, 1f, 0f, 1f));
        assertThat(read("{\"top_p\": 0.5, \"top_k\": null}").sampling()).isEqualTo(new SamplingOptions(1f, 0, 0.5f, 0f, 1f));
    }

    @Test
    void notSamplingIsGreedy() throws IOException {
        assertThat(read("{\"do_sample\": false, \"temperature\": 0.9, \"repetition_penalty\": 1.3}").sampling())
                .isEqualTo(SamplingOptions.GREEDY.withRepeatPenalty(1.3f));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{\"temperature\": -0.5} | temperature",
        "{\"temperature\": \"hot\"} | temperature",
        "{\"temperature\": 1e300} | temperature",
        "{\"top_k\": -1} | top-k",
        "{\"top_k\": 1.5} | top_k",
        "{\"top_p\": 0} | top-p",
        "{\"top_p\": 1.01} | top-p",
        "{\"min_p\": 2} | min-p",
        "{\"typical_p\": 0} | typical-p",
        "{\"repetition_penalty\": 0} | repetition penalty",
        "{\"max_new_tokens\": 0} | max_new_tokens",
        "{\"max_new_tokens\": 99999999999} | max_new_tokens",
        "{\"do_sample\": \"yes\"} | do_sample",
        "{\"eos_token_id\": {}} | eos_token_id",
        "[] | generation_config.json",
        "{ | generation_config.json",
    })
    void valuesOutOfRangeAreRefusedByName(String text, String name) {
        assertThatThrownBy(() -> read(text))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("generation_config.json")
                .hasMessageContaining(name);
    }
}
