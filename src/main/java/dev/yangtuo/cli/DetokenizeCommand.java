package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.yangtuo.tokenizer.Tokenizer;
import dev.yangtuo.tokenizer.Utf8;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.StringTokenizer;
import java.util.concurrent.Callable;
import java.util.stream.StreamSupport;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Ids in, text out. */
@Command(
        name = "detokenize",
        mixinStandardHelpOptions = true,
        description = "Reads lines of token ids, or of pieces, from standard input and writes the text of each on a line.",
        footer = {
            "  yangtuo detokenize < ids.txt",
            "  yangtuo tokenize --jsonl < texts.jsonl | yangtuo detokenize --jsonl"
        })
final class DetokenizeCommand implements Callable<Integer> {
    @Mixin
    private TokenizerOptions tokenizerOptions;

    @ArgGroup
    private Format format = new Format();

    /** What a line is. */
    private static final class Format {
        @Option(names = "--pieces", description = "Read pieces, separated by spaces, instead of ids.")
        private boolean pieces;

        @Option(names = "--jsonl", description = "Read {\"ids\":[..]} or {\"pieces\":[..]} and write {\"text\":..}, one object a line.")
        private boolean jsonl;
    }

    @Option(names = "--json", description = "Write {\"text\":..} for each line instead of text, as --jsonl does.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        Tokenizer tokenizer = tokenizerOptions.load();
        JsonLines lines = new JsonLines();
        LineFilter.run(line -> {
            String text = format.jsonl ? textOf(tokenizer, lines.read(line)) : textOf(tokenizer, line);
            return json || format.jsonl ? lines.write(Map.of("text", text)) : text;
        });
        return CommandLine.ExitCode.OK;
    }

    private static String textOf(Tokenizer tokenizer, JsonNode object) {
        return object.has("pieces") ? tokenizer.decodePieces(jsonPieces(object)) : tokenizer.decode(jsonIds(object));
    }

    private String textOf(Tokenizer tokenizer, byte[] line) {
        return format.pieces ? tokenizer.decodePieces(List.of(Utf8.decode(line).split(" +"))) : tokenizer.decode(plainIds(line));
    }

    private static int[] plainIds(byte[] line) {
        StringTokenizer words = new StringTokenizer(new String(line, StandardCharsets.UTF_8), " \t\r,");
        int[] ids = new int[words.countTokens()];
        for (int i = 0; i < ids.length; i++) {
            String word = words.nextToken();
            try {
                ids[i] = Integer.parseInt(word);
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("'%s' is not a token id".formatted(word), e);
            }
        }
        return ids;
    }

    private static List<String> jsonPieces(JsonNode object) {
        JsonNode pieces = object.path("pieces");
        if (!pieces.isArray() || StreamSupport.stream(pieces.spliterator(), false).anyMatch(piece -> !piece.isTextual())) {
            throw new IllegalArgumentException("expected a list of strings \"pieces\"");
        }
        return StreamSupport.stream(pieces.spliterator(), false).map(JsonNode::textValue).toList();
    }

    private static int[] jsonIds(JsonNode object) {
        JsonNode ids = object.path("ids");
        if (!ids.isArray() || StreamSupport.stream(ids.spliterator(), false).anyMatch(id -> !id.isInt())) {
            throw new IllegalArgumentException("expected an object with a list of integers \"ids\"");
        }
        return StreamSupport.stream(ids.spliterator(), false).mapToInt(JsonNode::intValue).toArray();
    }
}
