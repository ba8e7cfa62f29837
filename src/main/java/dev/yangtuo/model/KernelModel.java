package dev.yangtuo.model;

import dev.yangtuo.exception.DeviceException;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.kernel.Batch;
import dev.yangtuo.kernel.BatchCapacity;
import dev.yangtuo.kernel.Candidates;
import dev.yangtuo.kernel.DeviceFloats;
import dev.yangtuo.kernel.DividedKvPool;
import dev.yangtuo.kernel.KvPool;
import dev.yangtuo.kernel.KvShape;
import dev.yangtuo.kernel.OutputLayer;
import dev.yangtuo.kernel.RmsNorm;
import dev.yangtuo.tensor.TensorType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Yangtuo's own engine: packed weights, paged key/value memory, and the forward pass as stages of backends, which it owns: of one, or of several in turn. */
public final class KernelModel implements Model {
    /** Columns of one forward pass; longer prompts are cut. */
    private static final int MAX_COLUMNS = 256;
    /** The same where no layer is on the processor: a GPU has enough to do only with more. */
    private static final int MAX_DEVICE_COLUMNS = 1024;
    /** Columns of a forward pass that wants every column's logits, so that these stay below some tens of megabytes. */
    private static final int MAX_OUTPUT_COLUMNS = 64;
    /** Of a device's attention: positions that a block takes at a time, and what the sums of all blocks take at most, in rows and in bytes. */
    private static final int ATTENTION_SPAN = 256;
    private static final long MAX_ATTENTION_ROWS = 512 * 64;
    private static final long MAX_ATTENTION_BYTES = 64L << 20;
    private static final BooleanSupplier ALWAYS = () -> true;

    private final ModelConfig config;
    private final Placement placement;
    private final ModelWeights weights;
    private final LayerRange[] ranges;
    /** The last of them, whose batch is filled first, and whose backend has the output matrix. */
    private final LayerRange last;
    private final KvCache kvCache;
    private final Rope rope;
    private final RmsNorm outputNorm;
    private final Batch batch;
    /** What goes from one range to the next; empty where there is one. */
    private final float[] passing;
    private final ReentrantLock lock = new ReentrantLock();
    private final PassResult result = new Result(false);
    private final PassResult resultWithCandidates = new Result(true);
    private volatile boolean closed;
    /** What a device said when it failed. */
    private volatile @Nullable String deviceFailure;

    private final Candidates candidates;
    /** Float32 [outputs][vocabSize]; made when first wanted, replaced when more outputs are. */
    private @Nullable DeviceFloats logits;

    /**
     * Takes ownership of {@code placement} and {@code weights}, also when it fails.
     *
     * @param kvType one of {@link dev.yangtuo.kernel.KvShape#TYPES}
     * @param contextLength positions that a sequence can have
     * @param maxSequences sequences of one forward pass at most
     * @param kvPages pages of keys and values that all sequences share
     */
    KernelModel(ModelConfig config, Placement placement, ModelWeights weights, TensorType kvType, int contextLength, int maxSequences, int kvPages) {
        this.config = config;
        this.placement = placement;
        this.weights = weights;
        this.rope = Rope.of(config.headDim(), config.rope());
        try (var undo = new CloseStack()) {
            undo.push(placement);
            undo.push(weights);
            outputNorm = RmsNorm.of(weights.output().weights());
            int columns = columns(contextLength, maxSequences, placement.division().isOnDevicesAlone());
            int sequences = Math.min(columns, maxSequences);
            KvShape shape = new KvShape(kvType, KvCache.PAGE_POSITIONS, kvPages, config.nLayers(), config.nKvHeads(), config.headDim());
            List<KvPool> pools = new ArrayList<>();
            BatchCapacity capacity = new BatchCapacity(columns, sequences, KvCache.pagesFor(contextLength), config.headDim());
            ranges = new LayerRange[placement.parts().size()];
            for (int i = 0; i < ranges.length; i++) {
                Placement.Part part = placement.parts().get(i);
                KvPool pool = undo.push(part.backend().createKvPool(shape.withLayers(part.layers())));
                pools.add(pool);
                ranges[i] = undo.push(new LayerRange(part.backend(), weights.layers().subList(part.first(), part.end()), pool, config, capacity));
            }
            last = ranges[ranges.length - 1];
            batch = last.batch();
            passing = new float[ranges.length == 1 ? 0 : Math.multiplyExact(columns, config.dim())];
            kvCache = undo.push(new KvCache(pools.size() == 1 ? pools.getFirst() : new DividedKvPool(pools), contextLength));
            candidates = undo.push(last.backend().createCandidates());
            undo.keep();
        }
    }

