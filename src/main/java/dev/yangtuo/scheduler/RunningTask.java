package dev.yangtuo.scheduler;

import dev.yangtuo.kernel.Candidates;
import dev.yangtuo.model.PassOutputs.PassLogits;
import dev.yangtuo.model.PassPart;
import dev.yangtuo.model.Sequence;
import java.util.Arrays;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/** A text in the scheduler's hands: its tokens, how many of them are computed, and what it has cost. Used by the scheduler's thread, but for {@link #cancel()}. */
final class RunningTask {
    private final TextTask text;
    private final long arrival;
    private final long submitted = System.nanoTime();

    /** The prompt and what has come since; guesses may stand behind. */
    private int[] tokens;
    private int count;
    /** Guesses that stand behind the tokens in the pass that is being planned or computed. */
    private int drafts;
    /** What came of the pass. */
    private int[] chosen = new int[1];
    private int chosenCount;
    private @Nullable Sequence sequence;
    private @Nullable RuntimeException failure;
    private volatile boolean cancelled;

    private long started;
    private long firstToken;
    private long lastToken;
    private int reusedTokens;
    private int preemptions;
    private int drafted;
    private int accepted;

    RunningTask(TextTask text, long arrival) {
        this.text = text;
        this.arrival = arrival;
        this.tokens = Arrays.copyOf(text.prompt(), text.prompt().length + 64);
        this.count = text.prompt().length;
        for (int id : text.prompt()) {
            text.sampler().accept(id);
        }
    }

    /**
     * Who goes first: a higher priority, which waiting raises, then who came first.
     *
     * @param agingNanos waiting as long is as good as one more of priority
     */
    static Comparator<RunningTask> byRank(long now, long agingNanos) {
        return Comparator.<RunningTask>comparingLong(task -> -(task.text.priority() + (now - task.submitted) / agingNanos)).thenComparingLong(task -> task.arrival);
    }

    void cancel() {
        cancelled = true;
    }

    boolean isCancelled() {
        return cancelled;
    }

    int[] tokens() {
        return tokens;
    }

    /** Tokens of the prompt and of what has come. */
    int count() {
        return count;
    }

    /** Its keys and values; only while it is running. */
    Sequence sequence() {
        if (sequence == null) {
            throw new IllegalStateException("the text has no sequence yet");
        }
        return sequence;
    }

    /** Tokens that are still to be computed before the next one can be chosen. */
    int missing() {
        return count - sequence().length();
    }

    /** Whether one token is missing: the last one that was chosen. */
    boolean isStreaming() {
        return missing() == 1 && firstToken != 0;
    }

    /**
     * Begins, or goes on after it had given its memory away.
     *
     * @param known what is computed already
     * @return whether it begins
     */
    boolean begin(Sequence known) {
        sequence = known;
        known.ropeLength(text.prompt().length);
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
    void draft(int most) {
        drafts = 0;
        int useful = Math.min(most, sequence().remaining() - 1);
        if (useful > 0) {
            makeRoom(useful);
            int[] guesses = new int[useful];
            drafts = text.drafter().draft(tokens, count, guesses, useful);
            System.arraycopy(guesses, 0, tokens, count, drafts);
        }
    }

    void dropDrafts() {
        drafts = 0;
    }

    int drafts() {
        return drafts;
    }

    /** The next tokens of the pass: some that are missing, and behind the last one the guesses. */
    PassPart part(int columns) {
        boolean last = columns == missing();
        return new PassPart(sequence(), tokens, sequence().length(), columns + (last ? drafts : 0), last ? columns - 1 : columns);
    }

    /** Edits of each output: later ones count the guesses before them as having come. A sampler that takes all logits makes them itself. */
    void addEdits(Candidates wanted, int outputs) {
        for (int i = 0; i < outputs; i++) {
            if (candidateCount() == 0) {
                wanted.addOutput();
            } else {
                text.sampler().addEdits(wanted, tokens, count, i);
            }
        }
    }

    int candidateCount() {
        return text.sampler().candidateCount();
    }

    int choices() {
        return text.sampler().choices();
    }

    /** Chooses the next token, and goes on as long as the guesses were right. */
    void choose(PassLogits result, int firstOutput, int outputs, float[] logits) {
        chosenCount = 0;
        if (chosen.length < outputs) {
            chosen = new int[outputs];
        }
        try {
            do {
                int output = firstOutput + chosenCount;
                int id;
                if (candidateCount() > 0) {
                    id = text.sampler().sample(result.candidates(), output);
                } else {
                    result.read(output, logits);
                    id = text.sampler().sample(logits);
                }
                text.sampler().accept(id);
                chosen[chosenCount++] = id;
            } while (chosenCount < outputs && chosen[chosenCount - 1] == tokens[count + chosenCount - 1]);
        } catch (RuntimeException e) {
            failure = e;
        }
    }

    /**
     * Hands on what was chosen, and forgets the guesses that were wrong.
     *
     * @return null if the text goes on, else why it has ended
     */
    @Nullable EndCause deliver() {
        long now = System.nanoTime();
        int before = count;
        drafted += drafts;
        drafts = 0;
        accepted += Math.max(0, chosenCount - 1);
        sequence().truncate(Math.min(sequence().length(), before + Math.max(0, chosenCount - 1)));
        for (int i = 0; i < chosenCount; i++) {
            firstToken = firstToken == 0 ? now : firstToken;
            lastToken = now;
            boolean goesOn;
            try {
                goesOn = text.listener().accept(chosen[i]);
            } catch (RuntimeException e) {
                failure = e;
                return EndCause.FAILED;
            }
            if (!goesOn) {
                return EndCause.COMPLETE;
            }
            makeRoom(1);
            tokens[count++] = chosen[i];
        }
        if (failure != null) {
            return EndCause.FAILED;
        }
        chosenCount = 0;
        return sequence().remaining() == 0 ? EndCause.CONTEXT_FULL : null;
    }

    private void makeRoom(int more) {
        if (tokens.length < count + more) {
            tokens = Arrays.copyOf(tokens, Math.max(count + more, count * 2));
        }
    }

    void fail(RuntimeException e) {
        failure = e;
    }

    /** Gives everything back and tells the listener. */
    TaskStatistics end(EndCause cause) {
        giveBack();
        long now = System.nanoTime();
        long begun = started == 0 ? now : started;
        long first = firstToken == 0 ? now : firstToken;
        TaskStatistics statistics = new TaskStatistics(begun - submitted, first - begun, firstToken == 0 ? 0 : lastToken - firstToken, reusedTokens, preemptions, drafted,
                accepted);
        try {
            text.drafter().close();
        } finally {
            text.listener().ended(cause, statistics, failure);
        }
        return statistics;
    }
}
