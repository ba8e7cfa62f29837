package dev.yangtuo.model;

import dev.yangtuo.checkpoint.StoredBytes;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.kernel.Backend;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Turns parameters into stored rows, some rows at a time on several threads: read and merged in float32, rounded once to the type asked for, handed on.
 * Beside what receives them it needs one piece of rows per thread.
 */
final class ParameterEncoder implements AutoCloseable {
    /** Elements of a piece of rows: 4 MB of float32. */
    private static final int PIECE_ELEMENTS = 1 << 20;
    /** Bytes of a piece that is copied as it is: what stays in a second-level cache until it is packed. */
    private static final int COPIED_BYTES = 1 << 19;
    /** Rows that kernels keep together; pieces are multiples of it. */
    private static final int ROW_GROUP = 16;
    private static final int INFINITY_BITS = 0x7F800000;
    /** From here on a value rounds to infinity in binary16. */
    private static final float F16_OVERFLOW = 65520f;

    private final Backend backend;
    private final Path source;
    private final int threads;
    private final LongConsumer progress;
    private final ExecutorService executor;

    /** Receives stored rows. */
    interface Sink {
        /**
         * Takes some rows; called by several threads, for different rows.
         *
         * @param blocks off-heap memory with exactly these rows; valid during the call
         */
        void accept(long firstRow, long rowCount, MemorySegment blocks);
    }

    /** In which order the rows of Q and K are handed on. */
    enum Order {
        /** GGUF's and the kernels': partners of RoPE beside each other. */
        PAIRS,
        /** Hugging Face's: partners half a head apart. */
        HALVES
    }

