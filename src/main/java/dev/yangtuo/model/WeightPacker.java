package dev.yangtuo.model;

import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.DeviceFloats;
import dev.yangtuo.kernel.WeightMatrix;
import dev.yangtuo.tensor.BlockCodec;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.RowCodec;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Brings weights onto the device, some rows at a time on several threads: read and merged in float32, rounded once to the type asked for,
 * packed. Beside the finished weights it needs one piece of rows per thread.
 */
final class WeightPacker implements AutoCloseable {
    /** Elements of a piece of rows: 4 MB of float32. */
    private static final int PIECE_ELEMENTS = 1 << 20;
    /** Rows that kernels keep together; pieces are multiples of it. */
    private static final int ROW_GROUP = 16;
    private static final int INFINITY_BITS = 0x7F800000;
    /** From here on a value rounds to infinity in binary16. */
    private static final float F16_OVERFLOW = 65520f;

    private static final ValueLayout.OfLong LITTLE_LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LITTLE_INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort LITTLE_SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Backend backend;
    private final Path source;
    private final int threads;
    private final ExecutorService executor;

    /** @param source the model's path, for messages */
    WeightPacker(Backend backend, Path source, int threads) {
        this.backend = backend;
        this.source = source;
        this.threads = threads;
        this.executor = Executors.newFixedThreadPool(threads, task -> {
            Thread thread = new Thread(task, "yangtuo-load");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** A vector of float32 on the device. */
    DeviceFloats vector(String name, FloatRows rows) {
        float[] values = new float[rows.columns()];
        rows.read(0, 1, values, 0);
        requireFinite(name, values, values.length, 0, values.length, 0, Float.MAX_VALUE);
        DeviceFloats vector = backend.createFloats(values.length);
        vector.upload(0, values, 0, values.length);
        return vector;
    }

    /**
     * A packed matrix.
     *
     * @param rows in Hugging Face's order
     * @param headDim elements of a head whose rows are to be brought into pairs; 0 if the rows stay as they are
     * @param type how to store it
     * @param blocks the rows in the order of the kernels as {@code type} stores them, if they can be taken as they are
     */
    WeightMatrix matrix(String name, FloatRows rows, int headDim, TensorType type, @Nullable MemorySegment blocks) {
        WeightMatrix matrix = backend.createMatrix(type, rows.rows(), rows.columns());
        try {
            int pieceRows = Math.max(1, PIECE_ELEMENTS / rows.columns() / ROW_GROUP) * ROW_GROUP;
            AtomicLong next = new AtomicLong();
            List<Future<?>> workers = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                workers.add(executor.submit(() -> {
                    if (blocks == null) {
                        packConverted(name, rows, headDim, matrix, pieceRows, next);
                    } else {
                        packStored(name, blocks, matrix, pieceRows, next);
                    }
                }));
            }
            await(workers);
            return matrix;
        } catch (RuntimeException | Error e) {
            matrix.close();
            throw e;
        }
    }

    private void packConverted(String name, FloatRows stored, int headDim, WeightMatrix matrix, int pieceRows, AtomicLong next) {
        FloatRows rows = headDim == 0 ? stored : RowOrder.halvesToPairs(stored, headDim);
        int columns = rows.columns();
        int bufferRows = (int) Math.min(pieceRows, rows.rows());
        float[] values = new float[Math.multiplyExact(bufferRows, columns)];
        long rowBytes = matrix.type().rowBytes(columns);
        float limit = matrix.type() == TensorType.F16 ? F16_OVERFLOW : Float.MAX_VALUE;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment encoded = arena.allocate(bufferRows * rowBytes, Long.BYTES);
            for (long first = next.getAndAdd(pieceRows); first < rows.rows(); first = next.getAndAdd(pieceRows)) {
                int count = (int) Math.min(pieceRows, rows.rows() - first);
                rows.read(first, count, values, 0);
                requireFinite(name, values, count * columns, first, columns, headDim, limit);
                RowCodec.encodeRows(matrix.type(), values, 0, count, columns, encoded, 0);
                matrix.upload(first, count, encoded.asSlice(0, count * rowBytes));
            }
        }
    }

    /**
     * Copies before it packs: if another process truncates the mapped file, the copy fails with an error of the JVM, whereas native code would
     * end the process.
     */
    private void packStored(String name, MemorySegment blocks, WeightMatrix matrix, int pieceRows, AtomicLong next) {
        long rowBytes = matrix.type().rowBytes(matrix.columns());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(Math.min(pieceRows, matrix.rows()) * rowBytes, Long.BYTES);
            for (long first = next.getAndAdd(pieceRows); first < matrix.rows(); first = next.getAndAdd(pieceRows)) {
                long count = Math.min(pieceRows, matrix.rows() - first);
                MemorySegment.copy(blocks, first * rowBytes, copy, 0, count * rowBytes);
                requireFinite(name, copy.asSlice(0, count * rowBytes), matrix, first);
                matrix.upload(first, count, copy.asSlice(0, count * rowBytes));
            }
        } catch (InternalError e) {
            throw new CheckpointFormatException(source, "tensor '%s' could not be read; was the file changed while it was being loaded?".formatted(name), e);
        }
    }

