package dev.yangtuo.kernel;

import dev.yangtuo.tensor.RowCodec;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A random model of two layers on a backend. The same seed and shape give the same weights on every backend. {@link #run()} makes passes of
 * several columns and sequences with pages out of order, and returns what every stage left behind.
 */
final class SmallModel implements AutoCloseable {
    static final int LAYERS = 2;
    private static final int PAGE_POSITIONS = 16;
    private static final int MAX_PAGES = 3;
    private static final int MAX_COLUMNS = 33;

    /**
     * Sizes.
     *
     * @param type of all matrices; the sizes must be multiples of its block
     * @param window of the second layer
     */
    record Shape(TensorType type, TensorType kvType, int dim, int hiddenDim, int heads, int kvHeads, int headDim, int vocabSize, int window) {
        Shape(TensorType type, TensorType kvType, int dim, int hiddenDim, int heads, int kvHeads, int headDim, int vocabSize) {
            this(type, kvType, dim, hiddenDim, heads, kvHeads, headDim, vocabSize, 0);
        }

        int qDim() {
            return heads * headDim;
        }

        int kvDim() {
            return kvHeads * headDim;
        }
    }

    private final Shape shape;
    private final Backend backend;
    private final SplittableRandom random;
    private final List<AutoCloseable> owned = new ArrayList<>();
    private final List<Layer> layers = new ArrayList<>();
    private final WeightMatrix table;
    private final OutputLayer output;
    private final KvPool kv;
    private final Batch batch;
    private final DeviceFloats x;
    private final DeviceFloats q;
    private final DeviceFloats attention;
    private final DeviceFloats hidden;
    private final DeviceFloats logits;
    private final Candidates candidates;

    SmallModel(Shape shape, Backend backend, long seed) {
        this.shape = shape;
        this.backend = backend;
        this.random = new SplittableRandom(seed);
        table = matrix(shape.vocabSize, shape.dim);
        for (int i = 0; i < LAYERS; i++) {
            layers.add(backend.createLayer(new LayerWeights(
                    i, shape.heads, shape.kvHeads, shape.headDim, 1e-5f,
                    norm(), projection(i, shape.qDim(), shape.dim), projection(i, shape.kvDim(), shape.dim), projection(i, shape.kvDim(), shape.dim),
                    projection(i, shape.dim, shape.qDim()),
                    norm(), projection(i, shape.hiddenDim, shape.dim), projection(i, shape.hiddenDim, shape.dim),
                    projection(i, shape.dim, shape.hiddenDim), i * shape.window)));
        }
        output = backend.createOutputLayer(new OutputWeights(norm(), matrix(shape.vocabSize, shape.dim), 1e-5f));
        kv = own(backend.createKvPool(
                new KvShape(shape.kvType, PAGE_POSITIONS, 2 * MAX_PAGES, LAYERS, shape.kvHeads, shape.headDim)));
        batch = own(backend.createBatch(new BatchCapacity(MAX_COLUMNS, 2, MAX_PAGES, shape.headDim)));
        x = own(backend.createFloats((long) MAX_COLUMNS * shape.dim));
        q = own(backend.createFloats((long) MAX_COLUMNS * shape.qDim()));
        attention = own(backend.createFloats((long) MAX_COLUMNS * shape.qDim()));
        hidden = own(backend.createFloats((long) MAX_COLUMNS * shape.hiddenDim));
        candidates = own(backend.createCandidates());
        logits = own(backend.createFloats((long) MAX_COLUMNS * shape.vocabSize));
    }

    private <T extends AutoCloseable> T own(T resource) {
        owned.addFirst(resource);
        return resource;
    }

    private DeviceFloats norm() {
        float[] values = new float[shape.dim];
        for (int i = 0; i < values.length; i++) {
            values[i] = 0.5f + (float) random.nextDouble();
        }
        DeviceFloats floats = own(backend.createFloats(values.length));
        floats.upload(0, values, 0, values.length);
        return floats;
    }

    /** With a bias in the second layer. */
    private Projection projection(int layer, int rows, int columns) {
        WeightMatrix weight = matrix(rows, columns);
        if (layer == 0) {
            return Projection.of(weight);
        }
        float[] values = new float[rows];
        for (int i = 0; i < rows; i++) {
            values[i] = (float) random.nextGaussian();
        }
        DeviceFloats bias = own(backend.createFloats(rows));
        bias.upload(0, values, 0, rows);
        return new Projection(weight, bias);
    }

    /** Uploaded in two parts, so that parts of a group of rows come at different times. */
    private WeightMatrix matrix(int rows, int columns) {
        WeightMatrix matrix = own(backend.createMatrix(shape.type, rows, columns));
        long rowBytes = shape.type.rowBytes(columns);
        int first = rows / 3;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment blocks = arena.allocate(rows * rowBytes, 8);
            if (shape.type.blockElements() == 1) {
                fillPlain(blocks, rows, columns);
            } else {
                RandomBlocks.fill(shape.type, blocks, random);
            }
            matrix.upload(first, rows - first, blocks.asSlice(first * rowBytes));
            if (first > 0) {
                matrix.upload(0, first, blocks.asSlice(0, first * rowBytes));
            }
        }
        return matrix;
    }

    private void fillPlain(MemorySegment target, int rows, int columns) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            // Sometimes tiny, so that binary16 stores subnormal numbers.
            values[i] = (float) (random.nextGaussian() / Math.sqrt(columns)) * (random.nextInt(16) == 0 ? 1e-5f : 1f);
        }
        RowCodec.encodeRows(shape.type, values, 0, rows, columns, target, 0);
    }

    /** Three passes: a long prompt, its continuation together with another sequence, one token. Each stage's result, in order. */
    List<float[]> run() {
        List<float[]> results = new ArrayList<>();
        pass(results, new int[][] {{0, 0, 33}});
        pass(results, new int[][] {{0, 33, 3}, {1, 0, 17}});
        pass(results, new int[][] {{1, 17, 1}});
        return results;
    }

    /** @param parts sequence, first position, count */
    private void pass(List<float[]> results, int[][] parts) {
        batch.clear();
        int[][] pages = {{4, 1, 5}, {2, 0, 3}};
        for (int[] part : parts) {
            int row = batch.addSequence(pages[part[0]], MAX_PAGES);
            for (int i = 0; i < part[2]; i++) {
                int position = part[1] + i;
                int column = batch.addColumn(random.nextInt(shape.vocabSize), position, row, i % 3 == 0 || i == part[2] - 1);
                for (int j = 0; j < shape.headDim / 2; j++) {
                    double angle = position * Math.pow(10_000, -2.0 * j / shape.headDim);
                    batch.rope()[column * shape.headDim + 2 * j] = (float) StrictMath.cos(angle);
                    batch.rope()[column * shape.headDim + 2 * j + 1] = (float) StrictMath.sin(angle);
                }
            }
        }
        batch.upload();
        backend.embed(table, batch, x);
        results.add(read(x, batch.columnCount() * shape.dim));
        for (Layer layer : layers) {
            if (parts.length == 1) {
                backend.qkvAttention(layer, batch, x, kv, q, attention);
                results.add(read(q, batch.columnCount() * shape.qDim()));
            } else {
                backend.qkv(layer, batch, x, kv, q);
                results.add(read(q, batch.columnCount() * shape.qDim()));
                backend.attention(layer, batch, q, kv, attention);
            }
            results.add(read(attention, batch.columnCount() * shape.qDim()));
            backend.attentionOutput(layer, batch, attention, x);
            results.add(read(x, batch.columnCount() * shape.dim));
            backend.gateUp(layer, batch, x, hidden);
            results.add(read(hidden, batch.columnCount() * shape.hiddenDim));
            backend.down(layer, batch, hidden, x);
            results.add(read(x, batch.columnCount() * shape.dim));
        }
        backend.logits(output, batch, x, logits);
        results.add(read(logits, batch.outputCount() * shape.vocabSize));
        results.add(chosen());
    }

    /** The ids and logits of the best, after some edits. */
    private float[] chosen() {
        int count = Math.min(5, shape.vocabSize);
        candidates.clear(count, shape.vocabSize);
        for (int output = 0; output < batch.outputCount(); output++) {
            candidates.addOutput();
            for (int i = 0; i < output; i++) {
                candidates.addEdit(random.nextInt(shape.vocabSize), 1.5f, i % 2);
            }
        }
        backend.logits(output, batch, x, logits, candidates);
        float[] result = new float[2 * count * batch.outputCount()];
        for (int i = 0; i < result.length / 2; i++) {
            result[2 * i] = candidates.id(i / count, i % count);
            result[2 * i + 1] = candidates.logit(i / count, i % count);
        }
        return result;
    }

    private static float[] read(DeviceFloats floats, int count) {
        float[] values = new float[count];
        floats.download(0, values, 0, count);
        return values;
    }

    /** The bits, so that comparisons see the sign of zero and every NaN. */
    static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
        return bits;
    }

    @Override
    public void close() {
        for (AutoCloseable resource : owned) {
            try {
                resource.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
