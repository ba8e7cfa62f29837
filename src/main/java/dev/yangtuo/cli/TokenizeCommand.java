package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.tokenizer.EncodeOptions;
import dev.yangtuo.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Lines in, ids or pieces out. */
@Command(
        name = "tokenize",
        mixinStandardHelpOptions = true,
        description = "Reads lines from standard input and writes the token ids of each on a line, separated by spaces.")
final class TokenizeCommand implements Callable<Integer>, Verbose {
    @Mixin
    private TokenizerOptions tokenizerOptions;

    @ArgGroup
    private Format format = new Format();

    @Option(names = "--bos", description = "Put the beginning-of-sequence token first.")
    private boolean bos;

    @Option(names = "--eos", description = "Put the end-of-sequence token last.")
    private boolean eos;

    /** One of three ways to write a line. */
    private static final class Format {
        @Option(names = "--ids", description = "Write ids (the default).")
        private boolean ids;

        @Option(names = "--pieces", description = "Write pieces.")
        private boolean pieces;

        @Option(names = "--jsonl", description = "Read {\"text\":..} and write {\"ids\":[..]}, one object a line.")
        private boolean jsonl;
    }

    @Override
    public boolean verbose() {
        return tokenizerOptions.verbose();
    }

    @Override
    public Integer call() throws IOException {
        Tokenizer tokenizer = tokenizerOptions.load();
        EncodeOptions options = new EncodeOptions(bos, eos);
        ObjectMapper mapper = new ObjectMapper();
        LineFilter.run(line -> {
            if (format.jsonl) {
                return "{\"ids\":[" + joined(tokenizer.encode(textOf(mapper.readTree(line)), options), ",") + "]}";
            }
            int[] ids = tokenizer.encode(line, options);
            return format.pieces ? pieces(tokenizer, ids) : joined(ids, " ");
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

    private static String pieces(Tokenizer tokenizer, int[] ids) {
        return Arrays.stream(ids).mapToObj(tokenizer::piece).collect(Collectors.joining(" "));
    }

    private static String joined(int[] ids, String separator) {
        StringBuilder text = new StringBuilder(ids.length * 6);
        for (int i = 0; i < ids.length; i++) {
            text.append(i == 0 ? "" : separator).append(ids[i]);
        }
        return text.toString();
    }
}