    /** Waits for all, also when one fails: none may still be using the matrix afterwards. */
    private static void await(List<Future<?>> workers) {
        Throwable failure = null;
        boolean interrupted = false;
        for (Future<?> worker : workers) {
            boolean done = false;
            while (!done) {
                try {
                    worker.get();
                    done = true;
                } catch (ExecutionException e) {
                    failure = failure == null ? e.getCause() : failure;
                    done = true;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        switch (failure) {
            case null -> { }
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(failure);
        }
    }

    private void requireFinite(String name, float[] values, int count, long firstRow, int columns, int headDim, float limit) {
        int largest = 0;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, Float.floatToRawIntBits(values[i]) & 0x7FFFFFFF);
        }
        if (largest < INFINITY_BITS && Float.intBitsToFloat(largest) < limit) {
            return;
        }
        int at = 0;
        while ((Float.floatToRawIntBits(values[at]) & 0x7FFFFFFF) != largest) {
            at++;
        }
        long row = firstRow + at / columns;
        throw new CheckpointFormatException(source, "tensor '%s', row %d, column %d: %s %s".formatted(
                name, headDim == 0 ? row : RowOrder.rowInHalves(row, headDim), at % columns, values[at],
                largest >= INFINITY_BITS
                        ? "is not a number that weights can have; the file is damaged, or an adapter is"
                        : "is too large for F16; keep the weights as F32 or BF16"));
    }

    /** The same for rows as they are stored: only exponents are looked at, those of the scales where the type has blocks. */
    private void requireFinite(String name, MemorySegment bytes, WeightMatrix matrix, long firstRow) {
        TensorType type = matrix.type();
        long damaged = type.isQuantized() ? BlockCodec.of(type).firstNotFinite(bytes) : firstNotFinite(bytes, type);
        if (damaged >= 0) {
            long element = damaged * type.blockElements();
            throw new CheckpointFormatException(source, "tensor '%s', row %d, column %d: a NaN or an infinite value; the file is damaged"
                    .formatted(name, firstRow + element / matrix.columns(), element % matrix.columns()));
        }
    }

    /** The index of the first value that is NaN or infinite, or -1. */
    private static long firstNotFinite(MemorySegment bytes, TensorType type) {
        int stride = type.blockBytes();
        int exponent = switch (type) {
            case F32 -> 0x7F800000;
            case BF16 -> 0x7F80;
            default -> 0x7C00;
        };
        for (long at = finiteBytes(bytes, exponent, stride); at < bytes.byteSize(); at += stride) {
            int bits = type == TensorType.F32 ? bytes.get(LITTLE_INT, at) : bytes.get(LITTLE_SHORT, at);
            if ((bits & exponent) == exponent) {
                return at / stride;
            }
        }
        return -1;
    }

    /**
     * Eight bytes at a time: adding the exponent's lowest bit carries into the sign's place, which was cleared, only where all its bits are set.
     *
     * @param exponent of a value of {@code valueBytes} bytes, 2 or 4
     * @return how many of the first bytes hold finite values only; a multiple of 8
     */
    private static long finiteBytes(MemorySegment bytes, int exponent, int valueBytes) {
        long everyValue = valueBytes == 2 ? 0x0001_0001_0001_0001L : 0x0000_0001_0000_0001L;
        long exponents = exponent * everyValue;
        long lowest = Integer.lowestOneBit(exponent) * everyValue;
        long signs = (1L << (8 * valueBytes - 1)) * everyValue;
        long at = 0;
        while (at + Long.BYTES <= bytes.byteSize() && ((bytes.get(LITTLE_LONG, at) & exponents) + lowest & signs) == 0) {
            at += Long.BYTES;
        }
        return at;
    }

    @Override
    public void close() {
        executor.shutdown();
    }
}
