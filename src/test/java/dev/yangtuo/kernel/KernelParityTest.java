package dev.yangtuo.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every kernel that this machine can run gives the bits of the scalar backend, at sizes that divide by nothing. */
class KernelParityTest {
    /** Printed with every failure. */
    private static final long SEED = 20_260_101;

    static List<String> supportedKernels() {
        return NativeBackend.kernelNames().stream().filter(NativeBackend::isSupported).toList();
    }

    /** Rows of one to a little more than groups of 16 and 64; grouped-query, multi-query and multi-head attention; odd pairs. */
    private static List<SmallModel.Shape> shapes() {
        List<SmallModel.Shape> shapes = new ArrayList<>();
        for (TensorType type : TensorType.values()) {
            TensorType other = type.ordinal() % 2 == 0 ? TensorType.F16 : TensorType.F32;
            if (type.blockElements() == 1) {
                shapes.add(new SmallModel.Shape(type, TensorType.F32, 13, 17, 3, 1, 6, 37));
                shapes.add(new SmallModel.Shape(type, TensorType.F16, 1, 1, 1, 1, 2, 1));
                shapes.add(new SmallModel.Shape(type, other, 65, 97, 4, 2, 18, 131));
            }
            if (type.blockElements() <= 32) {
                shapes.add(new SmallModel.Shape(type, TensorType.F32, 32, 96, 2, 2, 16, 33));
                shapes.add(new SmallModel.Shape(type, TensorType.F16, 96, 160, 8, 2, 20, 207));
            } else {
                shapes.add(new SmallModel.Shape(type, other, 256, 512, 4, 2, 64, 37));
            }
        }
        for (TensorType type : KvShape.TYPES) {
            shapes.add(new SmallModel.Shape(TensorType.Q8_0, type, 96, 64, 4, 2, 40, 33, 7));
            shapes.add(new SmallModel.Shape(TensorType.F32, type, 33, 17, 8, 1, 64, 19, 0));
            shapes.add(new SmallModel.Shape(TensorType.F16, type, 20, 17, 3, 3, 10, 19, 1));
        }
        return shapes;
    }

    @ParameterizedTest
    @MethodSource("supportedKernels")
    void everyStageGivesTheBitsOfTheScalarBackend(String kernel) throws Exception {
        int threads = 0;
        for (SmallModel.Shape shape : shapes()) {
            threads = threads % 3 + 1;
            List<float[]> expected;
            try (Backend scalar = new ScalarBackend(1); SmallModel model = new SmallModel(shape, scalar, SEED)) {
                expected = model.run();
            }
            try (Backend backend = NativeBackend.open(threads, kernel); SmallModel model = new SmallModel(shape, backend, SEED)) {
                List<float[]> actual = model.run();
                assertSameBits(actual, expected, "%s, %s, %d threads".formatted(shape, kernel, threads));
            }
        }
    }

    private static void assertSameBits(List<float[]> actual, List<float[]> expected, String what) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.size(); i++) {
            int differs = Arrays.mismatch(SmallModel.bits(actual.get(i)), SmallModel.bits(expected.get(i)));
            assertThat(differs).as("first element that differs, result %d of %s, seed %d", i, what, SEED).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @MethodSource("supportedKernels")
    void forcedKernelRunsAndNoOther(String kernel) throws Exception {
        Map<String, Long> before = calls();
        SmallModel.Shape shape = new SmallModel.Shape(TensorType.Q8_0, TensorType.F16, 32, 32, 2, 1, 16, 20);
        try (Backend backend = NativeBackend.open(2, kernel); SmallModel model = new SmallModel(shape, backend, SEED)) {
            assertThat(backend.name()).isEqualTo("native " + kernel);
            assertThat(backend.threads()).isEqualTo(2);
            model.run();
        }
        Map<String, Long> after = calls();
        for (String name : NativeBackend.kernelNames()) {
            if (name.equals(kernel)) {
                assertThat(after.get(name)).as("calls of %s", name).isGreaterThan(before.get(name));
            } else {
                assertThat(after.get(name)).as("calls of %s while %s is forced", name, kernel).isEqualTo(before.get(name));
            }
        }
    }

    @Test
    void scalarBackendGivesTheSameBitsOnSeveralThreads() throws Exception {
        SmallModel.Shape shape = new SmallModel.Shape(TensorType.Q5_1, TensorType.F16, 96, 160, 8, 2, 20, 207);
        List<float[]> alone;
        try (Backend backend = new ScalarBackend(1); SmallModel model = new SmallModel(shape, backend, SEED)) {
            alone = model.run();
        }
        try (Backend backend = new ScalarBackend(3); SmallModel model = new SmallModel(shape, backend, SEED)) {
            assertSameBits(model.run(), alone, "scalar on three threads");
        }
    }

    @Test
    void portableKernelsRunEverywhere() {
        assertThat(NativeBackend.kernelNames()).contains("portable").doesNotHaveDuplicates();
        assertThat(NativeBackend.isSupported("portable")).isTrue();
        assertThat(NativeBackend.isSupported("no-such-kernel")).isFalse();
        assertThat(NativeBackend.kernelCalls("no-such-kernel")).isZero();
    }

    private static Map<String, Long> calls() {
        Map<String, Long> calls = new HashMap<>();
        NativeBackend.kernelNames().forEach(name -> calls.put(name, NativeBackend.kernelCalls(name)));
        return calls;
    }
}
