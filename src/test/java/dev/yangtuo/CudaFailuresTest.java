package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.DeviceException;
import dev.yangtuo.exception.KernelException;
import dev.yangtuo.kernel.EmulatedDevices;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Devices that are not there, have too little memory or fail: what is said, that the processor takes their place where it may, and that nothing is left behind. */
@Timeout(60)
class CudaFailuresTest {
    private static final Path TINY = ModelFolders.tiny("base");
    private static final int OUT_OF_MEMORY = 2;

    private final EmulatedDevices devices = EmulatedDevices.assumed(1);

    @AfterEach
    void reset() {
        assertThat(devices.alive()).as("memory, streams and graphs that nobody has released").isZero();
        devices.close();
    }

    private static LoadOptions options(String... names) {
        return LoadOptions.defaults().context(128).maxSequences(2).quantize(WeightType.Q8_0).device(names);
    }

    private static Llama load(LoadOptions options) {
        return Llama.load(TINY, options);
    }

    private static void requireProcessor(LoadOptions options) {
        try (Llama llama = load(options)) {
            assertThat(llama.report().backend()).startsWith("native ").doesNotContain("cuda");
        }
    }

    private static void requireRefused(LoadOptions options, String... words) {
        assertThatThrownBy(() -> load(options).close()).isInstanceOf(KernelException.class).hasMessageContainingAll(words);
    }

    @Test
    void whatIsNotThereIsNamedAndLeftToTheProcessorByAuto() {
        requireRefused(options("cuda:3"), "cuda:3", "cuda:0 is Emulated device 0", "--device auto");
        devices.capability(6, 1);
        requireRefused(options("cuda:0"), "cuda:0", "compute capability 6.1", "7.5", "--device cpu");
        requireRefused(options("cuda"), "compute capability 6.1");
        requireProcessor(options("auto"));
        devices.driver(11_040);
        requireRefused(options("cuda"), "driver", "11.4");
        requireProcessor(options("auto"));
        devices.driver(0);
        requireRefused(options("cuda"), "driver");
        requireProcessor(options("auto"));
    }

    @Test
    void typesWithoutKernelsAreNamedAndLeftToTheProcessorByAuto() {
        requireRefused(options("cuda").kvType(KvType.F32), "keys and values of type F32", "--kv-type f16");
        requireProcessor(options("auto").kvType(KvType.F32));
        requireRefused(options("cuda").backend(BackendType.SCALAR), "scalar", "--device cpu");
        requireProcessor(LoadOptions.defaults().device("cuda").gpuLayers(0));
    }

    @Test
    void autoTakesADeviceThatHasRoom() {
        try (Llama llama = load(options("auto"))) {
            assertThat(llama.report().backend()).startsWith("cuda:0 ");
        }
    }

    @Test
    void asManyLayersAsFitAreOnTheDevice() {
        LoadOptions large = options("cuda");
        MemoryPlan plan = Llama.plan(TINY, large);
        long needed = plan.devices().getFirst().bytes();
        assertThat(plan.fits()).isTrue();
        assertThat(plan.devices()).singleElement().satisfies(device -> assertThat(device.layers()).isEqualTo(3));
        assertThat(plan.totalBytes()).isEqualTo(needed);
        devices.memory(needed);
        requireRefused(large, "cuda:0", "3 of 3 layers", "--gpu-layers 2 or less");
        assertThat(Llama.plan(TINY, options("auto")).devices()).singleElement().satisfies(device -> assertThat(device.layers()).isEqualTo(2));
        try (Llama llama = load(options("auto"))) {
            assertThat(llama.report().backend()).contains("(layers 0 to 0)", "(layers 1 to 2)");
        }
        devices.memory(needed / 100);
        requireRefused(large, "not one layer fits", "--device cpu");
        requireProcessor(options("auto"));
    }

    @Test
    void keysAndValuesTakeWhatTheDeviceHasLeft() {
        LoadOptions many = options("cuda").maxSequences(1000);
        MemoryPlan all = Llama.plan(TINY, many);
        assertThat(all.kvTokens()).isEqualTo(1000 * 128);
        devices.memory(all.devices().getFirst().bytes() / 2);
        MemoryPlan some = Llama.plan(TINY, many);
        assertThat(some.kvTokens()).isLessThan(all.kvTokens()).isGreaterThanOrEqualTo(128);
        assertThat(some.fits()).isTrue();
        try (Llama llama = load(many)) {
            assertThat(devices.used()).isLessThanOrEqualTo(all.devices().getFirst().bytes() / 2);
            assertThat(llama.report().backend()).startsWith("cuda:0 ");
        }
        requireRefused(options("cuda").kvMemory(1L << 30), "tokens need");
    }

    /** Whatever call of the runtime finds no memory while the model is loaded: it is said, and nothing stays. */
    @Test
    void memoryThatRunsOutWhileLoadingLeavesNothing() {
        long before = devices.calls();
        load(options("cuda")).close();
        long calls = devices.calls() - before;
        int failures = 0;
        for (long call = 1; call <= calls; call += 1 + calls / 25) {
            devices.failAt(call, OUT_OF_MEMORY, false);
            try {
                load(options("cuda")).close();
            } catch (KernelException e) {
                failures++;
                assertThat(e.getMessage()).isNotBlank();
            }
            devices.failAt(0, 0, false);
            assertThat(devices.alive()).as("after a failure of call %d", call).isZero();
        }
        assertThat(failures).isGreaterThan(5);
        devices.failAt(calls / 3, OUT_OF_MEMORY, true);
        requireProcessor(options("auto"));
        devices.failAt(0, 0, false);
    }

    @Test
    void aDeviceThatDisappearsEndsTheTextsAndEveryLaterOne() {
        try (Llama llama = load(options("cuda"))) {
            List<CompletableFuture<GenerationResult>> texts = IntStream.range(0, 3)
                    .mapToObj(i -> llama.generateAsync("山".repeat(i + 1), GenerateOptions.defaults().greedy().maxTokens(60).minTokens(60)))
                    .toList();
            devices.failAt(60, EmulatedDevices.DEVICE_LOST, true);
            for (CompletableFuture<GenerationResult> text : texts) {
                assertThatExceptionOfType(ExecutionException.class).isThrownBy(() -> text.get(30, TimeUnit.SECONDS)).havingCause().isInstanceOf(DeviceException.class);
            }
            assertThatThrownBy(() -> llama.generate("山", GenerateOptions.defaults().maxTokens(2)).result())
                    .isInstanceOf(DeviceException.class).hasMessageContaining("loaded again");
            assertThatThrownBy(() -> llama.logits(new int[] {1, 2}, (position, logits, offset) -> {})).isInstanceOf(DeviceException.class);
        }
        assertThat(devices.alive()).isZero();
    }

    @Test
    void closingEndsTheTextsThatAreComputed() {
        Llama llama = load(options("cuda"));
        Generation text = llama.generate("山", GenerateOptions.defaults().maxTokens(60).minTokens(60));
        var pieces = text.iterator();
        pieces.next();
        llama.close();
        assertThatThrownBy(() -> {
            while (pieces.hasNext()) {
                pieces.next();
            }
        }).isInstanceOf(IllegalStateException.class);
    }
}
