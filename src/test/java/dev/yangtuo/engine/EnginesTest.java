package dev.yangtuo.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.Engine;
import dev.yangtuo.Llama;
import dev.yangtuo.LlamaCppOptions;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.exception.NativeLibraryException;
import dev.yangtuo.exception.YangtuoException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which engine {@link Engine#AUTO} takes. No library is needed, for it is the one that is missing that tells. */
class EnginesTest {
    private static final Path MODEL = Path.of("examples/demo-model/base");
    private static final LlamaCppOptions MISSING = LlamaCppOptions.defaults().library(Path.of("no-such-library"));

    private static Llama load(LlamaCppOptions llamaCpp) {
        return Llama.load(MODEL, LoadOptions.defaults().context(64).llamaCpp(llamaCpp));
    }

    @Test
    void theProcessorIsADeviceOfOurOwnEngine() {
        try (Llama llama = load(MISSING.devices(List.of("CPU")).gpuLayers(0))) {
            assertThat(llama.report().backend()).doesNotContain("llama.cpp");
        }
    }

    @Test
    void anotherDeviceAndLayersOnGpusAreForLlamaCpp() {
        for (LlamaCppOptions options : List.of(MISSING.devices(List.of("CUDA0")), MISSING.devices(List.of("CPU", "CUDA0")), MISSING.gpuLayers(1))) {
            assertThatThrownBy(() -> load(options)).isInstanceOf(NativeLibraryException.class).hasMessageContaining("no-such-library");
        }
    }

    @Test
    void ourOwnNamesOfDevicesChooseOurOwnEngineUnlessTheOtherIsNamed() {
        LoadOptions options = LoadOptions.defaults().context(64).llamaCpp(MISSING).device("cuda:77");
        assertThatThrownBy(() -> Llama.load(MODEL, options)).isInstanceOf(YangtuoException.class).message().doesNotContain("no-such-library").containsIgnoringCase("cuda");
        assertThatThrownBy(() -> Llama.load(MODEL, options.engine(Engine.LLAMA_CPP))).isInstanceOf(NativeLibraryException.class).hasMessageContaining("no-such-library");
    }
}