    /** Columns of one forward pass at most. */
    private static int columns(int contextLength, int maxSequences, boolean isOnDevicesAlone) {
        return Math.min(isOnDevicesAlone ? MAX_DEVICE_COLUMNS : MAX_COLUMNS, Math.max(contextLength, maxSequences));
    }

    /** Bytes of the buffers that forward passes compute in on one backend, with as many logits as a pass can give. */
    static long bufferBytes(ModelConfig config, int contextLength, int maxSequences, boolean isOnDevicesAlone) {
        long columns = columns(contextLength, maxSequences, isOnDevicesAlone);
        long outputs = Math.min(columns, Math.max(maxSequences, MAX_OUTPUT_COLUMNS));
        return Float.BYTES * (LayerRange.bufferElements(config, columns) + outputs * config.vocabSize());
    }

    /**
     * Bytes that the stages of a device work in beside these buffers, at most where the matrices of a layer have one type (native/cuda: stages.cu, attention.cu): rows of
     * queries, keys and values, the input of the widest matrix as products take it, and what blocks that divide a text among them have added up.
     */
    static long scratchBytes(ModelConfig config, int contextLength, int maxSequences, boolean isOnDevicesAlone) {
        long columns = columns(contextLength, maxSequences, isOnDevicesAlone);
        long widest = Math.max(config.hiddenDim(), Math.max(config.dim(), config.qDim()));
        long spans = Math.ceilDiv(contextLength, ATTENTION_SPAN);
        long sums = spans == 1 ? 0 : Math.min(MAX_ATTENTION_BYTES, MAX_ATTENTION_ROWS * spans * (config.headDim() + 2) * Float.BYTES);
        return Float.BYTES * columns * (config.qDim() + 2L * config.kvDim() + widest) + sums;
    }

    /** The hyper-parameters, with the vocabulary of the last adapter. */
    public ModelConfig config() {
        return config;
    }

    @Override
    public int vocabSize() {
        return config.vocabSize();
    }

    @Override
    public int dim() {
        return config.dim();
    }

    @Override
    public int layers() {
        return config.nLayers();
    }

    @Override
    public List<Integer> eosIds() {
        return config.eosIds();
    }

    @Override
    public int contextLength() {
        return kvCache.contextLength();
    }

    @Override
    public String backendName() {
        return placement.name();
    }

    @Override
    public long weightBytes() {
        return weights.byteSize();
    }

    @Override
    public PagedSequence newSequence() {
        requireOpen();
        return kvCache.open();
    }

    @Override
    public PagedSequence newSequence(int[] tokens, int end) {
        requireOpen();
        return kvCache.open(tokens, end);
    }

    @Override
    public int knownTokens(int[] tokens, int end) {
        return kvCache.knownTokens(tokens, end);
    }

    /** Not with a RoPE whose angles depend on the length of the prompt. */
    @Override
    public boolean sharesBeginnings() {
        return !rope.dependsOnLength();
    }

    @Override
    public boolean canTruncate() {
        return true;
    }

    @Override
    public int saveContext(int[] tokens, Path file) {
        requireSharedBeginnings();
        try (PagedSequence sequence = newSequence(tokens, tokens.length - 1)) {
            prefill(sequence, Arrays.copyOfRange(tokens, sequence.length(), tokens.length), maxColumns(), null, ALWAYS);
            sequence.remember(tokens);
            return ContextFile.write(file, fingerprint(), kvCache.pool(), sequence, tokens);
        }
    }

    @Override
    public int restoreContext(Path file) {
        requireOpen();
        requireSharedBeginnings();
        return ContextFile.read(file, fingerprint(), kvCache, config.vocabSize());
    }

