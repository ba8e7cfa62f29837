package dev.yangtuo.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.ChildJvm;
import dev.yangtuo.exception.KernelException;
import dev.yangtuo.tensor.TensorType;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The environment variable {@code YANGTUO_KERNEL}: what it names is what runs, or nothing does. */
class ForcedKernelTest {
    /** Runs a small model on the kernels of the environment's choice and says what ran. */
    static final class Child {
        private Child() {}

        public static void main(String[] args) throws Exception {
            try (Backend backend = Backends.openBest(2)) {
                SmallModel.Shape shape = new SmallModel.Shape(TensorType.F16, TensorType.F16, 32, 32, 2, 1, 16, 20);
                try (SmallModel model = new SmallModel(shape, backend, 1)) {
                    model.run();
                }
                System.out.println("name " + backend.name());
                for (String name : NativeBackend.kernelNames()) {
                    System.out.println("calls " + name + " " + (NativeBackend.kernelCalls(name) > 0));
                }
            } catch (KernelException e) {
                System.out.println("KernelException " + e.getMessage());
            }
        }
    }

    private static String run(String variable) throws Exception {
        ChildJvm.Outcome outcome = ChildJvm.run(60, Map.of("YANGTUO_KERNEL", variable), List.of(), Child.class);
        assertThat(outcome.exitCode()).as(outcome.output()).isZero();
        return outcome.output();
    }

    static List<String> supportedKernels() {
        return KernelParityTest.supportedKernels();
    }

    @ParameterizedTest
    @MethodSource("supportedKernels")
    void variableChoosesTheKernel(String kernel) throws Exception {
        String output = run(kernel);
        assertThat(output).contains("name native " + kernel + System.lineSeparator());
        for (String name : NativeBackend.kernelNames()) {
            assertThat(output).contains("calls " + name + " " + name.equals(kernel));
        }
    }

    @Test
    void emptyVariableMeansTheBest() throws Exception {
        assertThat(run("")).contains("name native " + supportedKernels().getLast());
    }

    @Test
    void unknownNameIsAnErrorThatListsTheNames() throws Exception {
        assertThat(run("sse9")).contains("KernelException").contains("sse9").contains(NativeBackend.kernelNames()).doesNotContain("name native");
    }

    @Test
    void unknownNameAsArgumentIsAnErrorThatListsTheNames() {
        for (String name : List.of("AVX2", "avx", "portable ", "avx2 avx512", "x".repeat(100_000))) {
            assertThatThrownBy(() -> NativeBackend.open(1, name))
                    .as("kernel '%s'", name.length() > 40 ? "x..." : name)
                    .isInstanceOf(KernelException.class)
                    .hasMessageContainingAll(NativeBackend.kernelNames().toArray(String[]::new));
        }
    }

    @Test
    void unsupportedNameIsAnError() {
        for (String name : NativeBackend.kernelNames()) {
            if (!NativeBackend.isSupported(name)) {
                assertThatThrownBy(() -> NativeBackend.open(1, name)).isInstanceOf(KernelException.class).hasMessageContaining(name);
            }
        }
    }
}
