package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.checkpoint.GgufBuilder;
import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.sampling.Penalties;
import dev.yangtuo.sampling.SamplingOptions;
import dev.yangtuo.sampling.Xtc;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the metadata of a GGUF file recommend. */
class GgufSamplingTest {
    @TempDir
    private Path directory;

    private SamplingOptions read(GgufBuilder builder) {
        Path file = builder.write(directory.resolve("model.gguf"));
        try (GgufCheckpoint checkpoint = GgufCheckpoint.open(file)) {
            return GgufSampling.read(file, checkpoint.metadata()).sampling();
        }
    }

    @Test
    void everyKeyIsRead() {
        SamplingOptions expected = new SamplingOptions(0.5f, 30, 0.8f, 0.1f, 1.2f).with(new Penalties(1.2f, 64, 0f, 0f)).with(new Xtc(0.25f, 0.2f));
        assertThat(read(new GgufBuilder()
                .put("general.sampling.temp", 0.5f).put("general.sampling.top_k", 30).put("general.sampling.top_p", 0.8f).put("general.sampling.min_p", 0.1f)
                .put("general.sampling.penalty_repeat", 1.2f).put("general.sampling.penalty_last_n", 64)
                .put("general.sampling.xtc_probability", 0.25f).put("general.sampling.xtc_threshold", 0.2f))).isEqualTo(expected);
    }

    @Test
    void whatIsLeftOutIsOff() {
        SamplingOptions off = new SamplingOptions(1f, 0, 1f, 0f, 1f);
        assertThat(read(new GgufBuilder().put("general.sampling.penalty_last_n", -1L))).isEqualTo(off);
        assertThat(read(new GgufBuilder().put("general.sampling.xtc_probability", 0.5f))).isEqualTo(off.with(new Xtc(0.5f, 0.1f)));
        assertThat(read(new GgufBuilder().put("general.name", "no word of sampling"))).isEqualTo(SamplingOptions.DEFAULT);
    }

    @Test
    void valuesOutOfRangeAreRefusedByName() {
        assertThatThrownBy(() -> read(new GgufBuilder().put("general.sampling.xtc_probability", 2f))).isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("model.gguf").hasMessageContaining("general.sampling: the XTC probability is 2.0");
        assertThatThrownBy(() -> read(new GgufBuilder().put("general.sampling.penalty_last_n", -7L))).isInstanceOf(CheckpointFormatException.class).hasMessageContaining("-7");
    }
}
