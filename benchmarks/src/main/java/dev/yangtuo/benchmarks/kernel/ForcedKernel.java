package dev.yangtuo.benchmarks.kernel;

import dev.yangtuo.kernel.NativeBackend;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A backend whose kernels were chosen by name, and the proof that they ran. */
final class ForcedKernel implements AutoCloseable {
    /** The kernels that a program gets that asks for none. */
    static final String BEST = "best";

    private static final String NATIVE = "native ";

    private final NativeBackend backend;
    private final String kernel;
    private final Map<String, Long> callsBefore = calls();

    private ForcedKernel(NativeBackend backend, String kernel) {
        this.backend = backend;
        this.kernel = kernel;
    }

    /**
     * Opens it.
     *
     * @param kernel one of {@link NativeBackend#kernelNames()}, or {@link #BEST}
     * @param threads 0 for one per processor
     * @throws IllegalArgumentException if the library or this processor has no such kernels
     */
    static ForcedKernel open(String kernel, int threads) {
        if (!kernel.equals(BEST)) {
            requireSupported(kernel);
        }
        int count = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
        NativeBackend backend = kernel.equals(BEST) ? NativeBackend.open(count) : NativeBackend.open(count, kernel);
        String name = backend.name().substring(NATIVE.length());
        if (!kernel.equals(BEST) && !kernel.equals(name)) {
            backend.close();
            throw new IllegalStateException("kernels %s were asked for, %s would compute".formatted(kernel, name));
        }
        return new ForcedKernel(backend, name);
    }

    private static void requireSupported(String kernel) {
        List<String> names = NativeBackend.kernelNames();
        if (!names.contains(kernel)) {
            throw new IllegalArgumentException("kernel %s: this library has %s".formatted(kernel, names));
        }
        if (!NativeBackend.isSupported(kernel)) {
            throw new IllegalArgumentException("kernel %s: this processor cannot run it; it can run %s"
                    .formatted(kernel, names.stream().filter(NativeBackend::isSupported).toList()));
        }
    }

    NativeBackend backend() {
        return backend;
    }

    /** The name of the kernels, never {@link #BEST}. */
    String name() {
        return kernel;
    }

    /**
     * To be called after at least one stage that multiplies, for calls of matrix kernels are what the library counts. All kernels of a backend are of
     * one set.
     *
     * @throws IllegalStateException if others ran since this was opened, or these did not
     */
    void requireRan() {
        requireRan(kernel, callsBefore, calls());
    }

    static void requireRan(String kernel, Map<String, Long> before, Map<String, Long> after) {
        after.forEach((name, calls) -> {
            long more = calls - before.get(name);
            if (name.equals(kernel) == (more == 0)) {
                throw new IllegalStateException("kernels %s were asked for, and kernels %s ran %d times".formatted(kernel, name, more));
            }
        });
    }

    private static Map<String, Long> calls() {
        Map<String, Long> calls = new LinkedHashMap<>();
        NativeBackend.kernelNames().forEach(name -> calls.put(name, NativeBackend.kernelCalls(name)));
        return calls;
    }

    @Override
    public void close() {
        backend.close();
    }
}
