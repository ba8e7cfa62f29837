package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.yangtuo.Engine;
import dev.yangtuo.tokenizer.EncodeOptions;
import dev.yangtuo.tokenizer.Segmentation;
import dev.yangtuo.tokenizer.Token;
import dev.yangtuo.tokenizer.Tokenizer;
import dev.yangtuo.tokenizer.Utf8;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Lines in, ids or pieces out. */
@Command(
        name = "tokenize",
        mixinStandardHelpOptions = true,
        description = {
            "Reads lines from standard input and writes the token ids of each on a line, separated by spaces.",
            "With --input and --output, encodes a whole file, of any size, as one text.",
            "With --stats, counts the tokens of files or of standard input instead, with one model or with several side by side."
        },
        footer = {
            "Each line is a text of its own. Line feeds end texts and belong to none: they are neither tokens nor characters nor bytes. "
                    + "Every byte that is not UTF-8 is one character, U+FFFD. A file is read line by line, whatever its size; only --input reads "
                    + "its line feeds as part of the text.",
            "  yangtuo tokenize --pieces < text.txt",
            "  yangtuo tokenize --input corpus.txt --output corpus.u32 --id-type u32",
            "  yangtuo tokenize --stats --model path/to/llama --model path/to/chinese-llama text.txt",
            "  yangtuo tokenize --compare-engines --model model.gguf < text.txt"
        })
