package dev.yangtuo.kernel;

import dev.yangtuo.exception.KernelException;
import dev.yangtuo.tensor.BlockCodec;
import dev.yangtuo.tensor.RowCodec;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The reference: the arithmetic of {@code docs/kernels.md} in the plainest Java that says it. Also the fallback where the native
 * library cannot be loaded; then rows and heads are divided among the threads of the common pool.
 */
public final class ScalarBackend implements Backend {
    /** Rows that one task of a product works on. */
    private static final int TASK_ROWS = 64;

    private final int threads;
    private boolean closed;

    /** @param threads 1 keeps everything on the calling thread; more uses the common pool */
    public ScalarBackend(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads is %d, must be at least 1".formatted(threads));
        }
        this.threads = threads;
    }

    @Override
    public String name() {
        return "scalar";
    }

    @Override
    public int threads() {
        return threads;
    }

    @Override
    public DeviceFloats createFloats(long count) {
        requireOpen();
        return new ScalarFloats(count);
    }

    /** None: rows are kept as they are stored, so a file of them would be the model's own. */
    @Override
    public @Nullable PackedFiles packedFiles() {
        return null;
    }

    @Override
    public WeightMatrix createMatrix(TensorType type, long rows, int columns) {
        requireOpen();
        return new ScalarMatrix(type, rows, columns);
    }

    @Override
    public void encodeRows(TensorType type, float[] values, int rows, int columns, MemorySegment target) {
        requireOpen();
        Encoding.check(type, values, rows, columns, target);
        RowCodec.encodeRows(type, values, 0, rows, columns, target, 0);
    }

    @Override
    public long firstNotFinite(TensorType type, MemorySegment stored) {
        requireOpen();
        return RowCodec.firstNotFinite(type, stored);
    }

    @Override
    public KvPool createKvPool(KvShape shape) {
        requireOpen();
        return new ScalarKvPool(shape);
    }

    @Override
    public Batch createBatch(BatchCapacity capacity) {
        requireOpen();
        return new ScalarBatch(capacity);
    }

    @Override
    public Candidates createCandidates() {
        requireOpen();
        return new ScalarCandidates();
    }

    @Override
    public Layer createLayer(LayerWeights weights) {
        requireOpen();
        return new ScalarLayer(weights);
    }

    @Override
    public OutputLayer createOutputLayer(OutputWeights weights) {
        requireOpen();
        return new ScalarOutputLayer(weights);
    }

    @Override
    public void embed(WeightMatrix table, Batch batch, DeviceFloats x) {
        requireOpen();
        int dim = table.columns();
        float[] out = floats(x, (long) batch.columnCount() * dim);
        for (int c = 0; c < batch.columnCount(); c++) {
            if (batch.tokens[c] < 0 || batch.tokens[c] >= table.rows()) {
                throw new IllegalArgumentException("token %d is outside the vocabulary of %d".formatted(batch.tokens[c], table.rows()));
            }
            ((ScalarMatrix) table).decodeRow(batch.tokens[c], out, c * dim);
        }
    }

    @Override
    public void qkv(Layer layer, Batch batch, DeviceFloats x, KvPool kv, DeviceFloats q) {
        requireOpen();
        LayerWeights w = layer.weights();
        int n = batch.columnCount();
        int headDim = w.headDim();
        int qDim = w.nHeads() * headDim;
        int kvDim = w.nKvHeads() * headDim;
        ScalarKvPool pool = checkedPool(kv, batch, w);
        float[] norm = normalize(floats(x, (long) n * w.q().weight().columns()), n, w.attentionNorm(), w.normEps());
        float[] queries = floats(q, (long) n * qDim);
        float[] keys = new float[n * kvDim];
        float[] values = new float[n * kvDim];
        multiply(w.q(), norm, n, queries);
        multiply(w.k(), norm, n, keys);
        multiply(w.v(), norm, n, values);
        for (int c = 0; c < n; c++) {
            int position = batch.positions[c];
            int page = pageOf(batch, c, position, pool.shape());
            for (int head = 0; head < w.nHeads(); head++) {
                rotate(queries, c * qDim + head * headDim, headDim, batch.rope, c * headDim);
            }
            for (int head = 0; head < w.nKvHeads(); head++) {
                int offset = c * kvDim + head * headDim;
                rotate(keys, offset, headDim, batch.rope, c * headDim);
                int inPage = position % pool.shape().pagePositions();
                pool.write(page, w.index(), head, false, inPage, keys, offset);
                pool.write(page, w.index(), head, true, inPage, values, offset);
            }
        }
    }

    /** RoPE, Su et al., arXiv 2104.09864: elements 2j and 2j + 1 of a head turn by the j-th angle. */
    private static void rotate(float[] head, int offset, int headDim, float[] rope, int ropeOffset) {
        for (int i = 0; i < headDim; i += 2) {
            float a = head[offset + i];
            float b = head[offset + i + 1];
            float cosine = rope[ropeOffset + i];
            float sine = rope[ropeOffset + i + 1];
            head[offset + i] = Math.fma(a, cosine, -(b * sine));
            head[offset + i + 1] = Math.fma(a, sine, b * cosine);
        }
    }

    @Override
    public void attention(Layer layer, Batch batch, DeviceFloats q, KvPool kv, DeviceFloats out) {
        requireOpen();
        LayerWeights w = layer.weights();
        int n = batch.columnCount();
        int qDim = w.nHeads() * w.headDim();
        ScalarKvPool pool = checkedPool(kv, batch, w);
        float[] queries = floats(q, (long) n * qDim);
        float[] result = floats(out, (long) n * qDim);
        inParallel(n * w.nHeads(), item -> new ScalarAttention(w, batch, pool, item / w.nHeads(), item % w.nHeads()).attend(queries, result));
    }

    @Override
    public void qkvAttention(Layer layer, Batch batch, DeviceFloats x, KvPool kv, DeviceFloats q, DeviceFloats out) {
        qkv(layer, batch, x, kv, q);
        attention(layer, batch, q, kv, out);
    }

    @Override
    public void attentionOutput(Layer layer, Batch batch, DeviceFloats attention, DeviceFloats x) {
        requireOpen();
        addProduct(layer.weights().o(), attention, batch.columnCount(), x);
    }

    @Override
    public void gateUp(Layer layer, Batch batch, DeviceFloats x, DeviceFloats hidden) {
        requireOpen();
        LayerWeights w = layer.weights();
        int n = batch.columnCount();
        int hiddenDim = Math.toIntExact(w.gate().weight().rows());
        float[] norm = normalize(floats(x, (long) n * w.gate().weight().columns()), n, w.ffnNorm(), w.normEps());
        float[] gate = floats(hidden, (long) n * hiddenDim);
        float[] up = new float[n * hiddenDim];
        multiply(w.gate(), norm, n, gate);
        multiply(w.up(), norm, n, up);
        for (int i = 0; i < n * hiddenDim; i++) {
            gate[i] = ScalarMath.swiGlu(gate[i], up[i]);
        }
    }

    @Override
    public void down(Layer layer, Batch batch, DeviceFloats hidden, DeviceFloats x) {
        requireOpen();
        addProduct(layer.weights().down(), hidden, batch.columnCount(), x);
    }

    @Override
    public void logits(OutputLayer output, Batch batch, DeviceFloats x, DeviceFloats logits) {
        requireOpen();
        OutputWeights w = output.weights();
        int dim = w.matrix().columns();
        int n = batch.outputCount();
        float[] all = floats(x, (long) batch.columnCount() * dim);
        float[] chosen = new float[n * dim];
        for (int i = 0; i < n; i++) {
            System.arraycopy(all, batch.outputs[i] * dim, chosen, i * dim, dim);
        }
        multiply((ScalarMatrix) w.matrix(), normalize(chosen, n, w.norm(), w.normEps()), n, floats(logits, n * w.matrix().rows()));
    }

    @Override
    public void logits(OutputLayer output, Batch batch, DeviceFloats x, DeviceFloats logits, Candidates candidates) {
        candidates.requireOutputs(batch.outputCount());
        int vocabSize = Math.toIntExact(output.weights().matrix().rows());
        if (candidates.choices() > vocabSize) {
            throw new IllegalArgumentException("candidates of %d are wanted, there are %d".formatted(candidates.choices(), vocabSize));
        }
        logits(output, batch, x, logits);
        ((ScalarCandidates) candidates).choose(floats(logits, (long) batch.outputCount() * vocabSize), vocabSize);
    }

    private void addProduct(Projection projection, DeviceFloats input, int n, DeviceFloats x) {
        int rows = Math.toIntExact(projection.weight().rows());
        float[] sum = floats(x, (long) n * rows);
        float[] product = new float[n * rows];
        multiply(projection, floats(input, (long) n * projection.weight().columns()), n, product);
        for (int i = 0; i < n * rows; i++) {
            sum[i] = sum[i] + product[i];
        }
    }

    private static float[] normalize(float[] x, int n, DeviceFloats weight, float eps) {
        float[] weights = ((ScalarFloats) weight).values();
        float[] out = new float[n * weights.length];
        for (int c = 0; c < n; c++) {
            ScalarMath.rmsNorm(x, c * weights.length, weights, eps, out, c * weights.length);
        }
        return out;
    }

    /** {@code out[c][r] = weight[r] . input[c] + bias[r]} for {@code n} columns. */
    private void multiply(Projection projection, float[] input, int n, float[] out) {
        multiply((ScalarMatrix) projection.weight(), input, n, out);
        if (projection.bias() instanceof ScalarFloats floats) {
            float[] bias = floats.values();
            for (int i = 0; i < n * bias.length; i++) {
                out[i] = out[i] + bias[i % bias.length];
            }
        }
    }

    private void multiply(ScalarMatrix matrix, float[] input, int n, float[] out) {
        int rows = Math.toIntExact(matrix.rows());
        int tasks = (rows + TASK_ROWS - 1) / TASK_ROWS;
        if (!matrix.isQuantized()) {
            boolean pairs = matrix.type() == TensorType.BF16;
            float[] x = pairs ? ScalarMath.roundToBfloat16(input, n * matrix.columns()) : input;
            Dot dot = pairs ? ScalarMath::dotOfPairs : ScalarMath::dot;
            inParallel(tasks, task -> multiplyFloat(matrix, task * TASK_ROWS, Math.min(rows, (task + 1) * TASK_ROWS), x, n, dot, out));
            return;
        }
        byte[][] q = new byte[n][matrix.columns()];
        float[][] scales = new float[n][matrix.columns() / ScalarMath.BLOCK];
        for (int c = 0; c < n; c++) {
            ScalarMath.quantize(input, c * matrix.columns(), matrix.columns(), q[c], scales[c]);
        }
        inParallel(tasks, task -> multiplyQuantized(matrix, task * TASK_ROWS, Math.min(rows, (task + 1) * TASK_ROWS), q, scales, out));
    }

    /** Multiplies all weights of a row with as many activations from an offset on. */
    private interface Dot {
        float of(float[] weights, float[] x, int offset);
    }

    private static void multiplyFloat(ScalarMatrix matrix, int firstRow, int endRow, float[] input, int n, Dot dot, float[] out) {
        int columns = matrix.columns();
        int rows = (int) matrix.rows();
        float[] weights = new float[columns];
        for (int row = firstRow; row < endRow; row++) {
            matrix.decodeRow(row, weights, 0);
            for (int c = 0; c < n; c++) {
                out[c * rows + row] = dot.of(weights, input, c * columns);
            }
        }
    }

    private static void multiplyQuantized(ScalarMatrix matrix, int firstRow, int endRow, byte[][] q, float[][] scales, float[] out) {
        BlockCodec codec = BlockCodec.of(matrix.type());
        int rows = (int) matrix.rows();
        ScalarMatrix.QuantizedRow w = matrix.newQuantizedRow();
        for (int row = firstRow; row < endRow; row++) {
            matrix.unpackRow(row, w);
            for (int c = 0; c < q.length; c++) {
                float acc = 0f;
                for (int block = 0; block < scales[c].length; block++) {
                    acc = addBlock(codec, w, block, q[c], scales[c][block], acc);
                }
                out[c * rows + row] = acc;
            }
        }
    }

    /** Adds the product of 32 inputs: one part, or two of 16. */
    private static float addBlock(BlockCodec codec, ScalarMatrix.QuantizedRow w, int block, byte[] activations, float d, float acc) {
        int part = codec.partElements();
        int parts = ScalarMath.BLOCK / part;
        int first = block * parts;
        float sum = 0f;
        float[] minusSums = new float[parts];
        for (int p = 0; p < parts; p++) {
            int exact = 0;
            int activationSum = 0;
            for (int i = (first + p) * part; i < (first + p + 1) * part; i++) {
                exact += w.q()[i] * activations[i];
                activationSum += activations[i];
            }
            sum = p == 0 ? exact * w.scales()[first] : Math.fma((float) exact, w.scales()[first + p], sum);
            minusSums[p] = d * -activationSum;
        }
        float result = Math.fma(sum, d, acc);
        for (int p = 0; codec.hasMinimums() && p < parts; p++) {
            result = Math.fma(minusSums[p], w.minimums()[first + p], result);
        }
        return result;
    }

    private void inParallel(int tasks, IntConsumer task) {
        IntStream range = IntStream.range(0, tasks);
        (threads > 1 ? range.parallel() : range).forEach(task);
    }

    private static float[] floats(DeviceFloats buffer, long atLeast) {
        float[] values = ((ScalarFloats) buffer).values();
        if (values.length < atLeast) {
            throw new IllegalArgumentException("a buffer of %d elements is too small, %d are needed".formatted(values.length, atLeast));
        }
        return values;
    }

    private static ScalarKvPool checkedPool(KvPool kv, Batch batch, LayerWeights w) {
        KvShape shape = kv.shape();
        if (w.index() >= shape.layers() || w.nKvHeads() != shape.kvHeads() || w.headDim() != shape.headDim()
                || batch.capacity().headDim() != w.headDim()) {
            throw new IllegalArgumentException("layer %d with %d key/value heads of %d elements does not fit %s and %s"
                    .formatted(w.index(), w.nKvHeads(), w.headDim(), shape, batch.capacity()));
        }
        return (ScalarKvPool) kv;
    }

    /** The page of a position of a column's sequence. */
    static int pageOf(Batch batch, int column, int position, KvShape shape) {
        int index = position / shape.pagePositions();
        if (index >= batch.capacity().pagesPerSequence()) {
            throw new IllegalArgumentException("position %d is beyond the %d pages of a sequence"
                    .formatted(position, batch.capacity().pagesPerSequence()));
        }
        int page = batch.pageTable[batch.sequences[column] * batch.capacity().pagesPerSequence() + index];
        if (page < 0 || page >= shape.pages()) {
            throw new IllegalArgumentException("page %d is outside the pool of %d".formatted(page, shape.pages()));
        }
        return page;
    }

    /** Zeroed off-heap memory; a failure names the bytes. */
    static MemorySegment allocate(Arena arena, long byteSize) {
        try {
            return arena.allocate(byteSize, Long.BYTES);
        } catch (OutOfMemoryError e) {
            throw new KernelException("out of memory: %d bytes for a weight matrix could not be had".formatted(byteSize));
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the backend is closed");
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
