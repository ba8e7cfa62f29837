package dev.yangtuo.scheduler;

import dev.yangtuo.kernel.Candidates;
import dev.yangtuo.model.PassPart;
import dev.yangtuo.model.PassResult;
import dev.yangtuo.model.Sequence;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A text in the scheduler's hands: its tokens, how many of them are computed, and what it has cost. Used by the scheduler's thread, but for {@link #cancel()}. */
abstract sealed class RunningTask permits RunningText, RunningReading {
    private final Task task;
    private final TaskListener listener;
    private final long arrival;
    private final long submitted = System.nanoTime();

    private int[] tokens;
    private int count;
    private @Nullable Sequence sequence;
    private @Nullable RuntimeException failure;
    private volatile boolean cancelled;

    private long started;
    private long firstToken;
    private long lastToken;
    private int generated;
    private int reusedTokens;
    private int preemptions;

    RunningTask(Task task, TaskListener listener, long arrival) {
        this.task = task;
        this.listener = listener;
        this.arrival = arrival;
        this.tokens = task.tokens();
        this.count = tokens.length;
    }

    static RunningTask of(Task task, long arrival) {
        return switch (task) {
            case TextTask text -> new RunningText(text, arrival);
            case ReadingTask reading -> new RunningReading(reading, arrival);
        };
    }

    /** Its priority, raised by one for each {@code agingNanos} that it has been there. */
    long priority(long now, long agingNanos) {
        return task.priority() + (now - submitted) / agingNanos;
    }

    /** How many texts had been submitted before it. */
    long arrival() {
        return arrival;
    }

    void cancel() {
        cancelled = true;
    }

    boolean isCancelled() {
        return cancelled;
    }

    /** The text so far, the first {@link #count()} of it; guesses may stand behind. */
    int[] tokens() {
        return tokens;
    }

    int count() {
        return count;
    }

    /** How long the common beginning with another text is. */
    int commonTokens(RunningTask other) {
        int mismatch = Arrays.mismatch(tokens, 0, count, other.tokens, 0, other.count);
        return mismatch < 0 ? count : mismatch;
    }

    /** Its keys and values; only while it is running. */
    Sequence sequence() {
        if (sequence == null) {
            throw new IllegalStateException("the text has no sequence yet");
        }
        return sequence;
    }

    /** Tokens that are still to be computed. */
    int missing() {
        return count - sequence().length();
    }

    /** The first position of which something is wanted; what is before it need not be computed if its keys and values are there. */
    abstract int nextOutput();

    /** Whether it gets its next token as soon as one is computed. */
    boolean isStreaming() {
        return false;
    }

    /**
     * Begins, or goes on after it had given its memory away.
     *
     * @param known what is computed already, at most {@link #nextOutput()} tokens
     * @return whether it begins
     */
    boolean begin(Sequence known) {
        sequence = known;
        known.ropeLength(task.tokens().length);
        if (started != 0) {
            return false;
        }
        started = System.nanoTime();
        reusedTokens = known.length();
        return true;
    }

    /** Gives its memory away; what was computed must be computed again. */
    void preempt() {
        preemptions++;
        giveBack();
    }

    void giveBack() {
        if (sequence != null) {
            sequence.close();
            sequence = null;
        }
    }

    /** Puts guesses behind the tokens, as far as they fit the context. */
    void draft(int most) {}

    /** Goes without guesses in the pass that is being planned. */
    void dropDrafts() {}

    int drafts() {
        return 0;
    }

    /**
     * How many of its next columns a pass can have.
     *
     * @param columns at most, 1 to {@link #missing()}
     * @param outputs that are left of those that a pass can have beside one of each text
     */
    int columnsWithin(int columns, int outputs) {
        return columns;
    }

    /** The next columns of the pass. */
    abstract PassPart part(int columns);

    /** Candidates that the device is to choose of its outputs; 0 where it is not. */
    int candidateCount() {
        return 0;
    }

    /** Whether it reads states in place of logits. */
    boolean wantsStates() {
        return false;
    }

    /** Number of ids to choose from; of one with candidates only. */
    int choices() {
        return 0;
    }

    /** Begins its outputs where others in the pass want candidates. */
    void addEdits(Candidates wanted, int outputs) {
        for (int i = 0; i < outputs; i++) {
            wanted.addOutput();
        }
    }

    /** Takes what the pass has given; nothing that it throws reaches others. */
    final void take(PassResult result, PassPart part, int firstColumn, int firstOutput, RowBuffer buffer) {
        try {
            read(result, part, firstColumn, firstOutput, buffer);
        } catch (RuntimeException e) {
            fail(e);
        }
    }

    /** @param firstColumn of the part in the pass, as {@code firstOutput} is its first output */
    abstract void read(PassResult result, PassPart part, int firstColumn, int firstOutput, RowBuffer buffer);

    /**
     * Hands on what was taken.
     *
     * @return null if the text goes on, else why it has ended
     */
    abstract @Nullable EndCause deliver();

    /** Counts a token that was chosen, before the listener is told. */
    void countGenerated(long now) {
        firstToken = firstToken == 0 ? now : firstToken;
        lastToken = now;
        generated++;
    }

    /** Tokens that were chosen. */
    int generated() {
        return generated;
    }

    /** The text goes on with this token. */
    void append(int id) {
        makeRoom(1);
        tokens[count++] = id;
    }

    /** Makes room for tokens behind those that are there. */
    void makeRoom(int more) {
        if (tokens.length < count + more) {
            tokens = Arrays.copyOf(tokens, Math.max(count + more, count * 2));
        }
    }

    void fail(RuntimeException e) {
        failure = e;
    }

    boolean hasFailed() {
        return failure != null;
    }

    /** What it has taken so far. */
    TaskStatistics statistics(int drafted, int accepted) {
        long now = System.nanoTime();
        long begun = started == 0 ? now : started;
        long first = firstToken == 0 ? now : firstToken;
        return new TaskStatistics(begun - submitted, first - begun, firstToken == 0 ? 0 : lastToken - firstToken, reusedTokens, preemptions, drafted, accepted);
    }

    TaskStatistics statistics() {
        return statistics(0, 0);
    }

    /** Whether it has a sequence. */
    boolean isRunning() {
        return sequence != null;
    }

    /** Lets a text that goes on where this one ends take over what was computed of it. */
    void rememberEnd() {}

    /** Gives everything back and tells the listener. */
    TaskStatistics end(EndCause cause) {
        giveBack();
        TaskStatistics statistics = statistics();
        try {
            release();
        } finally {
            listener.ended(cause, statistics, failure);
        }
        return statistics;
    }

    /** Gives back what it has beside its keys and values. */
    void release() {}
}
