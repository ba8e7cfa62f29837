package dev.yangtuo.recipe;

import dev.yangtuo.concurrent.InFlight;
import dev.yangtuo.exception.ContextLengthException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Several answers to each prompt, ranked. Each has a seed of its own, derived from one seed, the prompt's id and its number, so a prompt's answers
 * do not depend on the other prompts. For one thread at a time.
 */
public final class BestOfN {
    private final TextGenerator generator;
    private final Scorer scorer;
    private final int count;
    private final long seed;
    private final int inFlight;

    /** What answers are ranked by. Called by many threads at a time. */
    @FunctionalInterface
    public interface Scorer {
        /**
         * How good an answer is.
         *
         * @return the higher the better; NaN, which is behind all others, if nobody can say
         */
        double score(String prompt, Completion answer);

        /** Makes what is in the making end soon. Does nothing unless this is overridden. */
        default void cancel() {}

        /** The model's own log-probability per token. */
        static Scorer meanLogProbability() {
            return (_, answer) -> answer.meanLogProbability();
        }

        /** What a rater says; what is too long for it has no score. */
        static Scorer of(AnswerRater rater) {
            return new Scorer() {
                @Override
                public double score(String prompt, Completion answer) {
                    try {
                        return rater.rate(prompt, answer.text());
                    } catch (ContextLengthException e) {
                        return Double.NaN;
                    }
                }

                @Override
                public void cancel() {
                    rater.cancel();
                }
            };
        }
    }

    /**
     * What is to be answered.
     *
     * @param id names it, and is part of the seeds
     * @param text the prompt itself
     */
    public record Prompt(String id, String text) {}

    /**
     * An answer.
     *
     * @param number of it, from 0
     * @param completion the text, and how it was written
     * @param score the higher the better, or NaN
     */
    public record Candidate(int number, Completion completion, double score) {}

    /**
     * A prompt with its answers, the best first; of equal ones the one with the smaller number.
     *
     * @param prompt that was answered
     * @param candidates empty if there is an error
     * @param error why there is no answer, such as a prompt that is too long; else null
     */
    public record Ranked(Prompt prompt, List<Candidate> candidates, @Nullable String error) {
        /** Copies the list. */
        public Ranked {
            candidates = List.copyOf(candidates);
        }
    }

    /** An answer that is to be written, and what came of it. */
    private record Task(Prompt prompt, int number) {}

    private record Done(Task task, @Nullable Candidate candidate, @Nullable String error) {}

    /**
     * @param count answers to each prompt, at least 1
     * @param inFlight answers in the making at the same time, at least 1
     */
    public BestOfN(TextGenerator generator, Scorer scorer, int count, long seed, int inFlight) {
        if (count < 1 || inFlight < 1) {
            throw new IllegalArgumentException("%d answers, %d at a time, are not possible".formatted(count, inFlight));
        }
        this.generator = generator;
        this.scorer = scorer;
        this.count = count;
        this.seed = seed;
        this.inFlight = inFlight;
    }

    /**
     * Answers and ranks.
     *
     * @param prompts taken as they are needed
     * @param listener receives the prompts in their order, on this thread; says whether to go on
     */
    public void run(Iterator<Prompt> prompts, Predicate<Ranked> listener) {
        List<Done> answers = new ArrayList<>();
        InFlight.run(tasks(prompts), inFlight, this::answer, this::cancel, done -> {
            answers.add(done);
            if (answers.size() < count) {
                return true;
            }
            Ranked ranked = ranked(answers);
            answers.clear();
            return listener.test(ranked);
        });
    }

    /** Makes texts and judgments that are in the making end soon; for any thread. */
    public void cancel() {
        generator.cancel();
        scorer.cancel();
    }

    private Iterator<Task> tasks(Iterator<Prompt> prompts) {
        return new Iterator<>() {
            private @Nullable Prompt prompt;
            private int next = count;

            @Override
            public boolean hasNext() {
                return next < count || prompts.hasNext();
            }

            @Override
            public Task next() {
                if (next == count || prompt == null) {
                    prompt = prompts.next();
                    next = 0;
                }
                return new Task(prompt, next++);
            }
        };
    }

    private Done answer(Task task) {
        try {
            Completion completion = generator.generate(task.prompt.text(), Seeds.of(seed, task.prompt.id(), task.number));
            return new Done(task, new Candidate(task.number, completion, scorer.score(task.prompt.text(), completion)), null);
        } catch (ContextLengthException | IllegalArgumentException e) {
            return new Done(task, null, String.valueOf(e.getMessage()));
        }
    }

    private static Ranked ranked(List<Done> answers) {
        Prompt prompt = answers.getFirst().task.prompt();
        List<Candidate> candidates = new ArrayList<>();
        for (Done done : answers) {
            if (done.candidate == null) {
                return new Ranked(prompt, List.of(), done.error);
            }
            candidates.add(done.candidate);
        }
        candidates.sort(Comparator.comparingDouble((Candidate candidate) -> Double.isNaN(candidate.score()) ? Double.NEGATIVE_INFINITY : candidate.score())
                .reversed()
                .thenComparingInt(Candidate::number));
        return new Ranked(prompt, candidates, null);
    }
}
