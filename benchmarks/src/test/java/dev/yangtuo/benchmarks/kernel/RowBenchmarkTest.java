package dev.yangtuo.benchmarks.kernel;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.yangtuo.kernel.NativeBackend;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RowBenchmarkTest {
    private static RowBenchmark.Values values(String kernel, TensorType type) {
        RowBenchmark.Values values = new RowBenchmark.Values();
        values.kernel = kernel;
        values.encodedType = type;
        values.shape = "67x256";
        return values;
    }

    private static RowBenchmark.Table table(TensorType type) {
        RowBenchmark.Table table = new RowBenchmark.Table();
        table.type = type;
        table.shape = "1000x256";
        table.columns = 99;
        return table;
    }

    @ParameterizedTest
    @EnumSource
    void everyEncoderIsVerified(TensorType type) {
        for (String kernel : NativeBackend.kernelNames().stream().filter(NativeBackend::isSupported).toList()) {
            RowBenchmark.Values values = values(kernel, type);
            try {
                if (type.canEncode()) {
                    values.build();
                    assertThatCode(values::verify).as(kernel).doesNotThrowAnyException();
                } else {
                    assertThatIllegalArgumentException().isThrownBy(values::build).withMessageContaining("not written");
                }
            } finally {
                values.close();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyTableIsVerified(TensorType type) {
        RowBenchmark.Table table = table(type);
        try {
            table.build();
            assertThatCode(table::verify).doesNotThrowAnyException();
        } finally {
            table.close();
        }
    }

    @Test
    void wrongBytesAreNoticed() {
        RowBenchmark.Values values = values(ForcedKernel.BEST, TensorType.Q8_0);
        try {
            values.build();
            values.verify();
            values.encode(new float[67 * 256]);
            assertThatIllegalStateException().isThrownBy(values::requireStored).withMessageContaining("Q8_0: byte 0 of row 0 is not the reference's");
        } finally {
            values.close();
        }
    }

    @Test
    void wrongRowIsNoticed() {
        RowBenchmark.Table table = table(TensorType.Q8_0);
        try (Arena arena = Arena.ofConfined()) {
            table.build();
            table.verify();
            table.table().upload(999, 1, arena.allocate(TensorType.Q8_0.rowBytes(256)));
            assertThatIllegalStateException().isThrownBy(table::verify).withMessageContaining("embedding, Q8_0, 1000x256: element 25088 of 25344");
        } finally {
            table.close();
        }
    }
}
