package dev.yangtuo.cli;

import dev.yangtuo.bench.Samples;
import dev.yangtuo.tokenizer.TokenStatistics;
import java.nio.file.Path;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * What one text costs with some models or vocabularies.
 *
 * @param text what the command line calls it
 * @param timedCharacters of its beginning, on which times were measured; 0 if none were
 * @param repeats runs of each measurement
 * @param subjects what is compared; with the first
 * @param interrupted whether some that were asked for are missing
 */
record VocabularyComparison(String text, long timedCharacters, int repeats, List<Subject> subjects, boolean interrupted) {
    /** Characters to which costs are related. */
    static final int UNIT = 1000;

    /** Copies the list. */
    VocabularyComparison {
        subjects = List.copyOf(subjects);
    }

    /**
     * A model or a vocabulary.
     *
     * @param name short, unlike the others'
     * @param path of the model or the tokenizer
     * @param adapters of the model
     * @param vocabSize pieces of the tokenizer
     * @param statistics of the text
     * @param costs null for a vocabulary alone
     */
    record Subject(String name, Path path, List<Path> adapters, int vocabSize, TokenStatistics statistics, @Nullable ModelCost costs) {
        double tokensPerUnit() {
            return (double) UNIT * statistics.tokens() / statistics.characters();
        }

        /** Seconds, the median; NaN where nothing was measured. */
        double readSeconds() {
            return costs == null ? Double.NaN : costs.readSeconds().median();
        }

        /** Seconds, the median; NaN where nothing was measured. */
        double writeSeconds() {
            return costs == null || costs.writeSeconds() == null ? Double.NaN : costs.writeSeconds().median();
        }

        /** NaN where nothing was measured. */
        double readTokensPerSecond() {
            return tokensPerUnit() / readSeconds();
        }

        /** NaN where nothing was measured. */
        double writeTokensPerSecond() {
            return tokensPerUnit() / writeSeconds();
        }

        /** Bytes of keys and values of a token; NaN for a vocabulary alone. */
        double kvBytesPerToken() {
            return costs == null ? Double.NaN : costs.kvBytesPerToken();
        }

        /** Bytes of keys and values of {@link #UNIT} characters; NaN for a vocabulary alone. */
        double kvBytes() {
            return kvBytesPerToken() * tokensPerUnit();
        }

        /** Tokens; NaN for a vocabulary alone. */
        double context() {
            return costs == null ? Double.NaN : costs.context();
        }

        /** How many characters fit the context at this text's rate; NaN for a vocabulary alone. */
        double charactersInContext() {
            return costs == null ? Double.NaN : Math.floor(costs.windowTokens() * statistics.charactersPerToken());
        }
    }

    /**
     * What a model needs for {@link #UNIT} characters.
     *
     * @param context tokens that a text can have
     * @param windowTokens of these, those that are left for the text beside a beginning of sequence
     * @param kvBytesPerToken keys and values of a token in all layers
     * @param readSeconds to compute the characters as a prompt, in each run
     * @param writeSeconds to generate as many tokens as they take, in each run; null if that was not measured
     */
    record ModelCost(int context, int windowTokens, long kvBytesPerToken, Samples readSeconds, @Nullable Samples writeSeconds) {}

    /** A figure in proportion to that of the first; NaN where either has none. */
    double ratioToFirst(Subject subject, ToDoubleFunction<Subject> figure) {
        return figure.applyAsDouble(subject) / figure.applyAsDouble(subjects.getFirst());
    }
}
