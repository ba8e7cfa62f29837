package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.cache.Warnings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Models from the cache are those from their files, to the last bit. */
@Timeout(120)
class CachedLoadTest {
    private static final Path BASE = ModelFolders.DEMO.resolve("base");
    private static final Path CHINESE = ModelFolders.DEMO.resolve("chinese-lora");

    @TempDir
    private Path temporary;

    private Path cache() {
        return temporary.resolve("cache");
    }

    private LoadOptions cached() {
        return LoadOptions.defaults().backend(BackendType.NATIVE).cache(cache());
    }

    /** Bits of the logits of some positions. */
    private static List<Integer> logits(Llama llama) {
        List<Integer> bits = new ArrayList<>();
        int[] ids = {1, 300, 45, 2999, 7, 7, 1200, 13};
        llama.logits(ids, (position, values, offset) -> {
            for (int i = 0; i < llama.vocabSize(); i++) {
                bits.add(Float.floatToRawIntBits(values[offset + i]));
            }
        });
        return bits;
    }

    private static LoadReport.Cache use(Path model, LoadOptions options) {
        try (Llama llama = Llama.load(model, options)) {
            return llama.report().cache();
        }
    }

    private List<Path> kept() throws IOException {
        try (Stream<Path> files = Files.list(cache())) {
            return files.filter(file -> file.toString().endsWith(".yangtuo")).toList();
        }
    }