    private byte[] fingerprint() {
        return ModelFingerprint.of(config, last.backend(), kvCache.pool().shape(), weights);
    }

    private void requireSharedBeginnings() {
        if (!sharesBeginnings()) {
            throw new YangtuoException("keys and values of a model with dynamic NTK scaling depend on the length of the whole prompt; they cannot be saved for other texts");
        }
    }

    @Override
    public void forget() {
        kvCache.forget();
    }

    @Override
    public int pagePositions() {
        return kvCache.pagePositions();
    }

    @Override
    public int pageCount() {
        return kvCache.pageCount();
    }

    @Override
    public int availablePages() {
        return kvCache.availablePages();
    }

    @Override
    public int maxColumns() {
        return batch.capacity().columns();
    }

    @Override
    public int maxOutputColumns() {
        return Math.min(MAX_OUTPUT_COLUMNS, maxColumns());
    }

    @Override
    public int maxBatchSequences() {
        return batch.capacity().sequences();
    }

    @Override
    public ModelCosts costs() {
        return ModelCosts.of(config, weights, kvCache.pool().shape().type());
    }

    @Override
    public boolean forward(List<PassPart> parts, PassOutputs outputs, BooleanSupplier goesOn) {
        lock.lock();
        try {
            if (!computeLayers(parts, goesOn)) {
                return false;
            }
            computeOutputs(outputs);
            return true;
        } catch (DeviceException e) {
            throw failed(e);
        } finally {
            lock.unlock();
        }
    }

    private void computeOutputs(PassOutputs outputs) {
        boolean choose = batch.outputCount() > 0 && outputs.candidateCount() > 0;
        if (choose) {
            candidates.clear(outputs.candidateCount(), outputs.choices());
            outputs.addEdits(candidates, batch.outputCount());
            last.backend().logits(weights.output(), batch, last.x(), logitsBuffer(), candidates);
        } else if (batch.outputCount() > 0) {
            last.backend().logits(weights.output(), batch, last.x(), logitsBuffer());
        }
        outputs.accept(choose ? resultWithCandidates : result);
    }

    /** What the pass has left in the buffers. */
    private final class Result implements PassResult {
        private final boolean hasCandidates;

        Result(boolean hasCandidates) {
            this.hasCandidates = hasCandidates;
        }

        @Override
        public Candidates candidates() {
            if (!hasCandidates) {
                throw new IllegalStateException("no candidates were wanted");
            }
            return candidates;
        }

        @Override
        public int outputCount() {
            return batch.outputCount();
        }

        @Override
        public int vocabSize() {
            return config.vocabSize();
        }

        @Override
        public int dim() {
            return config.dim();
        }

        @Override
        public void readLogits(int output, int count, float[] target) {
            Objects.checkFromIndexSize(output, count, batch.outputCount());
            logitsBuffer().download((long) output * vocabSize(), target, 0, Math.multiplyExact(count, vocabSize()));
        }

        @Override
        public void readStates(int column, int count, float[] target) {
            Objects.checkFromIndexSize(column, count, batch.columnCount());
            last.x().download((long) column * dim(), target, 0, Math.multiplyExact(count, dim()));
            for (int i = 0; i < count; i++) {
                outputNorm.apply(target, i * dim());
            }
        }
    }

    @Override
    public void forward(Sequence sequence, int[] tokens, int offset, int count, int firstOutput, LogitRows rows) {
        lock.lock();
        try {
            computeLayers(List.of(new PassPart(sequence, tokens, offset, count, Math.min(firstOutput, count))), ALWAYS);
            float[] target = new float[Math.multiplyExact(Math.min(MAX_OUTPUT_COLUMNS, batch.outputCount()), config.vocabSize())];
            for (int column = firstOutput; column < count; ) {
                int part = Math.min(MAX_OUTPUT_COLUMNS, count - column);
                batch.wantLogits(column, part);
                batch.upload();
                computeLogits(target);
                rows.accept(column, part, target);
                column += part;
            }
        } catch (DeviceException e) {
            throw failed(e);
        } finally {
            lock.unlock();
        }
    }

