package dev.yangtuo.batch;

import dev.yangtuo.FinishReason;
import dev.yangtuo.GenerationResult;
import java.time.Duration;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/** Counts of what came of requests. */
final class Tally {
    private final Map<FinishReason, Long> finishReasons = new EnumMap<>(FinishReason.class);
    private final Map<BatchError, Long> errors = new EnumMap<>(BatchError.class);
    private long requests;
    private long failed;
    private long promptTokens;
    private long completionTokens;
    private long reusedTokens;

    /** What counts of one result; small, so that a journal can keep it. */
    record Counted(Outcome outcome, int promptTokens, int completionTokens, int reusedTokens) {
        static Counted of(BatchResult result) {
            return switch (result) {
                case BatchResult.Failed failed -> new Counted(new Outcome(null, failed.error()), 0, 0, 0);
                case BatchResult.Generated generated -> {
                    GenerationResult of = generated.result();
                    yield new Counted(new Outcome(of.finishReason(), null), of.promptTokens(), of.generatedTokens(), of.reusedTokens());
                }
            };
        }
    }

    /** The same, which does not change with this one. */
    Tally copy() {
        Tally copy = new Tally();
        copy.finishReasons.putAll(finishReasons);
        copy.errors.putAll(errors);
        copy.requests = requests;
        copy.failed = failed;
        copy.promptTokens = promptTokens;
        copy.completionTokens = completionTokens;
        copy.reusedTokens = reusedTokens;
        return copy;
    }

    void add(Counted counted) {
        requests++;
        BatchError error = counted.outcome().error();
        FinishReason reason = counted.outcome().finishReason();
        if (error != null) {
            failed++;
            errors.merge(error, 1L, Long::sum);
        } else if (reason != null) {
            finishReasons.merge(reason, 1L, Long::sum);
        }
        promptTokens += counted.promptTokens();
        completionTokens += counted.completionTokens();
        reusedTokens += counted.reusedTokens();
    }

    long requests() {
        return requests;
    }

    long failed() {
        return failed;
    }

    /**
     * All of it.
     *
     * @param before what earlier runs had done, which is in here, too
     */
    BatchSummary summary(Tally before, boolean complete, Duration duration) {
        Map<String, Long> reasons = new LinkedHashMap<>();
        finishReasons.forEach((reason, count) -> reasons.put(reason.name().toLowerCase(Locale.ROOT), count));
        Map<String, Long> kinds = new LinkedHashMap<>();
        errors.forEach((error, count) -> kinds.put(error.code(), count));
        double seconds = Math.max(1, duration.toNanos()) / 1e9;
        return new BatchSummary(complete, requests, requests - failed, failed, before.requests, promptTokens, reusedTokens, completionTokens,
                (completionTokens - before.completionTokens) / seconds, (promptTokens - before.promptTokens) / seconds, reasons, kinds, duration);
    }
}