    private Path copy(Path folder) throws IOException {
        Path copy = Files.createDirectory(temporary.resolve(folder.getFileName().toString()));
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(file.getFileName().toString()));
            }
        }
        return copy;
    }

    private void requireSame(LoadOptions options) {
        LoadOptions plain = options.backend(BackendType.NATIVE);
        LoadOptions withCache = plain.cache(cache());
        try (Llama files = Llama.load(BASE, plain); Llama first = Llama.load(BASE, withCache); Llama second = Llama.load(BASE, withCache)) {
            assertThat(files.report().cache()).isEqualTo(LoadReport.Cache.NONE);
            assertThat(first.report().cache()).isEqualTo(LoadReport.Cache.WRITTEN);
            assertThat(second.report().cache()).isEqualTo(LoadReport.Cache.READ);
            assertThat(first.report().describe()).contains(", written to the cache: ");
            assertThat(second.report().describe()).contains(" from the cache: ");
            assertThat(second.report().adapters()).isEqualTo(files.report().adapters());
            assertThat(second.report().weightTypes()).isEqualTo(files.report().weightTypes());
            assertThat(second.report().weightBytes()).isEqualTo(files.report().weightBytes());
            assertThat(second.report().mergeJson()).isEqualTo(files.report().mergeJson());
            List<Integer> expected = logits(files);
            assertThat(logits(first)).isEqualTo(expected);
            assertThat(logits(second)).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @EnumSource(WeightType.class)
    void everyTypeComesBackAsItWas(WeightType type) {
        requireSame(LoadOptions.defaults().quantize(type));
    }

    @Test
    void aMergedModelComesBackWithItsReport() {
        requireSame(LoadOptions.defaults().lora(CHINESE));
        requireSame(LoadOptions.defaults().lora(CHINESE, 0.5).quantize(WeightType.Q4_K_M));
    }

    @Test
    void scaleTypeRoundingAndAdaptersEachHaveTheirFile() throws IOException {
        LoadOptions merged = cached().lora(CHINESE);
        List<LoadOptions> all = List.of(cached(), merged, cached().lora(CHINESE, 0.9), merged.loraFloat16(true), merged.quantize(WeightType.Q8_0),
                merged.quantizePure(WeightType.Q4_0), merged.quantize(WeightType.Q4_0), merged.lora(ModelFolders.DEMO.resolve("alpaca-lora")));
        for (LoadOptions options : all) {
            assertThat(use(BASE, options)).isEqualTo(LoadReport.Cache.WRITTEN);
        }
        assertThat(kept()).hasSize(all.size());
        for (LoadOptions options : all) {
            assertThat(use(BASE, options.threads(1).context(33).kvType(KvType.F32))).isEqualTo(LoadReport.Cache.READ);
        }
    }

    @Test
    void aChangedByteInTheModelOrTheAdapterIsAnotherModel() throws IOException {
        Path base = copy(BASE);
        Path lora = copy(CHINESE);
        LoadOptions options = cached().lora(lora);
        assertThat(use(base, options)).isEqualTo(LoadReport.Cache.WRITTEN);
        for (Path file : List.of(base.resolve("model.safetensors"), lora.resolve("adapter_model.safetensors"))) {
            FileTime time = Files.getLastModifiedTime(file);
            byte[] bytes = Files.readAllBytes(file);
            bytes[bytes.length - 100] ^= 1;
            Files.write(file, bytes);
            Files.setLastModifiedTime(file, time);
            assertThat(use(base, options)).isEqualTo(LoadReport.Cache.WRITTEN);
            assertThat(use(base, options)).isEqualTo(LoadReport.Cache.READ);
        }
        Path config = lora.resolve("adapter_config.json");
        Files.writeString(config, Files.readString(config).replaceFirst("\"lora_alpha\": \\d+", "\"lora_alpha\": 3"));
        assertThat(use(base, options)).isEqualTo(LoadReport.Cache.WRITTEN);
        assertThat(kept()).hasSize(4);
    }

    @Test
    void aDamagedFileIsReplaced() throws IOException {
        use(BASE, cached());
        Path file = kept().getFirst();
        byte[] good = Files.readAllBytes(file);
        for (int at : new int[] {20, 200, good.length - 5000, good.length - 1}) {
            byte[] bad = good.clone();
            bad[at] ^= 1;
            Files.write(file, bad);
            try (Warnings warnings = new Warnings()) {
                assertThat(use(BASE, cached())).as("byte " + at).isEqualTo(LoadReport.Cache.WRITTEN);
                assertThat(warnings.messages()).singleElement().asString().contains("will be replaced");
            }
            assertThat(Files.readAllBytes(file)).isEqualTo(good);
            assertThat(use(BASE, cached())).isEqualTo(LoadReport.Cache.READ);
        }
    }

    @Test
    void loadsAtTheSameTimeAllSucceed() throws Exception {
        int threads = 4;
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            List<Callable<List<Integer>>> loads = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                loads.add(() -> {
                    try (Llama llama = Llama.load(BASE, cached())) {
                        return logits(llama);
                    }
                });
            }
            List<List<Integer>> all = new ArrayList<>();
            for (Future<List<Integer>> load : executor.invokeAll(loads)) {
                all.add(load.get());
            }
            assertThat(all).allMatch(all.getFirst()::equals);
        }
        assertThat(kept()).hasSize(1);
        assertThat(use(BASE, cached())).isEqualTo(LoadReport.Cache.READ);
    }

    @Test
    void aMappedModelOutlivesItsFile() throws IOException {
        use(BASE, cached());
        try (Llama llama = Llama.load(BASE, cached())) {
            List<Integer> before = logits(llama);
            Files.delete(kept().getFirst());
            assertThat(logits(llama)).isEqualTo(before);
        }
    }

    @Test
    void whereNoFolderCanBeMadeTheModelIsLoadedWithoutOne() throws IOException {
        Path file = Files.writeString(temporary.resolve("file"), "x");
        try (Warnings warnings = new Warnings()) {
            assertThat(use(BASE, cached().cache(file.resolve("cache")))).isEqualTo(LoadReport.Cache.NONE);
            assertThat(warnings.messages()).singleElement().asString().contains("the cache of weights is not used", file.toString());
        }
    }

    @Test
    void theScalarBackendHasNone() {
        try (Warnings warnings = new Warnings()) {
            assertThat(use(ModelFolders.tiny("base"), cached().backend(BackendType.SCALAR))).isEqualTo(LoadReport.Cache.NONE);
            assertThat(warnings.messages()).singleElement().asString().contains("scalar");
        }
        assertThat(cache()).doesNotExist();
    }
}