final class TokenizeCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private TokenizerOptions tokenizerOptions;

    @ArgGroup
    private Format format = new Format();

    @Option(names = "--json",
            description = "Write JSON instead of text: for each line {\"ids\":[..]} or {\"pieces\":[..]}, with --stats or --output one object;"
                    + " docs/formats.md describes them.")
    private boolean json;

    @Option(names = "--bos", description = "Put the beginning-of-sequence token first.")
    private boolean bos;

    @Option(names = "--eos", description = "Put the end-of-sequence token last.")
    private boolean eos;

    @Option(names = "--reverse", description = "Write the tokens of the text in reverse order; those of --bos and --eos stay where they are.")
    private boolean reverse;

    @Option(names = "--special",
            description = "Read special tokens that are written in the text, such as </s>, as such. Only for text that you trust.")
    private boolean special;

    @Option(names = "--offsets",
            description = "With --json or --jsonl: also write \"pieces\" and their places in the text as [begin, end], \"chars\" in UTF-16 and \"bytes\" in UTF-8.")
    private boolean offsets;

    @Option(names = "--nbest", paramLabel = "N",
            description = "With --json or --jsonl and a unigram model: write {\"nbest\":[{\"ids\":[..],\"score\":..},..]}, the N best ways to cut the text.")
    private @Nullable Integer nBest;

    @Option(names = "--sample", paramLabel = "ALPHA",
            description = "Cut each text at random. BPE: the probability of leaving out a merge, 0 to 1; unigram: the power of the probabilities.")
    private @Nullable Double sample;

    @Option(names = "--seed", paramLabel = "S", description = "With --sample: the same seed gives the same tokens. Default: another one each time.")
    private @Nullable Long seed;

    @Mixin
    private IdFileFlags idFile;

    @Mixin
    private StatisticsFlags statistics;

    /** What is written instead of the ids of each line. */
    private static final class Format {
        @Option(names = "--pieces", description = "Write pieces instead of ids.")
        private boolean pieces;

        @Option(names = "--jsonl", description = "Read {\"text\":..} and write {\"ids\":[..]}, one object a line.")
        private boolean jsonl;

        @Option(names = "--stats",
                description = "Write statistics: tokens, their ratio to those of the first --model, characters and bytes per token, "
                        + "the share of tokens that are bytes of characters without a piece, unknown tokens.")
        private boolean stats;

        @Option(names = "--compare-engines",
                description = "Encode each line with yangtuo's tokenizer and with llama.cpp's, and write the ids of both, on one line where they are the same. "
                        + "Exit code 1 if those of any line differ.")
        private boolean compareEngines;
    }

    @Override
    public Integer call() throws IOException {
        EncodeOptions options = new EncodeOptions(bos, eos, reverse, special);
        checkCombinations();
        if (format.stats) {
            statistics.run(tokenizerOptions, options, json);
        } else if (idFile.isAskedFor()) {
            idFile.run(tokenizerOptions, options, json);
        } else if (format.compareEngines) {
            return new EngineComparison(tokenizerOptions.load(Engine.YANGTUO), tokenizerOptions.load(Engine.LLAMA_CPP)).run(options, json, spec.commandLine().getErr());
        } else {
            filterLines(tokenizerOptions.load(), options);
        }
        return CommandLine.ExitCode.OK;
    }

    private void checkCombinations() {
        if (!format.stats) {
            statistics.requireNone();
        }
        if ((offsets || nBest != null) && (!writesObjects() || format.pieces)) {
            throw usage("%s is for --json and --jsonl; add one of them, without --pieces".formatted(offsets ? "--offsets" : "--nbest"));
        }
        if (seed != null && sample == null) {
            throw usage("--seed is for --sample; add it");
        }
        if (sample != null && (format.stats || offsets || nBest != null || reverse || special || idFile.isAskedFor())) {
            throw usage("--sample goes with --pieces, --json, --jsonl, --bos and --eos alone");
        }
        if (nBest != null && (offsets || bos || eos || reverse || special)) {
            throw usage("--nbest goes with --json or --jsonl alone");
        }
        if (format.compareEngines && (sample != null || offsets || nBest != null || tokenizerOptions.namesEngine())) {
            throw usage("--compare-engines goes with --json, --bos, --eos, --reverse and --special alone");
        }
        if (idFile.isAskedFor() && (format.pieces || format.jsonl || format.stats || format.compareEngines || reverse || special)) {
            throw usage("--input and --output write ids; only --bos and --eos go with them");
        }
        idFile.check();
    }

    /** Whether lines become objects. */
    private boolean writesObjects() {
        return format.jsonl || json && !format.stats && !format.compareEngines && !idFile.isAskedFor();
    }

    private CommandLine.ParameterException usage(String problem) {
        return new CommandLine.ParameterException(spec.commandLine(), problem);
    }

    private void filterLines(Tokenizer tokenizer, EncodeOptions options) throws IOException {
        JsonLines lines = new JsonLines();
        RandomGenerator random = seed == null ? new SplittableRandom() : new SplittableRandom(seed);
        LineFilter.run(line -> {
            if (writesObjects()) {
                return objectOf(tokenizer, lines, format.jsonl ? textOf(lines.read(line)) : Utf8.decode(line), options, random);
            }
            if (sample == null && !format.pieces) {
                return joined(tokenizer.encode(line, options), " ");
            }
            if (sample == null) {
                return tokenizer.encodeAsTokens(line, options).stream().map(Token::piece).collect(Collectors.joining(" "));
            }
            int[] ids = sampled(tokenizer, Utf8.decode(line), options, random);
            return format.pieces ? String.join(" ", pieces(tokenizer, ids)) : joined(ids, " ");
        });
    }

    private static List<String> pieces(Tokenizer tokenizer, int[] ids) {
        return Arrays.stream(ids).mapToObj(tokenizer::piece).toList();
    }

    private String objectOf(Tokenizer tokenizer, JsonLines lines, String text, EncodeOptions options, RandomGenerator random) throws IOException {
        if (nBest != null) {
            List<Map<String, Object>> best = nBest(tokenizer, text, nBest).stream()
                    .map(one -> Map.<String, Object>of("ids", one.ids(), "score", one.score())).toList();
            return lines.write(Map.of("nbest", best));
        }
        if (!offsets) {
            int[] ids = sample == null ? tokenizer.encode(text, options) : sampled(tokenizer, text, options, random);
            return format.pieces ? lines.write(Map.of("pieces", pieces(tokenizer, ids))) : "{\"ids\":[" + joined(ids, ",") + "]}";
        }
        List<Token> tokens = tokenizer.encodeAsTokens(text, options);
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("ids", tokens.stream().map(Token::id).toList());
        object.put("pieces", tokens.stream().map(Token::piece).toList());
        object.put("chars", tokens.stream().map(token -> new int[] {token.charStart(), token.charEnd()}).toList());
        object.put("bytes", tokens.stream().map(token -> new int[] {token.byteStart(), token.byteEnd()}).toList());
        return lines.write(object);
    }

    private static List<Segmentation> nBest(Tokenizer tokenizer, String text, int n) {
        try {
            return tokenizer.nBest(text, n);
        } catch (UnsupportedOperationException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    private int[] sampled(Tokenizer tokenizer, String text, EncodeOptions options, RandomGenerator random) {
        int[] ids;
        try {
            ids = tokenizer.sample(text, sample, random);
        } catch (UnsupportedOperationException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
        int[] first = tokenizer.encode("", new EncodeOptions(options.bos(), false));
        int[] last = tokenizer.encode("", new EncodeOptions(false, options.eos()));
        int[] framed = Arrays.copyOf(first, first.length + ids.length + last.length);
        System.arraycopy(ids, 0, framed, first.length, ids.length);
        System.arraycopy(last, 0, framed, first.length + ids.length, last.length);
        return framed;
    }

    private static String textOf(JsonNode object) {
        JsonNode text = object.path("text");
        if (!text.isTextual()) {
            throw new IllegalArgumentException("expected an object with a string \"text\"");
        }
        return text.textValue();
    }

    static String joined(int[] ids, String separator) {
        StringBuilder text = new StringBuilder(ids.length * 6);
        for (int i = 0; i < ids.length; i++) {
            text.append(i == 0 ? "" : separator).append(ids[i]);
        }
        return text.toString();
    }
}
