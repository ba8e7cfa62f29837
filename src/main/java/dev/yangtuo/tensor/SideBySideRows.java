package dev.yangtuo.tensor;

import java.util.List;
import java.util.Objects;

/** Matrices of the same height, one beside the other. */
final class SideBySideRows implements FloatRows {
    /** Elements of a part that are read at a time, unless a row has more. */
    private static final int CHUNK_ELEMENTS = 1 << 16;

    private final List<FloatRows> parts;
    private final int columns;

    SideBySideRows(List<FloatRows> parts) {
        this.parts = List.copyOf(parts);
        int sum = 0;
        for (FloatRows part : parts) {
            if (part.rows() != parts.getFirst().rows()) {
                throw new IllegalArgumentException("a part has %d rows, part 0 has %d".formatted(part.rows(), parts.getFirst().rows()));
            }
            sum = Math.addExact(sum, part.columns());
        }
        this.columns = sum;
    }

    @Override
    public long rows() {
        return parts.getFirst().rows();
    }

    @Override
    public int columns() {
        return columns;
    }

    @Override
    public void read(long firstRow, int rowCount, float[] target, int targetOffset) {
        Objects.checkFromIndexSize(firstRow, rowCount, rows());
        Objects.checkFromIndexSize((long) targetOffset, (long) rowCount * columns, (long) target.length);
        int firstColumn = 0;
        for (FloatRows part : parts) {
            readPart(part, firstRow, rowCount, target, targetOffset + firstColumn);
            firstColumn += part.columns();
        }
    }

    private void readPart(FloatRows part, long firstRow, int rowCount, float[] target, int targetOffset) {
        int width = part.columns();
        int chunkRows = Math.min(rowCount, Math.max(1, CHUNK_ELEMENTS / width));
        float[] chunk = new float[Math.multiplyExact(chunkRows, width)];
        for (int done = 0; done < rowCount; done += chunkRows) {
            int count = Math.min(chunkRows, rowCount - done);
            part.read(firstRow + done, count, chunk, 0);
            for (int row = 0; row < count; row++) {
                System.arraycopy(chunk, row * width, target, targetOffset + (done + row) * columns, width);
            }
        }
    }
}
