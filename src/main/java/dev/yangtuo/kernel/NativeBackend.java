package dev.yangtuo.kernel;

import dev.yangtuo.bindings.YangtuoNative;
import dev.yangtuo.bindings.yt_kv_shape;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The native library as a backend: each stage is one call. */
public final class NativeBackend implements Backend {
    /** Values that are encoded in one call, unless a row has more. */
    private static final int ENCODED_ELEMENTS = 1 << 15;

    /** As the C library's own calls take paths: in the bytes of the file system's encoding. */
    static final Charset FILE_NAMES = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));

    private final NativeHandle context;
    private final String name;
    private final int threads;

    private NativeBackend(NativeHandle context, String name, int threads) {
        this.context = context;
        this.name = name;
        this.threads = threads;
    }

    /**
     * Loads the library, if that has not happened yet, and creates its threads.
     *
     * @throws dev.yangtuo.exception.NativeLibraryException if the library cannot be loaded
     * @throws dev.yangtuo.exception.KernelException if the environment variable {@code YANGTUO_KERNEL} forces kernels that do not exist or that
     *     this processor cannot run, or if threads cannot be had
     */
    public static NativeBackend open(int threads) {
        return open(threads, null);
    }

    /**
     * The same with kernels chosen by name.
     *
     * @param kernel one of {@link #kernelNames()}; null for the environment variable's choice, or the best
     */
    public static NativeBackend open(int threads, @Nullable String kernel) {
        NativeLibrary.load();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = kernel == null ? MemorySegment.NULL : arena.allocateFrom(kernel);
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            NativeStatus.check(YangtuoNative.yt_context_create(name, threads, out));
            NativeHandle context = contextHandle(out);
            return new NativeBackend(context, "native " + YangtuoNative.yt_context_kernel(context.address()).getString(0), threads);
        }
    }

    /**
     * Opens a device, and the library of its kernels, if that has not happened yet. Matrices, buffers and pools of the backend are in the device's memory, where a pool is
     * taken at once; its stages may return before they are computed, and a failure may be reported by a later one, or by a download.
     *
     * @throws dev.yangtuo.exception.NativeLibraryException if the library cannot be opened
     * @throws dev.yangtuo.exception.KernelException if the device cannot be used
     */
    public static NativeBackend open(Device device) {
        DeviceLibrary.open();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            NativeStatus.check(YangtuoNative.yt_device_context_create(device.number(), out));
            return new NativeBackend(contextHandle(out), "%s %s".formatted(device.id(), device.name()), 1);
        }
    }

    private static NativeHandle contextHandle(MemorySegment out) {
        return new NativeHandle("backend", out.get(ValueLayout.ADDRESS, 0), null, YangtuoNative::yt_context_destroy);
    }

    /** Names of the kernels that the library holds, the best last. */
    public static List<String> kernelNames() {
        NativeLibrary.load();
        return List.of(YangtuoNative.yt_kernel_names().getString(0).split(" "));
    }

    /** Whether processor and operating system can run these kernels. */
    public static boolean isSupported(String kernel) {
        NativeLibrary.load();
        try (Arena arena = Arena.ofConfined()) {
            return YangtuoNative.yt_kernel_supported(arena.allocateFrom(kernel)) == 1;
        }
    }

    /** How often matrix kernels of this name have run in this process. */
    public static long kernelCalls(String kernel) {
        NativeLibrary.load();
        try (Arena arena = Arena.ofConfined()) {
            return YangtuoNative.yt_kernel_calls(arena.allocateFrom(kernel));
        }
    }

    /** Features of the processor that kernels care about, separated by spaces. */
    public static String cpuFeatures() {
        NativeLibrary.load();
        return YangtuoNative.yt_cpu_features().getString(0);
    }

    /** @throws IllegalStateException if the backend is closed */
    MemorySegment context() {
        return context.address();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int threads() {
        return threads;
    }

    /** What a native constructor does: fills {@code out} and returns a status. */
    private interface Constructor {
        int create(MemorySegment context, MemorySegment out);
    }

    private NativeHandle create(String what, Constructor constructor, Consumer<MemorySegment> destroy) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            NativeStatus.check(constructor.create(context.address(), out));
            return new NativeHandle(what, out.get(ValueLayout.ADDRESS, 0), context, destroy);
        }
    }

    NativeHandle createBuffer(long byteSize) {
        return create("buffer", (owner, out) -> YangtuoNative.yt_buffer_create(owner, byteSize, out), YangtuoNative::yt_buffer_destroy);
    }

    @Override
    public DeviceFloats createFloats(long count) {
        if (count > Long.MAX_VALUE / Float.BYTES) {
            throw new IllegalArgumentException("a buffer of %d elements is not possible".formatted(count));
        }
        return new NativeFloats(createBuffer(count * Float.BYTES), count);
    }

    @Override
    public WeightMatrix createMatrix(TensorType type, long rows, int columns) {
        NativeHandle handle = create(
                "matrix",
                (owner, out) -> YangtuoNative.yt_matrix_create(owner, NativeMatrix.typeNumber(type), rows, columns, out),
                YangtuoNative::yt_matrix_destroy);
        return new NativeMatrix(handle, type, rows, columns);
    }

    @Override
    public PackedFiles packedFiles() {
        return new NativePackedFiles(this);
    }

    WeightMatrix mapMatrix(TensorType type, long rows, int columns, Path file, long byteOffset) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom(file.toString(), FILE_NAMES);
            NativeHandle handle = create(
                    "matrix",
                    (owner, out) -> YangtuoNative.yt_matrix_map(owner, NativeMatrix.typeNumber(type), rows, columns, path, byteOffset, out),
                    YangtuoNative::yt_matrix_destroy);
            return new NativeMatrix(handle, type, rows, columns);
        }
    }

    /** Values pass through off-heap memory, some rows at a time, so that they stay in the cache until they have been read. */
    @Override
    public void encodeRows(TensorType type, float[] values, int rows, int columns, MemorySegment target) {
        Encoding.check(type, values, rows, columns, target);
        if (rows == 0) {
            return;
        }
        long rowBytes = type.rowBytes(columns);
        int pieceRows = Math.clamp(ENCODED_ELEMENTS / columns, 1, rows);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment piece = arena.allocate((long) pieceRows * columns * Float.BYTES, Float.BYTES);
            for (int row = 0; row < rows; row += pieceRows) {
                int count = Math.min(pieceRows, rows - row);
                MemorySegment.copy(values, row * columns, piece, ValueLayout.JAVA_FLOAT, 0, count * columns);
                NativeStatus.check(YangtuoNative.yt_encode_rows(context.address(), NativeMatrix.typeNumber(type), piece, count, columns,
                        target.asSlice(row * rowBytes, count * rowBytes), count * rowBytes));
            }
        }
    }

    @Override
    public long firstNotFinite(TensorType type, MemorySegment stored) {
        context.address();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment block = arena.allocate(ValueLayout.JAVA_LONG);
            NativeStatus.check(YangtuoNative.yt_first_not_finite(NativeMatrix.typeNumber(type), stored, stored.byteSize(), block));
            return block.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    @Override
    public KvPool createKvPool(KvShape shape) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = yt_kv_shape.allocate(arena);
            yt_kv_shape.type(struct, NativeMatrix.typeNumber(shape.type()));
            yt_kv_shape.page_positions(struct, shape.pagePositions());
            yt_kv_shape.n_pages(struct, shape.pages());
            yt_kv_shape.n_layers(struct, shape.layers());
            yt_kv_shape.n_kv_heads(struct, shape.kvHeads());
            yt_kv_shape.head_dim(struct, shape.headDim());
            NativeHandle handle = create(
                    "key/value pool", (owner, out) -> YangtuoNative.yt_kv_create(owner, struct, out), YangtuoNative::yt_kv_destroy);
            return new NativeKvPool(handle, shape);
        }
    }

    @Override
    public Batch createBatch(BatchCapacity capacity) {
        return new NativeBatch(this, capacity);
    }

    @Override
    public Candidates createCandidates() {
        context.address();
        return new NativeCandidates(this);
    }

    @Override
    public Layer createLayer(LayerWeights weights) {
        return NativeLayer.of(weights);
    }

    @Override
    public OutputLayer createOutputLayer(OutputWeights weights) {
        return NativeOutputLayer.of(weights);
    }

    @Override
    public void embed(WeightMatrix table, Batch batch, DeviceFloats x) {
        NativeStatus.check(YangtuoNative.yt_embed(context.address(), ((NativeMatrix) table).address(), struct(batch), address(x)));
    }

    @Override
    public void qkv(Layer layer, Batch batch, DeviceFloats x, KvPool kv, DeviceFloats q) {
        NativeStatus.check(YangtuoNative.yt_qkv(context.address(), struct(layer), struct(batch), address(x), address(kv), address(q)));
    }

    @Override
    public void attention(Layer layer, Batch batch, DeviceFloats q, KvPool kv, DeviceFloats out) {
        NativeStatus.check(YangtuoNative.yt_attention(context.address(), struct(layer), struct(batch), address(q), address(kv), address(out)));
    }

    @Override
    public void qkvAttention(Layer layer, Batch batch, DeviceFloats x, KvPool kv, DeviceFloats q, DeviceFloats out) {
        NativeStatus.check(YangtuoNative.yt_qkv_attention(
                context.address(), struct(layer), struct(batch), address(x), address(kv), address(q), address(out)));
    }

    @Override
    public void attentionOutput(Layer layer, Batch batch, DeviceFloats attention, DeviceFloats x) {
        NativeStatus.check(YangtuoNative.yt_attention_output(context.address(), struct(layer), struct(batch), address(attention), address(x)));
    }

    @Override
    public void gateUp(Layer layer, Batch batch, DeviceFloats x, DeviceFloats hidden) {
        NativeStatus.check(YangtuoNative.yt_gate_up(context.address(), struct(layer), struct(batch), address(x), address(hidden)));
    }

    @Override
    public void down(Layer layer, Batch batch, DeviceFloats hidden, DeviceFloats x) {
        NativeStatus.check(YangtuoNative.yt_down(context.address(), struct(layer), struct(batch), address(hidden), address(x)));
    }

    @Override
    public void logits(OutputLayer output, Batch batch, DeviceFloats x, DeviceFloats logits) {
        logits(output, batch, x, logits, MemorySegment.NULL);
    }

    @Override
    public void logits(OutputLayer output, Batch batch, DeviceFloats x, DeviceFloats logits, Candidates candidates) {
        candidates.requireOutputs(batch.outputCount());
        NativeCandidates wanted = (NativeCandidates) candidates;
        logits(output, batch, x, logits, wanted.upload());
        wanted.download();
    }

    private void logits(OutputLayer output, Batch batch, DeviceFloats x, DeviceFloats logits, MemorySegment candidates) {
        MemorySegment struct = ((NativeOutputLayer) output).checkedStruct();
        MemorySegment columns = ((NativeBatch) batch).outputColumns();
        NativeStatus.check(YangtuoNative.yt_logits(
                context.address(), struct, address(x), batch.outputCount(), columns, address(logits), candidates));
    }

    private static MemorySegment address(DeviceFloats floats) {
        return ((NativeFloats) floats).address();
    }

    private static MemorySegment address(KvPool kv) {
        return ((NativeKvPool) kv).address();
    }

    private static MemorySegment struct(Layer layer) {
        return ((NativeLayer) layer).checkedStruct();
    }

    private static MemorySegment struct(Batch batch) {
        return ((NativeBatch) batch).checkedStruct();
    }

    @Override
    public void close() {
        context.close();
    }
}
