package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A model file of llama2.c ({@code export.py} there writes it): a header of a few integers, then the weights in a fixed order without names. Tensors get the
 * names that Meta gives them ({@code layers.0.attention.wq.weight}); rows of Q and K are in pairs, as Meta's.
 *
 * <p>Version 0 has no magic number; it is recognised by its header and its size together. Version 1 holds float32 as well. Version 2 holds
 * matrices as signed bytes in groups, each with a float32 scale: tensors {@code NAME.q}, which are read through {@link #matrix}, and
 * {@code NAME.scales}.
 */
public final class Llama2cCheckpoint extends MappedCheckpoint {
    /** {@code ak42}, in front of versions 1 and 2. */
    private static final int MAGIC = 0x616b3432;
    private static final int LEGACY_HEADER_BYTES = 7 * Integer.BYTES;
    private static final int HEADER_BYTES = 256;
    private static final int MAX_SIZE = 1 << 22;
    private static final int MAX_LAYERS = 1 << 12;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Suffixes of the two tensors of a matrix in groups. */
    private static final String QUANTS = ".q";
    private static final String SCALES = ".scales";

    private final Header header;

    /**
     * The hyper-parameters.
     *
     * @param version 0, 1 or 2
     * @param dim width of the residual stream
     * @param hiddenDim width of the feed-forward part
     * @param layers transformer layers
     * @param heads query heads
     * @param kvHeads key/value heads
     * @param vocabSize rows of the embedding
     * @param contextLength positions that the model was trained for
     * @param tied whether the output matrix is the embedding
     * @param groupSize elements that share a scale; 0 unless version 2
     */
    public record Header(
            int version, int dim, int hiddenDim, int layers, int heads, int kvHeads, int vocabSize, int contextLength, boolean tied, int groupSize) {
        /** Elements of a head. */
        public int headDim() {
            return dim / heads;
        }

        /** Width of all key/value heads. */
        public int kvDim() {
            return headDim() * kvHeads;
        }

        /** What is wrong with it, or an empty text. */
        private String problem() {
            if (!isSize(dim) || !isSize(hiddenDim) || !isSize(heads) || !isSize(vocabSize) || !isSize(contextLength) || layers < 1 || layers > MAX_LAYERS) {
                return "a size is out of range";
            }
            if (kvHeads < 1 || kvHeads > heads || heads % kvHeads != 0 || dim % heads != 0 || headDim() % 2 != 0) {
                return "the heads do not divide the width evenly";
            }
            if (version == 2 && (groupSize < 1 || dim % groupSize != 0 || hiddenDim % groupSize != 0)) {
                return "groups of %d do not divide the rows".formatted(groupSize);
            }
            return "";
        }

        private static boolean isSize(int value) {
            return value >= 1 && value <= MAX_SIZE;
        }
    }

    private Llama2cCheckpoint(MappedFile file, Header header, Arena arena, TensorTable table) {
        super(file.path(), arena, Map.of(file.path(), file.bytes()), table);
        this.header = header;
    }

    /** Whether a file is one, by its beginning and its size; damaged ones with a magic number count. */
    static boolean is(MemorySegment bytes) {
        if (bytes.byteSize() < LEGACY_HEADER_BYTES) {
            return false;
        }
        if (bytes.get(INT, 0) == MAGIC) {
            return true;
        }
        Header header = readLegacy(bytes);
        return header.problem().isEmpty() && new Layout(Path.of(""), header).end == bytes.byteSize();
    }

    /**
     * Opens a file.
     *
     * @throws CheckpointFormatException if it is missing, none of these files, of an unknown version, damaged or incomplete
     */
    public static Llama2cCheckpoint open(Path path) {
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try {
            MappedFile file = MappedFile.map(path, "a model file of llama2.c", arena);
            Llama2cCheckpoint checkpoint = file.reading("the header", () -> read(file, arena));
            opened = true;
            return checkpoint;
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    private static Llama2cCheckpoint read(MappedFile file, Arena arena) {
        Header header = readHeader(file);
        if (!header.problem().isEmpty()) {
            throw new CheckpointFormatException(file.path(), "at byte 0: the header of a llama2.c model is damaged: %s (%s)".formatted(header.problem(), header));
        }
        Layout layout = new Layout(file.path(), header);
        if (layout.end != file.size()) {
            throw new CheckpointFormatException(file.path(), "it has %d bytes, but a llama2.c model of these sizes has %d (%s). %s".formatted(
                    file.size(), layout.end, header, file.size() < layout.end ? "The download is probably incomplete" : "The file is damaged"));
        }
        return new Llama2cCheckpoint(file, header, arena, layout.table);
    }

    private static Header readHeader(MappedFile file) {
        MemorySegment bytes = file.bytes();
        if (file.size() < LEGACY_HEADER_BYTES) {
            throw new CheckpointFormatException(file.path(), "it has %d bytes; the header of a llama2.c model has at least %d"
                    .formatted(file.size(), LEGACY_HEADER_BYTES));
        }
        if (bytes.get(INT, 0) != MAGIC) {
            return readLegacy(bytes);
        }
        int version = bytes.get(INT, 4);
        if (version != 1 && version != 2) {
            throw new CheckpointFormatException(file.path(), "at byte 4: version %d of llama2.c's format is not known; expected 1 or 2".formatted(version));
        }
        if (file.size() < HEADER_BYTES) {
            throw new CheckpointFormatException(file.path(), "it has %d bytes; the header of a llama2.c model of version %d has %d"
                    .formatted(file.size(), version, HEADER_BYTES));
        }
        int[] values = bytes.asSlice(8, LEGACY_HEADER_BYTES).toArray(INT);
        boolean tied = bytes.get(ValueLayout.JAVA_BYTE, 8 + LEGACY_HEADER_BYTES) != 0;
        int groupSize = version == 2 ? bytes.get(INT, 8 + LEGACY_HEADER_BYTES + 1) : 0;
        return new Header(version, values[0], values[1], values[2], values[3], values[4], values[5], values[6], tied, groupSize);
    }

    /** A negative vocabulary says that the output matrix is not the embedding. */
    private static Header readLegacy(MemorySegment bytes) {
        int[] values = bytes.asSlice(0, LEGACY_HEADER_BYTES).toArray(INT);
        return new Header(0, values[0], values[1], values[2], values[3], values[4], Math.abs(values[5]), values[6], values[5] > 0, 0);
    }

    /** Where everything is. Sizes have been checked, so that sums stay far below the end of a long. */
    private static final class Layout {
        private final Path file;
        private final Header header;
        private final TensorTable table = new TensorTable();
        private long end;

        Layout(Path file, Header header) {
            this.file = file;
            this.header = header;
            if (header.version == 0) {
                placeLegacy();
            } else {
                placeVersioned();
            }
        }

        private void placeLegacy() {
            end = LEGACY_HEADER_BYTES;
            matrix("tok_embeddings.weight", header.vocabSize, header.dim);
            norms("attention_norm");
            attention();
            norms("ffn_norm");
            feedForward();
            vector("norm.weight");
            // Cosines and sines of RoPE, which follow from the rest.
            end += (long) Float.BYTES * header.contextLength * header.headDim();
            if (!header.tied) {
                matrix("output.weight", header.vocabSize, header.dim);
            }
        }

        private void placeVersioned() {
            end = HEADER_BYTES;
            norms("attention_norm");
            norms("ffn_norm");
            vector("norm.weight");
            matrix("tok_embeddings.weight", header.vocabSize, header.dim);
            attention();
            feedForward();
            if (!header.tied) {
                matrix("output.weight", header.vocabSize, header.dim);
            }
        }

        private void norms(String name) {
            for (int layer = 0; layer < header.layers; layer++) {
                vector("layers.%d.%s.weight".formatted(layer, name));
            }
        }

        private void attention() {
            matrices("attention.wq", header.dim, header.dim);
            matrices("attention.wk", header.kvDim(), header.dim);
            matrices("attention.wv", header.kvDim(), header.dim);
            matrices("attention.wo", header.dim, header.dim);
        }

        private void feedForward() {
            matrices("feed_forward.w1", header.hiddenDim, header.dim);
            matrices("feed_forward.w2", header.dim, header.hiddenDim);
            matrices("feed_forward.w3", header.hiddenDim, header.dim);
        }

        private void matrices(String name, int rows, int columns) {
            for (int layer = 0; layer < header.layers; layer++) {
                matrix("layers.%d.%s.weight".formatted(layer, name), rows, columns);
            }
        }

        private void vector(String name) {
            floats(name, List.of((long) header.dim));
        }

        private void matrix(String name, long rows, long columns) {
            if (header.version < 2) {
                floats(name, List.of(rows, columns));
                return;
            }
            table.add(new UnreadableTensor(name + QUANTS, "I8", List.of(rows, columns), file, end, rows * columns));
            end += rows * columns;
            floats(name + SCALES, List.of(rows, columns / header.groupSize));
        }

        private void floats(String name, List<Long> shape) {
            long bytes = Float.BYTES * shape.stream().reduce(1L, (a, b) -> a * b);
            table.add(new TensorInfo(name, TensorType.F32, shape, file, end, bytes));
            end += bytes;
        }
    }

    /** The hyper-parameters. */
    public Header header() {
        return header;
    }

    /**
     * A matrix by Meta's name, whatever the version.
     *
     * @throws CheckpointFormatException if there is none
     */
    public FloatRows matrix(String name) {
        if (header.version < 2) {
            return rows(require(name));
        }
        TensorInfo scales = require(name + SCALES);
        UnreadableTensor quants = unreadable().stream().filter(tensor -> tensor.name().equals(name + QUANTS)).findFirst().orElseThrow();
        return new GroupedRows(path(), name, fileBytes(quants.file()).asSlice(quants.byteOffset(), quants.byteSize()), rows(scales), header.groupSize);
    }

    /** Signed bytes in groups with a scale each. Thread-safe. */
    private record GroupedRows(Path file, String name, MemorySegment quants, FloatRows scales, int groupSize) implements FloatRows {
        @Override
        public long rows() {
            return scales.rows();
        }

        @Override
        public int columns() {
            return scales.columns() * groupSize;
        }

        @Override
        public void read(long firstRow, int rowCount, float[] target, int targetOffset) {
            int columns = columns();
            byte[] q = new byte[columns];
            float[] scale = new float[scales.columns()];
            for (int row = 0; row < rowCount; row++) {
                scales.read(firstRow + row, 1, scale, 0);
                try {
                    MemorySegment.copy(quants, ValueLayout.JAVA_BYTE, (firstRow + row) * columns, q, 0, columns);
                } catch (InternalError e) {
                    throw MappedFile.lostPages(file, "tensor " + Quoted.text(name), e);
                }
                for (int i = 0; i < columns; i++) {
                    target[targetOffset + row * columns + i] = scale[i / groupSize] * q[i];
                }
            }
        }
    }
}
