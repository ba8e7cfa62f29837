package dev.yangtuo.scheduler;

import dev.yangtuo.model.Model;
import dev.yangtuo.model.Sequence;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Beginnings that texts have in common are computed once: a text takes over whole pages that are remembered, or what a text that is there has computed, to the last
 * common token.
 */
final class CommonBeginnings {
    /** A common beginning of fewer tokens is not worth waiting for: computing it again beside others costs as little. */
    private static final int LEAST_TOKENS = 16;

    private final Model model;
    private final boolean shares;
    private final List<RunningTask> running;
    private final List<RunningTask> completed;

    /**
     * @param shares whether anything is taken over at all
     * @param running texts that are computed, as the scheduler keeps them
     * @param completed texts that have just been
     */
    CommonBeginnings(Model model, boolean shares, List<RunningTask> running, List<RunningTask> completed) {
        this.model = model;
        this.shares = shares;
        this.running = running;
        this.completed = completed;
    }

    /** A sequence with as much of a text as can be taken over. */
    Sequence open(RunningTask task) {
        if (!shares || task.nextOutput() == 0) {
            return model.newSequence();
        }
        Sequence known = model.newSequence(task.tokens(), task.nextOutput());
        RunningTask donor = richest(task, completed, richest(task, running, null));
        int computed = donor == null ? 0 : computed(task, donor);
        if (donor == null || computed <= known.length()) {
            return known;
        }
        known.close();
        return donor.sequence().fork(computed);
    }

    private static @Nullable RunningTask richest(RunningTask task, List<RunningTask> others, @Nullable RunningTask before) {
        RunningTask best = before;
        for (RunningTask other : others) {
            best = best == null || computed(task, other) > computed(task, best) ? other : best;
        }
        return best;
    }

    /** Tokens of a text that another one has computed. */
    private static int computed(RunningTask task, RunningTask other) {
        return Math.min(shared(task, other), other.sequence().length());
    }

    /** Tokens of a text that need not be computed if another one has them. */
    private static int shared(RunningTask task, RunningTask other) {
        return Math.min(task.commonTokens(other), task.nextOutput());
    }

    /** Whether a text that is being begun will soon have computed much more of this one's beginning than is known yet. */
    boolean isComing(RunningTask task) {
        if (!shares || task.nextOutput() == 0) {
            return false;
        }
        int coming = 0;
        for (RunningTask other : running) {
            coming = other.missing() > 1 ? Math.max(coming, shared(task, other)) : coming;
        }
        if (coming < LEAST_TOKENS) {
            return false;
        }
        RunningTask donor = richest(task, completed, richest(task, running, null));
        int known = donor == null ? 0 : computed(task, donor);
        return coming - known >= LEAST_TOKENS && coming - model.knownTokens(task.tokens(), task.nextOutput()) >= LEAST_TOKENS;
    }
}
