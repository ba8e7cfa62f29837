package dev.yangtuo.cli;

import dev.yangtuo.Engine;
import dev.yangtuo.tokenizer.EncodeOptions;
import dev.yangtuo.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine;

/** {@code tokenize --compare-engines}: the same lines by two tokenizers of one model. */
final class EngineComparison {
    /** As wide as the longest name, and a space. */
    private static final String ROW = "%-10s%s";

    private final Tokenizer ours;
    private final Tokenizer other;
    private long lines;
    private long same;

    EngineComparison(Tokenizer ours, Tokenizer other) {
        this.ours = ours;
        this.other = other;
    }

    /** Reads standard input to its end. The exit code says whether all lines have the same ids. */
    int run(EncodeOptions options, boolean json, PrintWriter err) throws IOException {
        JsonLines objects = new JsonLines();
        LineFilter.run(line -> {
            int[] first = ours.encode(line, options);
            int[] second = other.encode(line, options);
            boolean equal = Arrays.equals(first, second);
            lines++;
            same += equal ? 1 : 0;
            return json ? object(objects, first, second, equal) : rows(first, second, equal);
        });
        err.printf("%d of %d lines have the same ids%n", same, lines);
        return same == lines ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
    }

    private static String rows(int[] first, int[] second, boolean equal) {
        String ids = TokenizeCommand.joined(first, " ");
        return equal ? ROW.formatted("both", ids) : ROW.formatted(Engine.YANGTUO, ids) + "\n" + ROW.formatted(Engine.LLAMA_CPP, TokenizeCommand.joined(second, " "));
    }

    private static String object(JsonLines objects, int[] first, int[] second, boolean equal) throws IOException {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("equal", equal);
        object.put("yangtuo", first);
        object.put("llama_cpp", second);
        return objects.write(object);
    }
}
