package dev.yangtuo.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.LoadOptions;
import dev.yangtuo.WeightType;
import dev.yangtuo.model.SyntheticShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SyntheticCacheTest {
    @TempDir
    private Path cache;

    private Path file(SyntheticShape shape, String type, Path tokenizer) {
        return SyntheticCache.file(cache, shape, type, tokenizer, LoadOptions.defaults().quantize(WeightType.Q4_0).settings());
    }

    @Test
    void aModelIsMadeOnce() throws IOException {
        SyntheticShape shape = SyntheticShape.of("dim=64,layers=1,heads=2,ffn=64,vocab=300");
        Path file = file(shape, "q4_0", null);
        assertThat(file).isEqualTo(cache.resolve("synthetic/64x1-h2-kv2-f64-v300-q4_0.gguf")).isRegularFile();
        Files.writeString(file, "kept");
        assertThat(file(shape, "q4_0", null)).hasContent("kept");
        assertThat(cache.resolve("synthetic")).isDirectoryContaining("glob:**.gguf");
        try (var files = Files.list(cache.resolve("synthetic"))) {
            assertThat(files).hasSize(1);
        }
    }

    @Test
    void namesTellModelsApart() {
        Path tokenizer = Path.of("examples/demo-model/base/tokenizer.model");
        SyntheticShape shape = SyntheticShape.of("dim=64,layers=1,heads=2,kv=1,ffn=64,vocab=3000");
        assertThat(Map.of(
                file(shape, "Q4_0:pure", null).getFileName().toString(), 1,
                file(shape, "q4_0", tokenizer).getFileName().toString(), 2)).hasSize(2);
        assertThat(file(shape, "Q4_0:pure", null).getFileName()).hasToString("64x1-h2-kv1-f64-v3000-q4_0-pure.gguf");
        assertThat(file(shape, "q4_0", tokenizer).getFileName().toString()).matches("64x1-h2-kv1-f64-v3000-q4_0-[0-9a-f]{8}\\.gguf");
    }
}