    /** Remembers that a device failed: the model can only be closed. */
    private DeviceException failed(DeviceException failure) {
        if (deviceFailure == null) {
            deviceFailure = failure.getMessage();
        }
        return failure;
    }

    /** Everything but the output matrix: leaves the residual stream of the tokens in the last range, and the batch ready for their logits. */
    private boolean computeLayers(List<PassPart> parts, BooleanSupplier goesOn) {
        requireReady();
        PassPart.requireFitting(parts, this);
        for (int i = 0; i < parts.size(); i++) { // an iterator for each pass would be garbage; as in the loops below
            paged(parts.get(i)).reserve(parts.get(i).count());
        }
        fillBatch(parts);
        if (!compute(goesOn)) {
            return false;
        }
        for (int i = 0; i < parts.size(); i++) {
            paged(parts.get(i)).advance(parts.get(i).count());
        }
        return true;
    }

    private static PagedSequence paged(PassPart part) {
        return (PagedSequence) part.sequence();
    }

    private void requireReady() {
        requireOpen();
        if (deviceFailure != null) {
            throw new DeviceException("a device of the model has failed, it must be closed and loaded again: " + deviceFailure);
        }
        if (lock.getHoldCount() > 1) {
            throw new IllegalStateException("a forward pass was asked for from within another one");
        }
    }

    /** @param target receives the logits of the columns that the batch wants them of, row-major */
    private void computeLogits(float[] target) {
        DeviceFloats out = logitsBuffer();
        OutputLayer output = weights.output();
        last.backend().logits(output, batch, last.x(), out);
        out.download(0, target, 0, Math.multiplyExact(batch.outputCount(), config.vocabSize()));
    }

    private void fillBatch(List<PassPart> parts) {
        batch.clear();
        for (int i = 0; i < parts.size(); i++) {
            PassPart part = parts.get(i);
            PagedSequence sequence = paged(part);
            int row = batch.addSequence(sequence.pages(), sequence.pageCount());
            for (int j = 0; j < part.count(); j++) {
                addColumn(part.tokens()[part.offset() + j], sequence, j, row, j >= part.firstOutput());
            }
        }
        batch.upload();
        for (int i = 0; i < ranges.length - 1; i++) {
            ranges[i].batch().copyFrom(batch);
            ranges[i].batch().upload();
        }
    }

    /** @param index of the token among those that are appended */
    private void addColumn(int token, PagedSequence sequence, int index, int row, boolean wantsLogits) {
        int position = sequence.length() + index;
        int column = batch.addColumn(token, position, row, wantsLogits);
        rope.fill(position, Math.max(position + 1, sequence.ropeLength()), batch.rope(), column * config.headDim());
    }

    /** The model, in its own order; {@link #computeLogits} is its end. False if it was not to go on. */
    private boolean compute(BooleanSupplier goesOn) {
        LayerRange first = ranges[0];
        first.backend().embed(weights.embedding(), first.batch(), first.x());
        for (int i = 0; i < ranges.length; i++) {
            if (i > 0) {
                pass(ranges[i - 1].x(), ranges[i].x());
            }
            if (!ranges[i].compute(goesOn)) {
                return false;
            }
        }
        return true;
    }

    private void pass(DeviceFloats from, DeviceFloats to) {
        int count = batch.columnCount() * config.dim();
        from.download(0, passing, 0, count);
        to.upload(0, passing, 0, count);
    }

    private DeviceFloats logitsBuffer() {
        long needed = (long) batch.outputCount() * config.vocabSize();
        if (logits == null || logits.count() < needed) {
            if (logits != null) {
                logits.close();
                logits = null;
            }
            logits = last.backend().createFloats(needed);
        }
        return logits;
    }

    @Override
    public void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the model is closed");
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            try (var all = new CloseStack()) {
                all.push(placement);
                all.push(weights);
                all.push(kvCache);
                for (LayerRange range : ranges) {
                    all.push(range);
                }
                all.push(candidates);
                if (logits != null) {
                    all.push(logits);
                }
            }
        } finally {
            lock.unlock();
        }
    }
}