    /**
     * @param backend rounds the values; stays the caller's
     * @param source the model's path, for messages
     * @param threads that work, the calling one included
     * @param progress is told by the calling thread of bytes that were handed on since it was last told
     */
    ParameterEncoder(Backend backend, Path source, int threads, LongConsumer progress) {
        this.backend = backend;
        this.source = source;
        this.threads = threads;
        this.progress = progress;
        this.executor = Executors.newFixedThreadPool(Math.max(1, threads - 1), task -> {
            Thread thread = new Thread(task, "yangtuo-load");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** A vector as float32, in the order of the kernels. */
    float[] vector(MergedParameter parameter) {
        FloatRows rows = parameter.rowsInPairs();
        float[] values = new float[rows.columns()];
        rows.read(0, 1, values, 0);
        requireFinite(parameter.name(), values, values.length, 0, values.length, 0, Float.MAX_VALUE);
        progress.accept((long) Float.BYTES * values.length);
        return values;
    }

    /** Hands all rows on, stored as {@code type}. */
    void encode(MergedParameter parameter, TensorType type, Order order, Sink sink) {
        boolean asStored = type == parameter.storedType() && (order == Order.PAIRS || parameter.headDim() == 0);
        StoredBytes blocks = asStored ? parameter.blocks() : null;
        Job job = new Job(parameter, type, order, sink, new AtomicLong(), new AtomicLong());
        List<Future<?>> workers = new ArrayList<>();
        for (int i = 1; i < threads; i++) {
            workers.add(executor.submit(() -> run(job, blocks, () -> {})));
        }
        Runnable report = () -> progress.accept(job.newBytes.getAndSet(0));
        Throwable failure = null;
        try {
            run(job, blocks, report);
        } catch (RuntimeException | Error e) {
            failure = e;
        }
        await(workers, failure);
        report.run();
    }

    /** @param next the first row that nobody has taken */
    private record Job(MergedParameter parameter, TensorType type, Order order, Sink sink, AtomicLong next, AtomicLong newBytes) {
        long rows() {
            return parameter.rows().rows();
        }

        int columns() {
            return parameter.rows().columns();
        }

        /** Rows of a piece, as many as a buffer must hold. */
        int pieceRows() {
            return (int) Math.min(Math.max(1, PIECE_ELEMENTS / columns() / ROW_GROUP) * ROW_GROUP, rows());
        }

        void handOn(long firstRow, long rowCount, MemorySegment blocks) {
            sink.accept(firstRow, rowCount, blocks);
            newBytes.addAndGet(blocks.byteSize());
        }
    }

    private void run(Job job, @Nullable StoredBytes blocks, Runnable afterPiece) {
        try {
            if (blocks == null) {
                convert(job, afterPiece);
            } else {
                copy(job, blocks, afterPiece);
            }
        } catch (RuntimeException | Error e) {
            job.next.set(job.rows()); // the others need not go on
            throw e;
        }
    }

    private void convert(Job job, Runnable afterPiece) {
        int headDim = job.order == Order.PAIRS ? job.parameter.headDim() : 0;
        FloatRows rows = job.order == Order.PAIRS ? job.parameter.rowsInPairs() : job.parameter.rows();
        int columns = rows.columns();
        int pieceRows = job.pieceRows();
        float[] values = new float[Math.multiplyExact(pieceRows, columns)];
        long rowBytes = job.type.rowBytes(columns);
        float limit = job.type == TensorType.F16 ? F16_OVERFLOW : Float.MAX_VALUE;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment encoded = arena.allocate(pieceRows * rowBytes, Long.BYTES);
            for (long first = job.next.getAndAdd(pieceRows); first < rows.rows(); first = job.next.getAndAdd(pieceRows)) {
                int count = (int) Math.min(pieceRows, rows.rows() - first);
                rows.read(first, count, values, 0);
                requireFinite(job.parameter.name(), values, count * columns, first, columns, headDim, limit);
                MemorySegment blocks = encoded.asSlice(0, count * rowBytes);
                backend.encodeRows(job.type, values, count, columns, blocks);
                requireFiniteScales(job, blocks, first, headDim);
                job.handOn(first, count, blocks);
                afterPiece.run();
            }
        }
    }

    /**
     * Copies before it hands on: if another process truncates the mapped file, the copy fails with an error of the JVM, whereas native code would
     * end the process.
     */
    private void copy(Job job, StoredBytes blocks, Runnable afterPiece) {
        int columns = job.columns();
        long rowBytes = job.type.rowBytes(columns);
        int pieceRows = (int) Math.clamp(Math.max(1, COPIED_BYTES / rowBytes / ROW_GROUP) * ROW_GROUP, 1, job.rows());
        try (Arena arena = Arena.ofConfined(); StoredBytes.Reader reader = blocks.open()) {
            MemorySegment copy = arena.allocate(pieceRows * rowBytes, Long.BYTES);
            for (long first = job.next.getAndAdd(pieceRows); first < job.rows(); first = job.next.getAndAdd(pieceRows)) {
                long count = Math.min(pieceRows, job.rows() - first);
                MemorySegment rows = copy.asSlice(0, count * rowBytes);
                reader.read(first * rowBytes, rows);
                requireFinite(job.parameter.name(), rows, job.type, columns, first);
                job.handOn(first, count, rows);
                afterPiece.run();
            }
        }
    }

    /** Waits for all, also when one fails: none may still be using the matrix afterwards. */
    private static void await(List<Future<?>> workers, @Nullable Throwable own) {
        Throwable failure = own;
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

    /** Of values that fit, scales do; values near the largest float32 give blocks that cannot be read back. */
    private void requireFiniteScales(Job job, MemorySegment blocks, long firstRow, int headDim) {
        long overflowed = job.type.isQuantized() ? backend.firstNotFinite(job.type, blocks) : -1;
        if (overflowed >= 0) {
            long element = overflowed * job.type.blockElements();
            long row = firstRow + element / job.columns();
            throw new CheckpointFormatException(source, "tensor '%s', row %d, from column %d on: a value is too large for %s; keep the weights as F32 or BF16".formatted(
                    job.parameter.name(), headDim == 0 ? row : RowOrder.rowInHalves(row, headDim), element % job.columns(), job.type));
        }
    }

    /** The same for rows as they are stored. */
    private void requireFinite(String name, MemorySegment bytes, TensorType type, int columns, long firstRow) {
        long damaged = backend.firstNotFinite(type, bytes);
        if (damaged >= 0) {
            long element = damaged * type.blockElements();
            throw new CheckpointFormatException(source, "tensor '%s', row %d, column %d: a NaN or an infinite value; the file is damaged"
                    .formatted(name, firstRow + element / columns, element % columns));
        }
    }

    @Override
    public void close() {
        executor.shutdown();
    }
}
