package dev.yangtuo.benchmarks.kernel;

import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.Batch;
import dev.yangtuo.kernel.BatchCapacity;
import dev.yangtuo.kernel.DeviceFloats;
import dev.yangtuo.kernel.KvPool;
import dev.yangtuo.kernel.KvShape;
import dev.yangtuo.kernel.Layer;
import dev.yangtuo.kernel.LayerWeights;
import dev.yangtuo.kernel.Projection;
import dev.yangtuo.kernel.WeightMatrix;
import dev.yangtuo.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Keys, values and queries on a backend, the same for the same numbers of sequences and columns on every backend: so a reference can have some of
 * them. Keys and values get into the pool through {@link Backend#qkv}, the only way there is, from a residual stream that is only {@value #DIM} wide.
 * All layers hold the same keys and values.
 */
final class AttentionInputs implements AutoCloseable {
    /** Positions of a page, as in a loaded model. */
    private static final int PAGE_POSITIONS = 64;
    private static final int DIM = 8;
    /** Positions that are computed in one pass. */
    private static final int PASS_COLUMNS = 256;
    private static final float NORM_EPS = 1e-5f;
    private static final long SEED = 20_260_302;

    /**
     * What is there.
     *
     * @param kvType of keys and values, one of {@link KvShape#TYPES}
     * @param position of the first column of every sequence: as many positions stand before it
     * @param columns that follow each other in a sequence
     * @param sequences numbers of the sequences
     * @param layers with keys and values of their own
     */
    record Shape(HeadShape heads, TensorType kvType, int position, int columns, int[] sequences, int layers) {
        int positions() {
            return position + columns;
        }

        int pagesPerSequence() {
            return Math.ceilDiv(positions(), PAGE_POSITIONS);
        }

        /** Bytes of the keys and values of all sequences in one layer. */
        long layerBytes() {
            return (long) sequences.length * positions() * heads.kvHeads() * KvShape.positionBytes(kvType, heads.headDim());
        }
    }

    private final Resources resources = new Resources();
    private final Backend backend;
    private final Shape shape;
    private final List<Layer> layers = new ArrayList<>();
    private final KvPool kv;

    AttentionInputs(Backend backend, Shape shape) {
        this.backend = backend;
        this.shape = shape;
        HeadShape heads = shape.heads;
        kv = resources.own(backend.createKvPool(new KvShape(
                shape.kvType, PAGE_POSITIONS, shape.sequences.length * shape.pagesPerSequence(), shape.layers, heads.kvHeads(), heads.headDim())));
        createLayers();
        fill();
    }

    /** Layers of the same small weights; attention needs no more of them than their number and the sizes of the heads. */
    private void createLayers() {
        SplittableRandom random = new SplittableRandom(SEED);
        HeadShape heads = shape.heads;
        DeviceFloats norm = resources.own(backend.createFloats(DIM));
        float[] ones = new float[DIM];
        Arrays.fill(ones, 1f);
        norm.upload(0, ones, 0, DIM);
        Projection q = matrix(heads.qDim(), DIM, random);
        Projection k = matrix(heads.kvDim(), DIM, random);
        Projection v = matrix(heads.kvDim(), DIM, random);
        Projection o = matrix(DIM, heads.qDim(), random);
        Projection gate = matrix(1, DIM, random);
        Projection down = matrix(DIM, 1, random);
        for (int i = 0; i < shape.layers; i++) {
            layers.add(backend.createLayer(new LayerWeights(
                    i, heads.heads(), heads.kvHeads(), heads.headDim(), NORM_EPS, norm, q, k, v, o, norm, gate, gate, down, 0)));
        }
    }

    private Projection matrix(int rows, int columns, SplittableRandom random) {
        WeightMatrix matrix = resources.own(backend.createMatrix(TensorType.F32, rows, columns));
        try (RandomWeights weights = new RandomWeights(TensorType.F32, columns, random)) {
            weights.upload(matrix);
        }
        return Projection.of(matrix);
    }

    private void fill() {
        int most = Math.min(PASS_COLUMNS, shape.positions());
        try (Resources passing = new Resources()) {
            Batch batch = passing.own(backend.createBatch(new BatchCapacity(most, 1, shape.pagesPerSequence(), shape.heads.headDim())));
            DeviceFloats x = passing.own(backend.createFloats((long) most * DIM));
            DeviceFloats q = passing.own(backend.createFloats((long) most * shape.heads.qDim()));
            for (int s = 0; s < shape.sequences.length; s++) {
                SplittableRandom random = new SplittableRandom(SEED + 1 + shape.sequences[s]);
                for (int first = 0; first < shape.positions(); first += most) {
                    int count = Math.min(most, shape.positions() - first);
                    float[] values = RandomWeights.normal(count * DIM, 1, random);
                    x.upload(0, values, 0, values.length);
                    batch.clear();
                    addColumns(batch, s, first, count);
                    batch.upload();
                    layers.forEach(layer -> backend.qkv(layer, batch, x, kv, q));
                }
            }
        }
    }

    /** A sequence with its pages, scattered over the pool, and some of its positions. Angles are 0: what RoPE does is not attention's affair. */
    private void addColumns(Batch batch, int sequence, int first, int count) {
        int[] pages = new int[shape.pagesPerSequence()];
        Arrays.setAll(pages, page -> page * shape.sequences.length + sequence);
        int row = batch.addSequence(pages, pages.length);
        for (int i = 0; i < count; i++) {
            int column = batch.addColumn(0, first + i, row, false);
            int angles = column * shape.heads.headDim();
            for (int pair = 0; pair < shape.heads.headDim(); pair += 2) {
                batch.rope()[angles + pair] = 1f;
                batch.rope()[angles + pair + 1] = 0f;
            }
        }
    }

    /**
     * Columns with their queries, and room for their results; owned by this.
     *
     * @param chosen numbers of columns of every sequence, from 0, ascending
     */
    Columns columns(int[] chosen) {
        int count = shape.sequences.length * chosen.length;
        int qDim = shape.heads.qDim();
        Batch batch = resources.own(backend.createBatch(
                new BatchCapacity(count, shape.sequences.length, shape.pagesPerSequence(), shape.heads.headDim())));
        float[] queries = new float[Math.multiplyExact(count, qDim)];
        int column = 0;
        for (int s = 0; s < shape.sequences.length; s++) {
            addColumns(batch, s, 0, 0);
            for (int c : chosen) {
                batch.addColumn(0, shape.position + c, s, false);
                long seed = SEED * (shape.sequences[s] + 2L) + c;
                System.arraycopy(RandomWeights.normal(qDim, 1, new SplittableRandom(seed)), 0, queries, column++ * qDim, qDim);
            }
        }
        batch.upload();
        DeviceFloats q = resources.own(backend.createFloats(queries.length));
        q.upload(0, queries, 0, queries.length);
        return new Columns(batch, q, resources.own(backend.createFloats(queries.length)));
    }

    /**
     * What one stage works on.
     *
     * @param q queries, {@code [columns][qDim]}
     * @param out results, of the same shape
     */
    record Columns(Batch batch, DeviceFloats q, DeviceFloats out) {
        /** {@return the results} */
        float[] results() {
            float[] values = new float[Math.toIntExact(out.count())];
            out.download(0, values, 0, values.length);
            return values;
        }
    }

    void attend(int layer, Columns columns) {
        backend.attention(layers.get(layer), columns.batch, columns.q, kv, columns.out);
    }

    @Override
    public void close() {
        resources.close();
    }
}
