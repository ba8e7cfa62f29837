package dev.yangtuo.llamacpp;

import dev.yangtuo.bindings.llamacpp.LlamaCpp;
import dev.yangtuo.bindings.llamacpp.ggml_abort_callback;
import dev.yangtuo.exception.KernelException;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.kernel.Candidates;
import dev.yangtuo.kernel.HostCandidates;
import dev.yangtuo.model.KvMemoryException;
import dev.yangtuo.model.Model;
import dev.yangtuo.model.ModelCosts;
import dev.yangtuo.model.PassOutputs;
import dev.yangtuo.model.PassPart;
import dev.yangtuo.model.PassResult;
import dev.yangtuo.model.Sequence;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A model that llama.cpp computes: one {@code llama_model} and one {@code llama_context}, freed in the right order when it is closed; sequences that are closed later
 * do no harm. What a text gives may depend in its last bits on what else is in a pass, as llama.cpp takes other kernels for other shapes.
 */
final class LlamaCppModel implements Model {
    /** Columns of a pass of which logits are wanted, beside one of each sequence, so that these stay below some tens of megabytes. */
    static final int MAX_OUTPUT_COLUMNS = 64;

    private static final BooleanSupplier ALWAYS = () -> true;
    private static final int NO_OUTPUT = -1;
    /** What {@code llama_decode} returns. */
    private static final int DECODED = 0;
    private static final int NO_ROOM = 1;
    private static final int ABORTED = 2;

    private final LlamaCppLibrary library;
    private final LlamaCppContext context;
    private final ModelFacts facts;
    private final SequenceMemory memory;
    private final LlamaCppBatch batch;
    private final ReentrantLock lock = new ReentrantLock();
    private final HostCandidates candidates = new HostCandidates();
    private volatile boolean closed;

    /** Asked by llama.cpp during a pass. */
    private BooleanSupplier goesOn = ALWAYS;
    private @Nullable Throwable askingFailed;
    private boolean givesStates;

    /** Of each column of the batch, which column of the pass it is. */
    private final int[] columnOf;
    /** Likewise which output. */
    private final int[] outputOf;
    /** Float32 [outputs][vocabSize] of the last pass. */
    private float[] logits = new float[0];
    /** Float32 [columns][dim] of the last pass, if they were wanted. */
    private float[] states = new float[0];

    /**
     * What is known of the model.
     *
     * @param backendName what computes, for people
     * @param maxSequences of a pass
     * @param sharesBeginnings whether sequences take positions over from each other
     * @param canTruncate whether sequences can be cut
     * @param window positions that some layers look back; 0 where all look back at everything
     */
    record ModelFacts(
            int vocabSize,
            int dim,
            int layers,
            List<Integer> eosIds,
            String backendName,
            long weightBytes,
            ModelCosts costs,
            int maxSequences,
            boolean sharesBeginnings,
            boolean canTruncate,
            int window) {}

    /**
     * Takes ownership of {@code context}.
     *
     * @param contextLength positions that a sequence can have
     * @param pages of keys and values, which the context has room for
     */
    LlamaCppModel(LlamaCppLibrary library, LlamaCppContext context, ModelFacts facts, int contextLength, int pages) {
        this.library = library;
        this.context = context;
        this.facts = facts;
        this.batch = new LlamaCppBatch(context.arena(), context.columns());
        this.columnOf = new int[batch.capacity()];
        this.outputOf = new int[batch.capacity()];
        this.memory = new SequenceMemory(new Cells(), contextLength, context.sequences(), pages, facts.sharesBeginnings());
        LlamaCpp.llama_set_abort_callback(context.address(), ggml_abort_callback.allocate(_ -> isGivenUp(), context.arena()), MemorySegment.NULL);
    }

    /** llama.cpp's memory. Its functions are called under the lock; once the model is closed, there is nothing to do. */
    private final class Cells implements SequenceMemory.Cells {
        @Override
        public boolean remove(int sequence, int from) {
            return closed || LlamaCpp.llama_memory_seq_rm(context.memory(), sequence, from == 0 ? -1 : from, -1);
        }

        @Override
        public void copy(int source, int target, int positions) {
            if (!closed) {
                LlamaCpp.llama_memory_seq_cp(context.memory(), source, target, 0, positions);
            }
        }

        @Override
        public boolean goesOnFrom(int sequence, int positions) {
            return closed || LlamaCpp.llama_memory_seq_pos_min(context.memory(), sequence) <= Math.max(0, positions - facts.window());
        }
    }

    /** For sequences, which stay usable when the model is closed, but for passes: the pass in which somebody closes it comes to its end. */
    <T extends @Nullable Object> T locked(Supplier<T> work) {
        lock.lock();
        try {
            return work.get();
        } finally {
            lock.unlock();
        }
    }

