package dev.yangtuo.scheduler;

import dev.yangtuo.kernel.Candidates;
import dev.yangtuo.model.PassPart;
import dev.yangtuo.model.PassResult;
import dev.yangtuo.sampling.LogProbabilities;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A text that is generated. */
final class RunningText extends RunningTask {
    private final TextTask text;
    /** Guesses that stand behind the tokens in the pass that is being planned or computed. */
    private int drafts;
    /** Where the drafter puts them first. */
    private int[] guesses = new int[0];
    /** What came of the pass. */
    private int[] chosen = new int[1];
    private LogProbabilities[] logProbabilities = new LogProbabilities[1];
    private int chosenCount;

    private int drafted;
    private int accepted;

    RunningText(TextTask text, long arrival) {
        super(text, text.listener(), arrival);
        this.text = text;
        for (int id : text.prompt()) {
            text.sampler().acceptPrompt(id);
        }
    }

    @Override
    int nextOutput() {
        return count() - 1;
    }

    /** One token is missing: the last one that was chosen. */
    @Override
    boolean isStreaming() {
        return missing() == 1 && generated() > 0;
    }

    @Override
    void draft(int most) {
        drafts = 0;
        int useful = text.drafter() == Drafter.NONE ? 0 : Math.min(most, sequence().remaining() - 1);
        if (useful > 0) {
            makeRoom(useful);
            guesses = guesses.length < useful ? new int[useful] : guesses;
            drafts = text.drafter().draft(tokens(), count(), guesses, useful);
            System.arraycopy(guesses, 0, tokens(), count(), drafts);
        }
    }

    @Override
    void dropDrafts() {
        drafts = 0;
    }

    @Override
    int drafts() {
        return drafts;
    }

    /** The next tokens: some that are missing, and behind the last one the guesses. */
    @Override
    PassPart part(int columns) {
        boolean last = columns == missing();
        return new PassPart(sequence(), tokens(), sequence().length(), columns + (last ? drafts : 0), last ? columns - 1 : columns);
    }

    private boolean wantsLogProbabilities() {
        return text.logProbabilities() != TextTask.NONE;
    }

    /** None where all logits are wanted. */
    @Override
    int candidateCount() {
        return wantsLogProbabilities() ? 0 : text.sampler().candidateCount();
    }

    @Override
    int choices() {
        return text.sampler().choices();
    }

    /** Edits of each output: later ones count the guesses before them as having come. A sampler that takes all logits makes them itself. */
    @Override
    void addEdits(Candidates wanted, int outputs) {
        if (candidateCount() == 0) {
            super.addEdits(wanted, outputs);
            return;
        }
        for (int i = 0; i < outputs; i++) {
            text.sampler().addEdits(wanted, tokens(), count(), i);
        }
    }

    /** Chooses the next token, and goes on as long as the guesses were right. */
    @Override
    void read(PassResult result, PassPart part, int firstColumn, int firstOutput, RowBuffer buffer) {
        chosenCount = 0;
        int outputs = part.outputs();
        if (chosen.length < outputs) {
            chosen = new int[outputs];
            logProbabilities = Arrays.copyOf(logProbabilities, outputs);
        }
        boolean goesOn = outputs > 0;
        while (goesOn) {
            int id = choose(result, firstOutput + chosenCount, buffer);
            text.sampler().accept(id);
            chosen[chosenCount++] = id;
            goesOn = chosenCount < outputs && id == tokens()[count() + chosenCount - 1];
        }
    }

    private int choose(PassResult result, int output, RowBuffer buffer) {
        if (candidateCount() > 0) {
            return text.sampler().sample(result.candidates(), output);
        }
        float[] logits = buffer.of(result.vocabSize());
        result.readLogits(output, 1, logits);
        return wantsLogProbabilities() ? chooseAndTell(result, output, logits) : text.sampler().sample(logits);
    }

    private int chooseAndTell(PassResult result, int output, float[] logits) {
        double logSum = LogProbabilities.logSumExp(logits, 0, result.vocabSize());
        int[] bestIds = LogProbabilities.best(logits, 0, choices(), Math.min(text.logProbabilities(), choices()));
        double[] best = new double[bestIds.length];
        for (int i = 0; i < best.length; i++) {
            best[i] = logits[bestIds[i]] - logSum;
        }
        int id = text.sampler().sample(logits);
        result.readLogits(output, 1, logits); // the sampler has put its penalties into them
        logProbabilities[chosenCount] = new LogProbabilities(id, logits[id] - logSum, bestIds, best);
        return id;
    }

    /** Hands on what was chosen, and forgets the guesses that were wrong. */
    @Override
    @Nullable EndCause deliver() {
        long now = System.nanoTime();
        drafted += drafts;
        drafts = 0;
        int right = Math.max(0, chosenCount - 1);
        accepted += right;
        sequence().truncate(Math.min(sequence().length(), count() + right));
        try {
            if (!tell(now)) {
                return EndCause.COMPLETE;
            }
        } catch (RuntimeException e) {
            fail(e);
            return EndCause.FAILED;
        } catch (Error e) {
            fail(new IllegalStateException("a listener of the text has failed: " + e, e)); // it is the listener's: others go on
            return EndCause.FAILED;
        }
        chosenCount = 0;
        if (hasFailed()) {
            return EndCause.FAILED;
        }
        return sequence().remaining() == 0 ? EndCause.CONTEXT_FULL : null;
    }

    /** Tells the listener what has come. False if it wants no more. */
    private boolean tell(long now) {
        TokenListener listener = text.listener();
        if (generated() == 0) {
            listener.promptProgressed(Math.min(sequence().length(), text.prompt().length));
        }
        for (int i = 0; i < chosenCount; i++) {
            countGenerated(now);
            if (!(wantsLogProbabilities() ? listener.accept(chosen[i], logProbabilities[i]) : listener.accept(chosen[i]))) {
                return false;
            }
            append(chosen[i]);
        }
        return true;
    }

    @Override
    TaskStatistics statistics() {
        return statistics(drafted, accepted);
    }

    @Override
    void rememberEnd() {
        if (isRunning()) {
            sequence().rememberEnd(tokens());
        }
    }

    @Override
    void release() {
        text.drafter().close();
    }
}
