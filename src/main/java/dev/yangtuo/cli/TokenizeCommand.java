package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.yangtuo.tokenizer.EncodeOptions;
import dev.yangtuo.tokenizer.Tokenizer;
import dev.yangtuo.tokenizer.Utf8;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Lines in, ids or pieces out. */
@Command(
        name = "tokenize",
        mixinStandardHelpOptions = true,
        description = {
            "Reads lines from standard input and writes the token ids of each on a line, separated by spaces.",
            "With --stats, counts the tokens of files or of standard input instead, with one model or with several side by side."
        },
        footer = {
            "",
            "Each line is a text of its own. Line feeds end texts and belong to none: they are neither tokens nor characters nor bytes. "
                    + "Every byte that is not UTF-8 is one character, U+FFFD. A file is read line by line, whatever its size.",
            "",
            "  yangtuo tokenize --stats --model llama --model chinese-llama text.txt"
        })
final class TokenizeCommand implements Callable<Integer>, Verbose {
    @Mixin
    private TokenizerOptions tokenizerOptions;

    @ArgGroup
    private Format format = new Format();

    @Option(names = "--bos", description = "Put the beginning-of-sequence token first.")
    private boolean bos;

    @Option(names = "--eos", description = "Put the end-of-sequence token last.")
    private boolean eos;

    @Mixin
    private StatisticsFlags statistics;

    /** One of three ways to write a line, or none of them. */
    private static final class Format {
        @Option(names = "--ids", description = "Write ids (the default).")
        private boolean ids;

        @Option(names = "--pieces", description = "Write pieces.")
        private boolean pieces;

        @Option(names = "--jsonl", description = "Read {\"text\":..} and write {\"ids\":[..]}, one object a line.")
        private boolean jsonl;

        @Option(names = "--stats",
                description = "Write statistics: tokens, their ratio to those of the first --model, characters and bytes per token, "
                        + "the share of tokens that are bytes of characters without a piece, unknown tokens.")
        private boolean stats;
    }

    @Override
    public boolean verbose() {
        return tokenizerOptions.verbose();
    }

    @Override
    public Integer call() throws IOException {
        EncodeOptions options = new EncodeOptions(bos, eos);
        if (format.stats) {
            statistics.run(tokenizerOptions, options);
            return CommandLine.ExitCode.OK;
        }
        statistics.requireNone();
        Tokenizer tokenizer = tokenizerOptions.load();
        JsonLines json = new JsonLines();
        LineFilter.run(line -> {
            if (format.jsonl) {
                return "{\"ids\":[" + joined(tokenizer.encode(textOf(json.read(line)), options), ",") + "]}";
            }
            return format.pieces ? String.join(" ", pieces(tokenizer, line)) : joined(tokenizer.encode(line, options), " ");
        });
        return CommandLine.ExitCode.OK;
    }

    private static String textOf(JsonNode object) {
        JsonNode text = object.path("text");
        if (!text.isTextual()) {
            throw new IllegalArgumentException("expected an object with a string \"text\"");
        }
        return text.textValue();
    }

    /** Characters without a piece are written as themselves. */
    private List<String> pieces(Tokenizer tokenizer, byte[] line) {
        List<String> pieces = new ArrayList<>();
        for (int id : tokenizer.encode("", new EncodeOptions(bos, false))) {
            pieces.add(tokenizer.piece(id));
        }
        pieces.addAll(tokenizer.encodeAsPieces(Utf8.decode(line)));
        for (int id : tokenizer.encode("", new EncodeOptions(false, eos))) {
            pieces.add(tokenizer.piece(id));
        }
        return pieces;
    }

    private static String joined(int[] ids, String separator) {
        StringBuilder text = new StringBuilder(ids.length * 6);
        for (int i = 0; i < ids.length; i++) {
            text.append(i == 0 ? "" : separator).append(ids[i]);
        }
        return text.toString();
    }
}
