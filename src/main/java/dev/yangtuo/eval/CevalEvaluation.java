package dev.yangtuo.eval;

import dev.yangtuo.concurrent.InFlight;
import dev.yangtuo.exception.YangtuoException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Asks a model multiple-choice questions, as C-Eval (Huang et al., arXiv 2305.08322) and the evaluation scripts of Chinese-LLaMA-Alpaca do. Used by one thread; asks with
 * many.
 */
public final class CevalEvaluation {
    private final LanguageModel model;
    private final CevalOptions options;
    private final CevalPrompt prompt;

    /** @param shots examples of the subject that go before the question */
    private record Asked(CevalSubject subject, CevalQuestion question, int shots) {}

    /** @param model stays the caller's */
    public CevalEvaluation(LanguageModel model, CevalOptions options) {
        this.model = model;
        this.options = options;
        this.prompt = new CevalPrompt(options.style(), options.cevalHeader());
    }

    /**
     * Asks all questions. Whether all prompts fit is found before the first is computed.
     *
     * @param subjects of different ids
     * @param listener told every answer, in the order of the questions. What it throws ends the evaluation
     * @throws YangtuoException if a subject has fewer examples than are asked for, or a question without examples is longer than the context
     * @throws java.util.concurrent.CancellationException if the calling thread is interrupted
     */
    public CevalResult run(List<CevalSubject> subjects, Consumer<? super CevalAnswer> listener) {
        List<Asked> asked = new ArrayList<>();
        for (CevalSubject subject : subjects) {
            subject.requireExamples(options.shots());
            subject.questions().forEach(question -> asked.add(new Asked(subject, question, fittingExamples(subject, question))));
        }
        List<CevalAnswer> answers = new ArrayList<>();
        InFlight.run(asked.iterator(), options.inFlight(), this::answer, () -> {}, answer -> {
            answers.add(answer);
            listener.accept(answer);
            return true;
        });
        return CevalResult.of(subjects, answers, options.shots());
    }

    /** The most examples with which the prompt, and an answer that is generated, fit the context. */
    private int fittingExamples(CevalSubject subject, CevalQuestion question) {
        int room = model.contextLength() - (options.method() == AnswerMethod.GENERATION ? options.maxTokens() : 0);
        for (int shots = options.shots(); ; shots--) {
            int tokens = model.countTokens(prompt.of(subject, question, shots));
            if (tokens <= room) {
                return shots;
            }
            if (shots == 0) {
                throw new YangtuoException("%s, line %d: the question has %d tokens, the context has room for %d; load the model with a larger context, or take the question out"
                        .formatted(subject.file(), question.line(), tokens, room));
            }
        }
    }

    private CevalAnswer answer(Asked asked) {
        String text = prompt.of(asked.subject(), asked.question(), asked.shots());
        return options.method() == AnswerMethod.GENERATION ? generated(asked, text) : scored(asked, text);
    }

    private CevalAnswer scored(Asked asked, String text) {
        double[] scores = model.scoreNext(text, CevalQuestion.LETTERS);
        // Of equal scores the first letter wins, as numpy's argmax has it.
        int best = IntStream.range(0, scores.length).reduce((left, right) -> scores[right] > scores[left] ? right : left).orElseThrow();
        return of(asked, CevalQuestion.LETTERS.get(best), false, Arrays.stream(scores).boxed().toList(), "");
    }

    private CevalAnswer generated(Asked asked, String text) {
        String written = model.generate(text, options.maxTokens(), soFar -> false);
        Optional<String> letter = AnswerExtraction.letter(written, asked.question().choices());
        return of(asked, letter.orElseGet(() -> guess(asked)), letter.isEmpty(), List.of(), written);
    }

    /** The reference draws a letter where a text names none; here the draw is the same in every run. */
    private String guess(Asked asked) {
        long seed = options.seed() * 31 + asked.subject().id().hashCode();
        return CevalQuestion.LETTERS.get(new SplittableRandom(seed * 31 + asked.question().id().hashCode()).nextInt(CevalQuestion.LETTERS.size()));
    }

    private static CevalAnswer of(Asked asked, String letter, boolean guessed, List<Double> scores, String text) {
        CevalQuestion question = asked.question();
        return new CevalAnswer(asked.subject().id(), question.id(), letter, question.answer(), guessed, asked.shots(), scores, text);
    }
}
