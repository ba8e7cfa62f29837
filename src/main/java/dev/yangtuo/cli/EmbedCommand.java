package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.EmbeddingOptions;
import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.Pooling;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.tokenizer.EncodeOptions;
import dev.yangtuo.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Texts in, vectors out. */
@Command(
        name = "embed",
        mixinStandardHelpOptions = true,
        description = {
            "Computes a vector for each line of a text, many lines at a time: the states of its tokens behind the last norm of the model, pooled.",
            "Writes the numbers of each on a line, separated by spaces, or with --json as {\"index\":..,\"embedding\":[..]}."
        },
        footer = {
            "Lines end at line feeds. A beginning-of-sequence token is put before each and counts as one of its tokens.",
            "  yangtuo embed --prompt \"春眠不觉晓\"",
            "  yangtuo embed --model path/to/llama --file texts.txt --pool last --json"
        })
final class EmbedCommand implements Callable<Integer> {
    /** Lines that are read before they are computed together. */
    private static final int LINES = 256;

    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Option(names = ModelOptions.CONTEXT, paramLabel = "N", description = ModelOptions.CONTEXT_DESCRIPTION)
    private @Nullable Integer context;

    @ArgGroup(multiplicity = "1")
    private Source source;

    @Option(names = "--pool", paramLabel = "POOLING", completionCandidates = ValueNames.Poolings.class,
            description = "mean: the mean of all tokens; last: the last token. Default: mean.")
    private Pooling pooling = Pooling.MEAN;

    @Option(names = "--no-normalize", description = "Leave vectors as long as they are. Without it their Euclidean length is 1.")
    private boolean noNormalize;

    @Option(names = "--json", description = "Write one JSON object a line instead of text; docs/formats.md describes them.")
    private boolean json;

    /** One of three ways to give texts. */
    private static final class Source {
        @Option(names = "--prompt", paramLabel = "TEXT", description = "One text, taken as it is.")
        private @Nullable String prompt;

        @Option(names = "--file", paramLabel = "FILE", description = "Read texts from this file in UTF-8, one a line.")
        private @Nullable String file;

        @Parameters(paramLabel = "INPUT", arity = "0..1", description = "If it is -, read texts from standard input, one a line.")
        private @Nullable String dash;
    }

    @Override
    public Integer call() throws IOException {
        EmbeddingOptions options = EmbeddingOptions.defaults().pooling(pooling).normalize(!noNormalize);
        if (source.prompt != null) {
            try (Llama llama = load()) {
                write(llama.embed(List.of(source.prompt), options), 0);
            }
            return CommandLine.ExitCode.OK;
        }
        TextFile file = file();
        file.check();
        try (Llama llama = load(); InputStream in = file.open()) {
            embedLines(llama, new LineReader(in, file.name()), file.name(), options);
        }
        return CommandLine.ExitCode.OK;
    }

    private TextFile file() {
        if (source.file != null) {
            return TextFile.of(source.file);
        }
        if (!"-".equals(source.dash)) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(), "'%s' is not understood; a text is given with --prompt TEXT, a file of texts with --file FILE".formatted(source.dash));
        }
        return TextFile.STANDARD_INPUT;
    }

    private Llama load() {
        return model.load(ModelOptions.WeightTypeDefault.OF_FILE, KvType.F16, context, spec.commandLine().getErr());
    }

    private void embedLines(Llama llama, LineReader reader, String name, EmbeddingOptions options) throws IOException {
        List<int[]> lines = new ArrayList<>();
        long first = 0;
        for (byte[] line = reader.next(); line != null; line = reader.next()) {
            lines.add(ids(llama, line, name + ", line " + reader.number()));
            if (lines.size() == LINES || reader.pauses()) {
                write(llama.embedIds(lines, options), first);
                first += lines.size();
                lines.clear();
            }
        }
        write(llama.embedIds(lines, options), first);
    }

    /** @param place where the line is */
    private static int[] ids(Llama llama, byte[] line, String place) {
        Tokenizer tokenizer = llama.tokenizer();
        int[] ids = tokenizer.encode(line, EncodeOptions.PLAIN.withBos(tokenizer.bosId() >= 0));
        if (ids.length == 0) {
            throw new YangtuoException("%s: is empty, and the vocabulary has no beginning of sequence; leave the line out".formatted(place));
        }
        if (ids.length > llama.contextLength()) {
            throw new YangtuoException("%s: has %d tokens, the context takes %d; break the line, or give a larger %s"
                    .formatted(place, ids.length, llama.contextLength(), ModelOptions.CONTEXT));
        }
        return ids;
    }

    /** @param first number of the first text, from 0 */
    private void write(List<float[]> vectors, long first) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        for (int i = 0; i < vectors.size(); i++) {
            if (json) {
                JsonResult.write(object(vectors.get(i), first + i), out);
            } else {
                out.print(asWords(vectors.get(i)) + "\n");
            }
        }
        StandardOutput.flush(out);
    }

    private static ObjectNode object(float[] vector, long index) {
        ObjectNode object = JsonResult.object();
        object.put("index", index);
        ArrayNode elements = object.putArray("embedding");
        for (float element : vector) {
            elements.add(element);
        }
        return object;
    }

    private static String asWords(float[] vector) {
        StringBuilder words = new StringBuilder();
        for (float element : vector) {
            words.append(words.isEmpty() ? "" : " ").append(element);
        }
        return words.toString();
    }
}
