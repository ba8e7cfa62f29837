package dev.yangtuo.cli;

import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.tokenizer.EncodeOptions;
import dev.yangtuo.tokenizer.TokenCounter;
import dev.yangtuo.tokenizer.TokenStatistics;
import dev.yangtuo.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What some texts become with some tokenizers.
 *
 * @param models the tokenizers, at least one
 * @param sections one for each text, at least one
 */
record StatisticsReport(List<NamedTokenizer> models, List<Section> sections) {
    /**
     * A tokenizer.
     *
     * @param name short, unlike the others'
     * @param path where it is from
     */
    record NamedTokenizer(String name, Path path, Tokenizer tokenizer) {}

    /**
     * One text.
     *
     * @param byModel for each tokenizer, in their order; what they say of the text itself is the same in all
     */
    record Section(TextFile text, List<TokenStatistics> byModel) {}

    /**
     * Reads all texts, line by line, each line a text of its own.
     *
     * @throws YangtuoException if one cannot be read to its end
     * @throws IllegalArgumentException if a tokenizer lacks an id that the options ask for
     */
    static StatisticsReport of(List<NamedTokenizer> models, List<TextFile> texts, EncodeOptions options, ProgressDisplay display) {
        Progress progress = new Progress(display, totalSize(texts));
        List<Section> sections = new ArrayList<>();
        for (TextFile text : texts) {
            List<TokenCounter> counters = models.stream().map(model -> new TokenCounter(model.tokenizer(), options)).toList();
            try (InputStream in = text.open()) {
                LineReader lines = new LineReader(in, text.name());
                for (byte[] line = lines.next(); line != null; line = lines.next()) {
                    for (TokenCounter counter : counters) {
                        counter.add(line);
                    }
                    progress.advance(line.length + 1);
                }
            } catch (IOException e) {
                throw new YangtuoException("%s: cannot be read: %s".formatted(text.name(), Failures.reason(e)), e);
            }
            sections.add(new Section(text, counters.stream().map(TokenCounter::statistics).toList()));
        }
        return new StatisticsReport(models, sections);
    }

    private static long totalSize(List<TextFile> texts) {
        long total = 0;
        for (TextFile text : texts) {
            long size = text.size();
            if (size == ProgressDisplay.UNKNOWN_TOTAL) {
                return size;
            }
            total += size;
        }
        return total;
    }

    /** All texts together, for each tokenizer. */
    List<TokenStatistics> total() {
        List<TokenStatistics> totals = new ArrayList<>();
        for (int i = 0; i < models.size(); i++) {
            int model = i;
            totals.add(sections.stream().map(section -> section.byModel().get(model)).reduce(TokenStatistics.NONE, TokenStatistics::plus));
        }
        return totals;
    }

    /** Tokens in proportion to the first tokenizer's; NaN where that has none. */
    static double ratioToFirst(List<TokenStatistics> byModel, int model) {
        return (double) byModel.get(model).tokens() / byModel.getFirst().tokens();
    }

    /** Bytes read of all texts. */
    private static final class Progress {
        private final ProgressDisplay display;
        private final long total;
        private long done;

        Progress(ProgressDisplay display, long total) {
            this.display = display;
            this.total = total;
        }

        void advance(long bytes) {
            done += bytes;
            display.update(done, total);
        }
    }
}
