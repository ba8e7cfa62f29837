package dev.yangtuo.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The sizes of a LLaMA model that is made up.
 *
 * @param name for files
 * @param dim width of the residual stream, a multiple of {@code heads}
 * @param layers transformer layers
 * @param heads query heads
 * @param kvHeads key/value heads; divides {@code heads}
 * @param hiddenDim width of the feed-forward part
 * @param vocabSize pieces
 */
public record SyntheticShape(String name, int dim, int layers, int heads, int kvHeads, int hiddenDim, int vocabSize) {
    /** Of LLaMA's 32,000 pieces with 17,953 Chinese ones, which the published Chinese models of this size have. */
    public static final int DEFAULT_VOCABULARY = 49_953;

    static final int LEAST_VOCABULARY = SyntheticVocabulary.FIXED_PIECES + 1;
    static final int LARGEST_VOCABULARY = 1_000_000;

    /** Enough for every measurement that is not about long texts. */
    private static final int CONTEXT = 32_768;
    private static final float NORM_EPS = 1e-5f;
    private static final float ROPE_THETA = 10_000f;

    private static final List<String> KEYS = List.of("dim", "layers", "heads", "kv", "ffn", "vocab");
    private static final Pattern NUMBER = Pattern.compile("[1-9][0-9]{0,8}");
    private static final String EXAMPLE = "dim=2048,layers=22,heads=32,kv=4,ffn=5632,vocab=49953";

    private static final List<SyntheticShape> NAMED = List.of(
            new SyntheticShape("tiny", 256, 2, 4, 2, 512, DEFAULT_VOCABULARY),
            new SyntheticShape("1b", 2048, 22, 32, 4, 5632, DEFAULT_VOCABULARY),
            new SyntheticShape("7b", 4096, 32, 32, 32, 11008, DEFAULT_VOCABULARY),
            new SyntheticShape("13b", 5120, 40, 40, 40, 13824, DEFAULT_VOCABULARY));

    /** Checks that it is the shape of a model. */
    public SyntheticShape {
        if (heads < 1 || dim % heads != 0) {
            throw new IllegalArgumentException("shape %s: dim is %d, heads %d: the first must be a multiple of the second".formatted(name, dim, heads));
        }
        if (vocabSize < LEAST_VOCABULARY || vocabSize > LARGEST_VOCABULARY) {
            throw new IllegalArgumentException("shape %s: the vocabulary is %d, must be %d to %d".formatted(
                    name, vocabSize, LEAST_VOCABULARY, LARGEST_VOCABULARY));
        }
        try {
            config(dim, layers, heads, kvHeads, hiddenDim, vocabSize);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("shape %s: %s".formatted(name, e.getMessage()), e);
        }
    }

    /**
     * A published shape by its name, in any case, or one that is given by its sizes: {@code dim=2048,layers=22,heads=32,kv=4,ffn=5632,vocab=49953}.
     * Without {@code kv} there are as many as heads.
     *
     * @throws IllegalArgumentException if it is neither, or no model has it
     */
    public static SyntheticShape of(String text) {
        for (SyntheticShape named : NAMED) {
            if (named.name.equalsIgnoreCase(text)) {
                return named;
            }
        }
        if (!text.contains("=")) {
            throw new IllegalArgumentException("'%s' is not a shape; there are %s, or %s"
                    .formatted(text, NAMED.stream().map(SyntheticShape::name).collect(Collectors.joining(", ")), EXAMPLE));
        }
        Map<String, Integer> sizes = sizes(text);
        for (String key : List.of("dim", "layers", "heads", "ffn")) {
            if (!sizes.containsKey(key)) {
                throw new IllegalArgumentException("shape '%s': %s is missing; expected dim, layers, heads, ffn and, if wanted, kv and vocab".formatted(text, key));
            }
        }
        int heads = sizes.get("heads");
        int kvHeads = sizes.getOrDefault("kv", heads);
        int vocabulary = sizes.getOrDefault("vocab", DEFAULT_VOCABULARY);
        String name = "%dx%d-h%d-kv%d-f%d".formatted(sizes.get("dim"), sizes.get("layers"), heads, kvHeads, sizes.get("ffn"));
        return new SyntheticShape(name, sizes.get("dim"), sizes.get("layers"), heads, kvHeads, sizes.get("ffn"), DEFAULT_VOCABULARY).withVocabulary(vocabulary);
    }

    private static Map<String, Integer> sizes(String text) {
        Map<String, Integer> sizes = new LinkedHashMap<>();
        for (String part : text.split(",", -1)) {
            String[] pair = part.strip().split("=", 2);
            if (pair.length != 2 || !KEYS.contains(pair[0]) || !NUMBER.matcher(pair[1]).matches()) {
                throw new IllegalArgumentException("shape '%s': '%s' is not one of dim, layers, heads, kv, ffn, vocab with = and a number of at least 1"
                        .formatted(text, part.strip()));
            }
            if (sizes.put(pair[0], Integer.parseInt(pair[1])) != null) {
                throw new IllegalArgumentException("shape '%s': %s is given twice".formatted(text, pair[0]));
            }
        }
        return sizes;
    }

    /** The same with another vocabulary, which is then in the name. */
    public SyntheticShape withVocabulary(int size) {
        return size == vocabSize ? this : new SyntheticShape(name + "-v" + size, dim, layers, heads, kvHeads, hiddenDim, size);
    }

    /** Its hyper-parameters. */
    ModelConfig config() {
        return config(dim, layers, heads, kvHeads, hiddenDim, vocabSize);
    }

    private static ModelConfig config(int dim, int layers, int heads, int kvHeads, int hiddenDim, int vocabSize) {
        return new ModelConfig(dim, hiddenDim, layers, heads, kvHeads, dim / heads, vocabSize, CONTEXT, NORM_EPS, RopeConfig.plain(ROPE_THETA),
                SlidingWindow.NONE, false, List.of());
    }
}
