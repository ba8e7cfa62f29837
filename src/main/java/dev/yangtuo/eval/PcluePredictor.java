package dev.yangtuo.eval;

import dev.yangtuo.Score;
import dev.yangtuo.concurrent.InFlight;
import dev.yangtuo.exception.ContextLengthException;
import dev.yangtuo.exception.YangtuoException;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;

/** Lets a model answer pCLUE's tasks. Used by one thread; asks with many. */
public final class PcluePredictor {
    private final LanguageModel model;
    private final PclueOptions options;

    /** @param model stays the caller's */
    public PcluePredictor(LanguageModel model, PclueOptions options) {
        this.model = model;
        this.options = options;
    }

    /**
     * Answers tasks; no more of them are in memory than are being answered. By generation the answer is the first line that is not blank, without white space at its ends;
     * by log-probability the most probable choice, of equal ones the first. A task that is longer than the context loses its beginning, since what is asked stands at its end.
     *
     * @param items read as they are needed, by the calling thread
     * @param listener told every answer, in the order of the tasks. What it throws ends the work
     * @throws YangtuoException if an answer that was asked for is longer than the context
     * @throws java.util.concurrent.CancellationException if the calling thread is interrupted
     */
    public void predict(Iterator<PclueItem> items, Consumer<? super PcluePrediction> listener) {
        InFlight.run(items, options.inFlight(), this::predict, () -> {}, prediction -> {
            listener.accept(prediction);
            return true;
        });
    }

    private PcluePrediction predict(PclueItem item) {
        try {
            boolean chooses = options.method() == AnswerMethod.LOG_PROBABILITY && !item.choices().isEmpty();
            int answerTokens = chooses ? item.choices().stream().mapToInt(model::countTokens).max().orElseThrow() : options.maxTokens();
            String input = fitting(item.input(), model.contextLength() - answerTokens);
            String prompt = options.style().apply(input);
            return new PcluePrediction(item, chooses ? best(prompt, item.choices()) : firstLine(prompt), input.length() < item.input().length());
        } catch (ContextLengthException e) {
            throw new YangtuoException("%s: the context of %d tokens has no room for the answer; load the model with a larger context"
                    .formatted(item.place(), model.contextLength()), e);
        }
    }

    private String best(String prompt, List<String> choices) {
        List<Score> scores = model.score(prompt, choices);
        int best = 0;
        for (int i = 1; i < choices.size(); i++) {
            if (value(scores.get(i)) > value(scores.get(best))) {
                best = i;
            }
        }
        return choices.get(best);
    }

    private double value(Score score) {
        return options.perToken() ? score.perToken() : score.sum();
    }

    private String firstLine(String prompt) {
        String written = model.generate(prompt, options.maxTokens(), PcluePredictor::isAnswered);
        return written.strip().lines().findFirst().orElse("").strip();
    }

    /** Whether there is a line that is not blank, with its end. */
    static boolean isAnswered(String written) {
        return written.stripLeading().contains("\n");
    }

    /** The text, or the longest end of it whose prompt has at most so many tokens. */
    private String fitting(String text, int tokens) {
        if (fits(text, tokens)) {
            return text;
        }
        if (!fits("", tokens)) {
            throw new ContextLengthException(model.countTokens(options.style().apply("")), tokens);
        }
        // The shortest beginning that has to go: more tokens go with a longer one, but for those at the cut.
        int low = 0;
        int high = text.length();
        while (high - low > 1) {
            int middle = (low + high) >>> 1;
            if (fits(text.substring(middle), tokens)) {
                high = middle;
            } else {
                low = middle;
            }
        }
        boolean halved = high < text.length() && Character.isLowSurrogate(text.charAt(high));
        return text.substring(halved ? high + 1 : high);
    }

    private boolean fits(String text, int tokens) {
        return model.countTokens(options.style().apply(text)) <= tokens;
    }
}
