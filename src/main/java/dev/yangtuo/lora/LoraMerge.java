package dev.yangtuo.lora;

import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.tensor.FloatRows;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Adapters on their way into one model, in order. The loader asks {@link #apply} for each parameter of the model and
 * reads what it gets instead of the base's rows; {@link #finish} then says what was done, and fails if a tensor of an adapter was
 * never asked for.
 *
 * <p>For each parameter the adapters act one after the other: a whole matrix replaces what was there (earlier deltas included), a
 * LoRA is added to it. Only the two vocabulary matrices may change their number of rows, and only grow. Arithmetic is float32 from
 * start to end, nothing is rounded between adapters.
 *
 * <p>Where the base ties its output to its embedding, the output follows the embedding until an adapter brings an {@code lm_head} of
 * its own (whole or LoRA); from there on they are two matrices.
 *
 * <p>Thread-safe. The adapters stay open, and are closed by whoever opened them, after the last row was read.
 */
public final class LoraMerge {
    /** The input embedding, [vocabulary, dim]. */
    public static final String EMBEDDING = "model.embed_tokens.weight";

    /** The output matrix, [vocabulary, dim]. */
    public static final String OUTPUT = "lm_head.weight";

    private static final int NAMED_KEYS = 3;

    private final List<LoraAdapter> adapters;
    private final boolean baseTied;
    /** Index of the first adapter that gives a tied output a matrix of its own; their number if none does or the base is not tied. */
    private final int firstUntied;
    /** Rows of the embedding before each adapter and, last, after all of them. */
    private final long[] vocabularies;
    /** Per adapter: what happened to each parameter that was asked for. Guarded by this. */
    private final List<Map<String, Outcome>> outcomes = new ArrayList<>();

    private static final class Outcome {
        boolean replaced;
        boolean resized;
        boolean overwritten;
        @Nullable DeltaNorm norm;
    }

    /**
     * @param adapters in the order of application; may be empty
     * @param baseVocabulary rows of the base's embedding
     * @param baseTied whether the base's output matrix is its embedding
     * @throws AdapterException if the vocabularies do not fit: one is smaller than that before it, or an adapter enlarges only one of
     *     two untied vocabulary matrices
     */
    public LoraMerge(List<LoraAdapter> adapters, long baseVocabulary, boolean baseTied) {
        this.adapters = List.copyOf(adapters);
        this.baseTied = baseTied;
        int untied = 0;
        while (untied < this.adapters.size() && !(baseTied && bringsOutput(this.adapters.get(untied)))) {
            untied++;
        }
        firstUntied = untied;
        vocabularies = new long[this.adapters.size() + 1];
        vocabularies[0] = baseVocabulary;
        for (int i = 0; i < this.adapters.size(); i++) {
            vocabularies[i + 1] = vocabularyAfter(i);
            outcomes.add(new HashMap<>());
        }
    }

    private static boolean bringsOutput(LoraAdapter adapter) {
        return adapter.fullMatrix(OUTPUT) != null || adapter.pair(OUTPUT) != null;
    }

    private long vocabularyAfter(int index) {
        LoraAdapter adapter = adapters.get(index);
        long before = vocabularies[index];
        long embedding = adapter.embeddingRows().orElse(before);
        boolean follows = baseTied && index < firstUntied;
        long output = follows ? embedding : adapter.outputRows().orElse(before);
        if (embedding < before || output < before) {
            throw new AdapterException(
                    adapter.directory(),
                    "it brings %s with %d rows, fewer than the %d of %s before it; check the order of the adapters"
                            .formatted(
                                    embedding < before ? EMBEDDING : OUTPUT,
                                    embedding < before ? embedding : output,
                                    before,
                                    index == 0 ? "the model" : adapters.get(index - 1).directory()));
        }
        if (embedding != output) {
            throw new AdapterException(
                    adapter.directory(),
                    "with it %s has %d rows and %s has %d, but both must have the size of the vocabulary; the adapter must bring %s too"
                            .formatted(EMBEDDING, embedding, OUTPUT, output, embedding > output ? OUTPUT : EMBEDDING));
        }
        return embedding;
    }

    /** The adapters, in order. */
    public List<LoraAdapter> adapters() {
        return adapters;
    }

    /** Rows of the embedding and of the output matrix after all adapters. */
    public long vocabularySize() {
        return vocabularies[adapters.size()];
    }

    /** Whether the output matrix of the result is its embedding: the base's is, and no adapter brings another. */
    public boolean outputTied() {
        return baseTied && firstUntied == adapters.size();
    }

    /**
     * Checks every adapter against the whole model before anything is read: each of its tensors matches a parameter, all shapes fit.
     *
     * @param parameters the base's parameters by their Hugging Face names; that of a tied output may be absent
     * @throws AdapterException if not
     */
    public void check(Map<String, ? extends FloatRows> parameters) {
        parameters.forEach((name, base) -> chain(name, base));
        Set<String> known = new HashSet<>(parameters.keySet());
        if (baseTied && known.add(OUTPUT) && !outputTied()) {
            chain(OUTPUT, parameters.get(EMBEDDING));
        }
        for (LoraAdapter adapter : adapters) {
            requireMatched(adapter, unmatched(adapter, known));
        }
    }

    /**
     * The rows of a parameter after all adapters. Nothing is read yet. Rows that are read keep the decoded lora_A until the returned
     * object is dropped, so do not hold more of them than needed.
     *
     * @param parameter its Hugging Face name ({@code model.layers.0.self_attn.q_proj.weight})
     * @param base the base's rows; for the output of a tied base its embedding's. May be null if an adapter brings the matrix whole
     * @return {@code base} itself if no adapter changes it
     * @throws AdapterException if an adapter's shapes do not fit. Reading the result throws it if the adapter holds NaN or infinite values
     * @throws IllegalArgumentException if {@code base} is null and no adapter brings the matrix whole
     */
    public FloatRows apply(String parameter, @Nullable FloatRows base) {
        Chain chain = chain(parameter, base);
        synchronized (this) {
            chain.outcomes.forEach((adapter, outcome) -> outcomes.get(adapter).put(parameter, outcome));
        }
        if (chain.source == null) {
            throw new IllegalArgumentException("parameter '%s' has no rows in the base and none in an adapter".formatted(parameter));
        }
        return chain.source == base && chain.deltas.isEmpty() ? chain.source : new MergedRows(chain.source, chain.sourceTensor, chain.deltas);
    }

    private Chain chain(String parameter, @Nullable FloatRows base) {
        Chain chain = new Chain(parameter, base);
        for (int i = 0; i < adapters.size(); i++) {
            // A tied output is the embedding until an adapter brings its own.
            boolean follows = baseTied && parameter.equals(OUTPUT) && i < firstUntied;
            chain.add(i, follows ? EMBEDDING : parameter);
        }
        return chain;
    }

    /** What the adapters make of one parameter, built step by step. */
    private final class Chain {
        private final String parameter;
        private final boolean vocabulary;
        private @Nullable FloatRows source;
        private @Nullable TensorInfo sourceTensor;
        private final List<DeltaRows> deltas = new ArrayList<>();
        private final Map<Integer, Outcome> outcomes = new HashMap<>();

        Chain(String parameter, @Nullable FloatRows base) {
            this.parameter = parameter;
            this.vocabulary = parameter.equals(EMBEDDING) || parameter.equals(OUTPUT);
            this.source = base;
        }

        /** @param name the parameter whose tensors are taken; another than {@code parameter} only for a tied output */
        void add(int index, String name) {
            LoraAdapter adapter = adapters.get(index);
            TensorInfo full = adapter.fullMatrix(name);
            LoraPair pair = adapter.pair(name);
            Outcome outcome = new Outcome();
            if (full != null) {
                replace(adapter, full, outcome);
            }
            if (pair != null) {
                outcome.norm = add(adapter, pair);
            }
            if ((full != null || pair != null) && name.equals(parameter)) {
                outcomes.put(index, outcome);
            }
        }

        private void replace(LoraAdapter adapter, TensorInfo full, Outcome outcome) {
            FloatRows rows = adapter.rows(full);
            FloatRows before = source;
            if (before != null) {
                boolean fits = rows.columns() == before.columns() && (vocabulary ? rows.rows() >= before.rows() : rows.rows() == before.rows());
                if (!fits) {
                    throw misfit(adapter, before, AdapterKey.quote(full.name()), rows.rows(), rows.columns());
                }
                outcome.resized = rows.rows() != before.rows();
            }
            outcome.replaced = true;
            outcomes.values().forEach(earlier -> earlier.overwritten = true);
            deltas.clear();
            source = rows;
            sourceTensor = full;
        }

        private DeltaNorm add(LoraAdapter adapter, LoraPair pair) {
            FloatRows before = source;
            if (before == null) {
                throw new IllegalArgumentException(
                        "parameter '%s' has no rows in the base, but %s adds to them".formatted(parameter, adapter.directory()));
            }
            if (pair.rows() != before.rows() || pair.columns() != before.columns()) {
                String tensors = "%s times %s".formatted(AdapterKey.quote(pair.b().name()), AdapterKey.quote(pair.a().name()));
                throw misfit(adapter, before, tensors, pair.rows(), pair.columns());
            }
            DeltaNorm norm = new DeltaNorm(pair.rows());
            deltas.add(new DeltaRows(adapter, pair, norm));
            return norm;
        }

        private AdapterException misfit(LoraAdapter adapter, FloatRows before, String tensors, long rows, long columns) {
            return new AdapterException(
                    adapter.directory(),
                    "it is an adapter of another model: %s is [%d, %d] in the model, but %s is [%d, %d]; load it onto %s, after the adapters that it was trained with"
                            .formatted(
                                    AdapterKey.quote(parameter), before.rows(), before.columns(), tensors, rows, columns, trainedOn(adapter)));
        }
    }

    private static String trainedOn(LoraAdapter adapter) {
        String base = adapter.config().baseModel();
        return base == null || base.isBlank() ? "the model it was trained on" : "the model it was trained on (" + AdapterKey.quote(base) + ")";
    }

    private static List<String> unmatched(LoraAdapter adapter, Set<String> known) {
        List<String> keys = new ArrayList<>();
        for (String parameter : adapter.parameters()) {
            if (!known.contains(parameter)) {
                keys.addAll(adapter.keysOf(parameter));
            }
        }
        return keys;
    }

    private static void requireMatched(LoraAdapter adapter, List<String> unmatched) {
        if (unmatched.isEmpty()) {
            return;
        }
        int total = adapter.parameters().stream().mapToInt(parameter -> adapter.keysOf(parameter).size()).sum();
        List<String> named = unmatched.stream().limit(NAMED_KEYS).map(AdapterKey::quote).toList();
        int more = unmatched.size() - named.size();
        String keys = String.join(", ", named) + (more > 0 ? " and %d more".formatted(more) : "");
        String problem = unmatched.size() == total
                ? "none of its %d tensors matches a parameter of the model (%s)".formatted(total, keys)
                : "%d of its %d tensors match no parameter of the model: %s".formatted(unmatched.size(), total, keys);
        throw new AdapterException(adapter.directory(), problem + "; load it onto " + trainedOn(adapter));
    }

    /**
     * Ends the merge.
     *
     * @return what was done
     * @throws AdapterException if a tensor of an adapter matched no parameter that was asked for
     */
    public MergeReport finish() {
        MergeReport report = report();
        for (int i = 0; i < adapters.size(); i++) {
            requireMatched(adapters.get(i), report.adapters().get(i).unmatchedKeys());
        }
        return report;
    }

    /** What has been done so far; norms are those of the rows that were read by threads that the caller has joined. */
    public synchronized MergeReport report() {
        List<MergeReport.Adapter> reports = new ArrayList<>();
        for (int i = 0; i < adapters.size(); i++) {
            reports.add(report(i));
        }
        return new MergeReport(reports);
    }

    private MergeReport.Adapter report(int index) {
        LoraAdapter adapter = adapters.get(index);
        Map<String, Outcome> done = outcomes.get(index);
        int changed = 0;
        int replaced = 0;
        int resized = 0;
        int overwritten = 0;
        double deltaSquares = 0;
        double matrixSquares = 0;
        // In the adapter's order, so that the sum is always the same.
        for (String parameter : adapter.parameters()) {
            Outcome outcome = done.get(parameter);
            if (outcome == null) {
                continue;
            }
            replaced += outcome.replaced ? 1 : 0;
            resized += outcome.resized ? 1 : 0;
            overwritten += outcome.overwritten ? 1 : 0;
            if (outcome.norm != null) {
                changed++;
                deltaSquares += outcome.norm.deltaSquares();
                matrixSquares += outcome.norm.matrixSquares();
            }
        }
        return new MergeReport.Adapter(
                adapter.directory(),
                changed,
                replaced,
                resized,
                overwritten,
                vocabularies[index],
                vocabularies[index + 1],
                Math.sqrt(deltaSquares / matrixSquares),
                unmatched(adapter, done.keySet()),
                adapter.notes());
    }
}
