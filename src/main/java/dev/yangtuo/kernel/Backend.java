package dev.yangtuo.kernel;

import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * A device that computes the stages of a LLaMA forward pass, and its memory. Matrices, buffers and pools belong to the backend that made
 * them and must be closed before it. Stages are called by one thread at a time; uploads into different rows of a matrix may run
 * concurrently. All stages check shapes and ranges and throw {@link IllegalArgumentException} when they do not fit each other; a failure
 * of the device itself is a {@link dev.yangtuo.exception.KernelException}; use after close is an {@link IllegalStateException}.
 *
 * <p>Shapes: a column is one token of the batch; activations are float32 {@code [columns][width]}, row-major. {@code dim} is the width of the
 * residual stream {@code x}, {@code qDim = nHeads * headDim}, {@code kvDim = nKvHeads * headDim}.
 */
public sealed interface Backend extends AutoCloseable permits NativeBackend, ScalarBackend {
    /** What computes, for people: {@code "native avx512"}, {@code "scalar"}, {@code "cuda:0 NVIDIA H200"}. */
    String name();

    /** Threads that a stage is divided among, the calling one included. */
    int threads();

    /** Zeroed float32 memory of {@code count >= 1} elements. */
    DeviceFloats createFloats(long count);

    /**
     * A zeroed weight matrix.
     *
     * @param columns for quantized types a multiple of the type's block
     */
    WeightMatrix createMatrix(TensorType type, long rows, int columns);

    /** Packed matrices in files; null if this backend has none. */
    @Nullable PackedFiles packedFiles();

    /**
     * Stores rows in host memory, on the calling thread alone; any number of threads may do so at the same time, and during a stage. Every backend stores the
     * same bytes: those of {@link dev.yangtuo.tensor.RowCodec#encodeRows}.
     *
     * @param values {@code rows * columns} finite values, row-major, from 0 on
     * @param target off-heap memory of exactly {@code rows * type.rowBytes(columns)} bytes
     * @throws IllegalArgumentException if sizes do not fit each other, or the type can only be read
     */
    void encodeRows(TensorType type, float[] values, int rows, int columns, MemorySegment target);

    /**
     * Finds damage in stored rows; any number of threads may do so at the same time, and during a stage.
     *
     * @param stored off-heap memory with whole blocks of the type
     * @return the number of the first block, or value of a type without blocks, that is or can only give NaN or infinite values; -1 if there is none
     */
    long firstNotFinite(TensorType type, MemorySegment stored);

    /** Memory for keys and values, reserved at once and taken from the system as positions are written. */
    KvPool createKvPool(KvShape shape);

    /** Room for the inputs of forward passes of up to this size. */
    Batch createBatch(BatchCapacity capacity);

    /** Room for candidates, to be filled by {@link #logits(OutputLayer, Batch, DeviceFloats, DeviceFloats, Candidates)}. */
    Candidates createCandidates();

    /** Binds the weights of one layer so that a stage needs one argument for them. The matrices stay the caller's. */
    Layer createLayer(LayerWeights weights);

    /** Binds the weights of the end of the model. The matrix stays the caller's. */
    OutputLayer createOutputLayer(OutputWeights weights);

    /** {@code x[c] = table[token of c]}, widened to float32. */
    void embed(WeightMatrix table, Batch batch, DeviceFloats x);

    /** {@code q = rope(wq rmsNorm(x))}; {@code rope(wk rmsNorm(x))} and {@code wv rmsNorm(x)} are appended to {@code kv}. */
    void qkv(Layer layer, Batch batch, DeviceFloats x, KvPool kv, DeviceFloats q);

    /** {@code out = softmax(q k / sqrt(headDim)) v}, per head, over the positions 0 to the column's own. */
    void attention(Layer layer, Batch batch, DeviceFloats q, KvPool kv, DeviceFloats out);

    /** {@link #qkv} and {@link #attention} in one: for a forward pass, which so waits for all threads once less. {@code q} is left as by the first. */
    void qkvAttention(Layer layer, Batch batch, DeviceFloats x, KvPool kv, DeviceFloats q, DeviceFloats out);

    /** {@code x += wo attention}. */
    void attentionOutput(Layer layer, Batch batch, DeviceFloats attention, DeviceFloats x);

    /** {@code hidden = silu(wGate n) * (wUp n)} with {@code n = rmsNorm(x)}. */
    void gateUp(Layer layer, Batch batch, DeviceFloats x, DeviceFloats hidden);

    /** {@code x += wDown hidden}. */
    void down(Layer layer, Batch batch, DeviceFloats hidden, DeviceFloats x);

    /** {@code logits[i] = matrix rmsNorm(x[i-th output column of the batch])}. */
    void logits(OutputLayer output, Batch batch, DeviceFloats x, DeviceFloats logits);

    /**
     * The same; then makes the edits of {@code candidates} to {@code logits}, and chooses the best of them.
     *
     * @param candidates with as many outputs as the batch; receives what was chosen
     */
    void logits(OutputLayer output, Batch batch, DeviceFloats x, DeviceFloats logits, Candidates candidates);

    /** Ends the backend's threads and frees its scratch memory. Closing twice is harmless. */
    @Override
    void close();
}
