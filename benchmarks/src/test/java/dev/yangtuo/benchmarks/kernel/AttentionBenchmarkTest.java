package dev.yangtuo.benchmarks.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.yangtuo.kernel.NativeBackend;
import dev.yangtuo.tensor.TensorType;
import java.util.List;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class AttentionBenchmarkTest {
    /** Elements that are read of a key and a value of 20 elements each: values are stored in sixteens. */
    private static final int KEY_AND_VALUE = 20 + 32;

    private static <T extends AttentionBenchmark.Prepared> T prepared(T prepared, String kernel, TensorType kvType, int position) {
        prepared.kernel = kernel;
        prepared.kvType = kvType;
        prepared.heads = "6x2x20";
        prepared.position = position;
        prepared.threads = 2;
        prepared.kvBytes = 100_000;
        return prepared;
    }

    private static AttentionBenchmark.Decoding decoding(String kernel, TensorType kvType, int position, int sequences) {
        AttentionBenchmark.Decoding decoding = prepared(new AttentionBenchmark.Decoding(), kernel, kvType, position);
        decoding.sequences = sequences;
        return decoding;
    }

    private static AttentionBenchmark.Prefilling prefilling(String kernel, TensorType kvType, int position, int columns) {
        AttentionBenchmark.Prefilling prefilling = prepared(new AttentionBenchmark.Prefilling(), kernel, kvType, position);
        prefilling.columns = columns;
        return prefilling;
    }

    @Test
    void everyKernelIsVerifiedWithEveryType() {
        for (String kernel : NativeBackend.kernelNames().stream().filter(NativeBackend::isSupported).toList()) {
            for (TensorType kvType : List.of(TensorType.F16, TensorType.F32)) {
                requireVerified(decoding(kernel, kvType, 0, 1), "1 columns of 1 sequences");
                requireVerified(decoding(kernel, kvType, 130, 5), "1 columns of 2 sequences");
                requireVerified(prefilling(kernel, kvType, 0, 40), "5 columns of 1 sequences");
                requireVerified(prefilling(kernel, kvType, 300, 7), "5 columns of 1 sequences");
            }
        }
    }

    private static void requireVerified(AttentionBenchmark.Prepared prepared, String what) {
        try {
            prepared.build();
            assertThat(prepared.verify()).isEqualTo("%s have the bits of the reference", what);
        } finally {
            prepared.close();
        }
    }

    @Test
    void wrongQueriesAreNoticed() {
        AttentionBenchmark.Decoding prepared = decoding(ForcedKernel.BEST, TensorType.F16, 70, 3);
        try {
            prepared.build();
            prepared.verify();
            prepared.queries().upload(2 * 6 * 20, new float[] {9}, 0, 1);
            assertThatIllegalStateException().isThrownBy(prepared::verify)
                    .withMessageContaining("F16, heads 6x2x20, position 70, layer 0: element 120 of 240")
                    .withMessageContaining("expected the same bits");
        } finally {
            prepared.close();
        }
    }

    @Test
    void bytesAreThoseOfKeysAndValuesAndOperationsThoseOfAllHeads() {
        AttentionBenchmark.Decoding decoding = decoding(ForcedKernel.BEST, TensorType.F16, 70, 3);
        AttentionBenchmark.Prefilling prefilling = prefilling(ForcedKernel.BEST, TensorType.F32, 70, 2);
        try {
            Counts counts = new Counts();
            decoding.build();
            decoding.attend(counts);
            decoding.attend(counts);
            assertThat(counts.gigabytes * 1e9).isCloseTo(2 * 3 * 71 * 2 * KEY_AND_VALUE * 2, within());
            assertThat(counts.gigaops * 1e9).isCloseTo(2 * 3 * 71 * 4 * (6 * 20), within());
            counts = new Counts();
            prefilling.build();
            prefilling.attend(counts);
            assertThat(counts.gigabytes * 1e9).isCloseTo(72 * 2 * KEY_AND_VALUE * 4, within());
            assertThat(counts.gigaops * 1e9).isCloseTo((71 + 72) * 4 * (6 * 20), within());
        } finally {
            decoding.close();
            prefilling.close();
        }
    }

    /** Of the divisions and multiplications by 1e9. */
    private static Offset<Double> within() {
        return Offset.offset(1e-3);
    }
}
