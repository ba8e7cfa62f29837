package dev.yangtuo.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class FloatRowsTest {
    private static final FloatRows MATRIX = FloatRows.of(new float[] {0, 1, 10, 11, 20, 21, 30, 31}, 2);

    private static float[] readAll(FloatRows rows) {
        float[] values = new float[(int) rows.rows() * rows.columns()];
        rows.read(0, (int) rows.rows(), values, 0);
        return values;
    }

    @Test
    void arrayIsReadByRows() {
        assertThat(MATRIX.rows()).isEqualTo(4);
        assertThat(MATRIX.columns()).isEqualTo(2);
        float[] target = new float[6];
        MATRIX.read(1, 2, target, 1);
        assertThat(target).containsExactly(0, 10, 11, 20, 21, 0);
    }

    @Test
    void rowsAndTargetsOutsideAreRefused() {
        assertThatThrownBy(() -> MATRIX.read(3, 2, new float[9], 0)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> MATRIX.read(-1, 1, new float[9], 0)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> MATRIX.read(0, 2, new float[4], 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> MATRIX.selected(2, r -> r).read(1, 2, new float[9], 0)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> MATRIX.permuted(r -> 4).read(0, 1, new float[2], 0)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void arrayThatIsNoMatrixIsRefused() {
        assertThatThrownBy(() -> FloatRows.of(new float[5], 2)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("5 values");
        assertThatThrownBy(() -> FloatRows.of(new float[0], 2)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> FloatRows.of(new float[4], 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> MATRIX.selected(0, r -> r)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void permutedRowsComeFromTheirSource() {
        assertThat(readAll(MATRIX.permuted(r -> 3 - r))).containsExactly(30, 31, 20, 21, 10, 11, 0, 1);
        assertThat(readAll(MATRIX.permuted(r -> (r + 2) % 4))).containsExactly(20, 21, 30, 31, 0, 1, 10, 11);
    }

    @Test
    void selectionMayRepeatDropAndBeTaller() {
        assertThat(readAll(MATRIX.selected(2, r -> r + 1))).containsExactly(10, 11, 20, 21);
        assertThat(readAll(MATRIX.selected(5, r -> 2))).containsExactly(20, 21, 20, 21, 20, 21, 20, 21, 20, 21);
    }
}
