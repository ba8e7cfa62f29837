package dev.yangtuo;

import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.sampling.LogProbabilities;
import dev.yangtuo.scheduler.ReadingTask;
import dev.yangtuo.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** A prompt and a continuation whose tokens are scored. Its last token predicts nothing that is asked for, so it is not computed. */
final class Scoring extends Reading {
    private final int[] tokens;
    private final int promptLength;
    private final int vocabSize;
    private final Tokenizer tokenizer;
    private final ReadingTask task;
    private final ScoredToken[] scored;

    /**
     * @param tokens the prompt's, at least one, and behind them the continuation's, at least one
     * @param vocabSize values of a row of logits
     */
    Scoring(int[] tokens, int promptLength, int vocabSize, Tokenizer tokenizer) {
        this.tokens = tokens;
        this.promptLength = promptLength;
        this.vocabSize = vocabSize;
        this.tokenizer = tokenizer;
        this.task = new ReadingTask(Arrays.copyOf(tokens, tokens.length - 1), promptLength - 1, ReadingTask.Wanted.LOGITS, 0, this);
        this.scored = new ScoredToken[tokens.length - promptLength];
    }

    @Override
    ReadingTask task() {
        return task;
    }

    @Override
    public void accept(int position, int count, float[] rows) {
        IntStream.range(0, count).parallel().forEach(row ->
                scored[position + row + 1 - promptLength] = score(tokens[position + row + 1], rows, row * vocabSize));
    }

    private ScoredToken score(int id, float[] logits, int offset) {
        double logProbability = logits[offset + id] - LogProbabilities.logSumExp(logits, offset, vocabSize);
        if (!Double.isFinite(logProbability)) {
            throw new YangtuoException("the model computed %s as the log-probability of token %d; its weights are probably damaged".formatted(logProbability, id));
        }
        int choices = Math.min(vocabSize, tokenizer.vocabSize());
        return new ScoredToken(id, tokenizer.piece(id), logProbability, LogProbabilities.best(logits, offset, choices, 1)[0] == id);
    }

    /** The result; once the text is read. */
    Score score() {
        return new Score(List.of(scored));
    }
}