    void locked(Runnable work) {
        lock.lock();
        try {
            work.run();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int vocabSize() {
        return facts.vocabSize();
    }

    @Override
    public int dim() {
        return facts.dim();
    }

    @Override
    public int layers() {
        return facts.layers();
    }

    @Override
    public List<Integer> eosIds() {
        return facts.eosIds();
    }

    @Override
    public int contextLength() {
        return memory.contextLength();
    }

    @Override
    public String backendName() {
        return facts.backendName();
    }

    @Override
    public long weightBytes() {
        return facts.weightBytes();
    }

    @Override
    public ModelCosts costs() {
        return facts.costs();
    }

    @Override
    public LlamaCppSequence newSequence() {
        requireOpen();
        return new LlamaCppSequence(this, memory.open());
    }

    @Override
    public LlamaCppSequence newSequence(int[] tokens, int end) {
        requireOpen();
        return new LlamaCppSequence(this, locked(() -> memory.open(tokens, end)));
    }

    @Override
    public int knownTokens(int[] tokens, int end) {
        return locked(() -> memory.knownTokens(tokens, end));
    }

    @Override
    public boolean sharesBeginnings() {
        return facts.sharesBeginnings();
    }

    @Override
    public boolean canTruncate() {
        return facts.canTruncate();
    }

    @Override
    public int saveContext(int[] tokens, Path file) {
        throw cannotSave();
    }

    @Override
    public int restoreContext(Path file) {
        throw cannotSave();
    }

    /** What llama.cpp would read back is not checked by it: a file that somebody made could end the process. */
    private static YangtuoException cannotSave() {
        return new YangtuoException("keys and values that llama.cpp has computed cannot be saved; load the model with the engine yangtuo");
    }

    @Override
    public void forget() {
        locked(memory::forgetAll);
    }

    @Override
    public int pagePositions() {
        return SequenceMemory.PAGE_POSITIONS;
    }

    @Override
    public int pageCount() {
        return memory.pageCount();
    }

    @Override
    public int availablePages() {
        return locked(memory::availablePages);
    }

    @Override
    public int maxColumns() {
        return Math.min(batch.capacity(), contextLength());
    }

    @Override
    public int maxOutputColumns() {
        return Math.min(MAX_OUTPUT_COLUMNS, maxColumns());
    }

    @Override
    public int maxBatchSequences() {
        return Math.min(facts.maxSequences(), maxColumns());
    }

    @Override
    public boolean forward(List<PassPart> parts, PassOutputs outputs, BooleanSupplier goesOn) {
        lock.lock();
        try {
            int outputCount = compute(parts, outputs.wantsStates(), goesOn);
            if (outputCount < 0) {
                return false;
            }
            boolean choose = outputCount > 0 && outputs.candidateCount() > 0;
            if (choose) {
                candidates.clear(outputs.candidateCount(), outputs.choices());
                outputs.addEdits(candidates, outputCount);
                candidates.choose(logits, vocabSize());
            }
            outputs.accept(new Result(outputCount, PassPart.columns(parts), choose, outputs.wantsStates()));
            return true;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void forward(Sequence sequence, int[] tokens, int offset, int count, int firstOutput, LogitRows rows) {
        lock.lock();
        try {
            for (int done = 0; done < count; ) {
                boolean hasOutputs = done >= firstOutput;
                int part = hasOutputs ? Math.min(maxOutputColumns(), count - done) : Math.min(firstOutput, count) - done;
                compute(List.of(new PassPart(sequence, tokens, offset + done, part, hasOutputs ? 0 : part)), false, ALWAYS);
                if (hasOutputs) {
                    rows.accept(done, part, logits);
                }
                done += part;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Leaves logits, and states if they are wanted, in the arrays. Returns how many columns have logits, or -1 if the pass was given up. */
    private int compute(List<PassPart> parts, boolean wantsStates, BooleanSupplier asked) {
        requireReady();
        PassPart.requireFitting(parts, this);
        for (PassPart part : parts) {
            sequence(part).reserve(part.count());
        }
        giveStates(wantsStates);
        goesOn = asked;
        askingFailed = null;
        boolean complete = false;
        try {
            int outputs = decode(parts, wantsStates);
            complete = outputs >= 0;
            return outputs;
        } finally {
            goesOn = ALWAYS;
            for (PassPart part : parts) {
                if (complete) {
                    sequence(part).advance(part.count());
                } else {
                    sequence(part).restore();
                }
            }
        }
    }

    private int decode(List<PassPart> parts, boolean wantsStates) {
        int columns = PassPart.columns(parts);
        int outputs = outputs(parts);
        logits = room(logits, Math.multiplyExact(outputs, vocabSize()));
        states = wantsStates ? room(states, Math.multiplyExact(columns, dim())) : states;
        int done = 0;
        int batchOutputs = 0;
        batch.clear();
        for (PlacedPart placed : inOrder(parts)) {
            PassPart part = placed.part;
            int output = placed.firstOutput;
            for (int i = 0; i < part.count(); i++) {
                boolean wantsLogits = i >= part.firstOutput();
                boolean wantsOutput = wantsLogits || wantsStates;
                columnOf[batch.count()] = placed.firstColumn + i;
                outputOf[batch.count()] = wantsLogits ? output++ : NO_OUTPUT;
                batch.add(part.tokens()[part.offset() + i], sequence(part).length() + i, sequence(part).number(), wantsOutput);
                batchOutputs += wantsOutput ? 1 : 0;
                done++;
                // llama.cpp has room for fewer outputs than columns, and ends the process over more.
                if (batch.count() == batch.capacity() || batchOutputs == context.outputs() || done == columns) {
                    if (!decodeBatch()) {
                        return -1;
                    }
                    read(wantsStates);
                    batch.clear();
                    batchOutputs = 0;
                }
            }
        }
        return outputs;
    }

    /** A part of a pass, and where in the pass it begins. */
    private record PlacedPart(PassPart part, int number, int firstColumn, int firstOutput) {}

    /** By the numbers of the sequences: with separate memories llama.cpp computes only those at once whose numbers follow each other. */
    private List<PlacedPart> inOrder(List<PassPart> parts) {
        List<PlacedPart> placed = new ArrayList<>(parts.size());
        int column = 0;
        int output = 0;
        for (PassPart part : parts) {
            placed.add(new PlacedPart(part, sequence(part).number(), column, output));
            column += part.count();
            output += part.outputs();
        }
        placed.sort(Comparator.comparingInt(PlacedPart::number));
        return placed;
    }

    /** False if it was given up. */
    private boolean decodeBatch() {
        try (LlamaCppLog.Capture errors = library.log().capture()) {
            int status = LlamaCpp.llama_decode(context.address(), batch.struct());
            UpcallFailure.rethrow(askingFailed);
            return switch (status) {
                case DECODED -> true;
                case ABORTED -> {
                    errors.text(); // that it could not compute: nobody needs to be told
                    yield false;
                }
                case NO_ROOM -> throw new KvMemoryException("llama.cpp has no room for %d tokens; finish or close a text".formatted(batch.count()));
                default -> throw new KernelException("llama.cpp failed to compute %d tokens (status %d): %s".formatted(batch.count(), status, errors.text()));
            };
        }
    }

    /** Copies what the batch gave to its places in the pass. */
    private void read(boolean wantsStates) {
        for (int i = 0; i < batch.count(); i++) {
            if (outputOf[i] != NO_OUTPUT) {
                copy(LlamaCpp.llama_get_logits_ith(context.address(), i), logits, outputOf[i] * vocabSize(), vocabSize());
            }
            if (wantsStates) {
                copy(LlamaCpp.llama_get_embeddings_ith(context.address(), i), states, columnOf[i] * dim(), dim());
            }
        }
    }

    private static void copy(MemorySegment source, float[] target, int offset, int count) {
        if (source.equals(MemorySegment.NULL)) {
            throw new KernelException("llama.cpp gave no result where one was wanted");
        }
        MemorySegment.copy(source.reinterpret((long) count * Float.BYTES), ValueLayout.JAVA_FLOAT, 0, target, offset, count);
    }

    private static float[] room(float[] array, int size) {
        return array.length < size ? new float[size] : array;
    }

    private void giveStates(boolean wanted) {
        if (wanted != givesStates) {
            LlamaCpp.llama_set_embeddings(context.address(), wanted);
            givesStates = wanted;
        }
    }

    /** Called by llama.cpp between its kernels, on the thread that has the lock; nothing may be thrown out of it. */
    private boolean isGivenUp() {
        try {
            return askingFailed != null || !goesOn.getAsBoolean();
        } catch (Throwable e) {
            askingFailed = e;
            return true;
        }
    }

    private SequenceMemory.Part sequence(PassPart part) {
        return ((LlamaCppSequence) part.sequence()).part();
    }

    private static int outputs(List<PassPart> parts) {
        int outputs = 0;
        for (PassPart part : parts) {
            outputs += part.outputs();
        }
        return outputs;
    }

    private void requireReady() {
        requireOpen();
        if (lock.getHoldCount() > 1) {
            throw new IllegalStateException("a forward pass was asked for from within another one");
        }
    }

    /** What the pass has left in the arrays. */
    private final class Result implements PassResult {
        private final int outputCount;
        private final int columnCount;
        private final boolean hasCandidates;
        private final boolean hasStates;

        Result(int outputCount, int columnCount, boolean hasCandidates, boolean hasStates) {
            this.outputCount = outputCount;
            this.columnCount = columnCount;
            this.hasCandidates = hasCandidates;
            this.hasStates = hasStates;
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
            return outputCount;
        }

        @Override
        public int vocabSize() {
            return facts.vocabSize();
        }

        @Override
        public int dim() {
            return facts.dim();
        }

        @Override
        public void readLogits(int output, int count, float[] target) {
            Objects.checkFromIndexSize(output, count, outputCount);
            System.arraycopy(logits, output * vocabSize(), target, 0, Math.multiplyExact(count, vocabSize()));
        }

        @Override
        public void readStates(int column, int count, float[] target) {
            if (!hasStates) {
                throw new IllegalStateException("no states were wanted");
            }
            Objects.checkFromIndexSize(column, count, columnCount);
            System.arraycopy(states, column * dim(), target, 0, Math.multiplyExact(count, dim()));
        }
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
            if (!closed) {
                closed = true;
                context.close();
            }
        } finally {
            lock.unlock();
        }
    }
}
