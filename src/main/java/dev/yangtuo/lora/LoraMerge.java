package dev.yangtuo.lora;

import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.tensor.FloatRows;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Adapters on their way into one model, in order. The loader asks {@link #apply} for each parameter of the model and
 * reads what it gets instead of the base's rows; {@link #finish} then says what was done, and fails if a tensor of an adapter was
 * never asked for.
 *
 * <p>For each parameter the adapters act one after the other: a whole matrix replaces what was there (earlier deltas included), a
 * LoRA is added to it, single rows are set. Only the two vocabulary matrices may change their number of rows, and only grow. Arithmetic is float32 from
 * start to end, nothing is rounded between adapters, unless the model is to be merged in float16 as PEFT does: then the base and every change are rounded.
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
    private final Base base;
    /** Index of the first adapter that gives a tied output a matrix of its own; their number if none does or the base is not tied. */
    private final int firstUntied;
    /** Rows of the embedding before each adapter and, last, after all of them. */
    private final long[] vocabularies;
    /** Per adapter: what happened to each parameter that was asked for. Guarded by this. */
    private final List<Map<String, Outcome>> outcomes = new ArrayList<>();

    /**
     * What must be known of the base.
     *
     * @param path its name in messages
     * @param vocabulary rows of its embedding
     * @param tied whether its output matrix is its embedding
     * @param float16 whether everything is rounded to float16 after each adapter, and the base before the first
     * @param pairsToHalves brings rows of Q and K from GGUF's order (partners of RoPE beside each other) into Hugging Face's (half a head apart)
     */
    public record Base(Path path, long vocabulary, boolean tied, boolean float16, UnaryOperator<FloatRows> pairsToHalves) {}

    /** What one adapter does to one parameter. */
    private static final class Outcome {
        final List<ParameterChange> changes;
        final long rowsBefore;
        final long rows;
        final DeltaNorm norm;
        boolean overwritten;

        Outcome(List<ParameterChange> changes, long rowsBefore, long rows, DeltaNorm norm) {
            this.changes = changes;
            this.rowsBefore = rowsBefore;
            this.rows = rows;
            this.norm = norm;
        }

        MergeReport.Change report(String parameter) {
            int tokenRows = changes.stream().mapToInt(change -> change instanceof TokenRows rows ? rows.tokens().size() : 0).sum();
            return new MergeReport.Change(
                    parameter,
                    changes.stream().map(ParameterChange::kind).toList(),
                    rowsBefore,
                    rows,
                    tokenRows,
                    overwritten,
                    Math.sqrt(norm.deltaSquares() / norm.matrixSquares()));
        }
    }

    /**
     * @param adapters in the order of application; may be empty
     * @throws AdapterException if the vocabularies do not fit: one is smaller than that before it, or an adapter enlarges only one of
     *     two untied vocabulary matrices
     */
    public LoraMerge(List<LoraAdapter> adapters, Base base) {
        this.adapters = List.copyOf(adapters);
        this.base = base;
        int untied = 0;
        while (untied < this.adapters.size() && !(base.tied && bringsOutput(this.adapters.get(untied)))) {
            untied++;
        }
        firstUntied = untied;
        vocabularies = new long[this.adapters.size() + 1];
        vocabularies[0] = base.vocabulary;
        for (int i = 0; i < this.adapters.size(); i++) {
            vocabularies[i + 1] = checkedVocabulary(i);
            outcomes.add(new HashMap<>());
        }
    }

    private static boolean bringsOutput(LoraAdapter adapter) {
        return !adapter.changes(OUTPUT).isEmpty();
    }

    private long checkedVocabulary(int index) {
        LoraAdapter adapter = adapters.get(index);
        long before = vocabularies[index];
        long embedding = adapter.embeddingRows().orElse(before);
        boolean follows = base.tied && index < firstUntied;
        long output = follows ? embedding : adapter.outputRows().orElse(before);
        if (embedding < before || output < before) {
            throw new AdapterException(
                    adapter.path(),
                    "it brings %s with %d rows, fewer than the %d of %s before it; check the order of the adapters"
                            .formatted(
                                    embedding < before ? EMBEDDING : OUTPUT,
                                    embedding < before ? embedding : output,
                                    before,
                                    index == 0 ? "the model" : adapters.get(index - 1).path()));
        }
        if (embedding != output) {
            throw new AdapterException(
                    adapter.path(),
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

    /** Rows of the embedding and of the output matrix after one adapter. */
    public long vocabularyAfter(LoraAdapter adapter) {
        return vocabularies[adapters.indexOf(adapter) + 1];
    }

    /** Whether an adapter changes a parameter: one that the base lacks then starts from zeros. */
    public boolean changes(String parameter) {
        return adapters.stream().anyMatch(adapter -> !adapter.changes(parameter).isEmpty());
    }

    /** Whether the output matrix of the result is its embedding: the base's is, and no adapter brings another. */
    public boolean outputTied() {
        return base.tied && firstUntied == adapters.size();
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
        if (base.tied && known.add(OUTPUT) && !outputTied()) {
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
        if (chain.rows == null) {
            throw new IllegalArgumentException("parameter '%s' has no rows in the base and none in an adapter".formatted(parameter));
        }
        return chain.rows;
    }

    private Chain chain(String parameter, @Nullable FloatRows rows) {
        Chain chain = new Chain(parameter, rows);
        for (int i = 0; i < adapters.size(); i++) {
            // A tied output is the embedding until an adapter brings its own.
            boolean follows = base.tied && parameter.equals(OUTPUT) && i < firstUntied;
            chain.add(i, follows ? EMBEDDING : parameter);
        }
        return chain;
    }

    /** What the adapters make of one parameter, built step by step. */
    private final class Chain {
        private final String parameter;
        private @Nullable FloatRows rows;
        private final Map<Integer, Outcome> outcomes = new HashMap<>();

        Chain(String parameter, @Nullable FloatRows base) {
            this.parameter = parameter;
            this.rows = rounded(base, LoraMerge.this.base.path);
        }

        /** @param name the parameter whose tensors are taken; another than {@code parameter} only for a tied output */
        void add(int index, String name) {
            LoraAdapter adapter = adapters.get(index);
            List<ParameterChange> changes = adapter.changes(name);
            if (changes.isEmpty()) {
                return;
            }
            MergeTarget target = new MergeTarget(adapter, parameter, base.pairsToHalves);
            long rowsBefore = rows == null ? 0 : rows.rows();
            DeltaNorm norm = DeltaNorm.NONE;
            for (ParameterChange change : changes) {
                DeltaNorm own = change.kind().isDelta() && rows != null ? new DeltaNorm(rows.rows()) : DeltaNorm.NONE;
                rows = rounded(change.onto(rows, target, own), adapter.path());
                norm = change.kind().isDelta() ? own : norm;
                if (change.kind() == MergeReport.Kind.REPLACED) {
                    outcomes.values().forEach(earlier -> earlier.overwritten = true);
                }
            }
            if (name.equals(parameter)) {
                outcomes.put(index, new Outcome(changes, rowsBefore, rows == null ? 0 : rows.rows(), norm));
            }
        }

        private @Nullable FloatRows rounded(@Nullable FloatRows rows, Path path) {
            return rows == null || !base.float16 ? rows : new Float16Rows(rows, parameter, path);
        }
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
        throw new AdapterException(adapter.path(), problem + "; load it onto " + adapter.trainedOn());
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
        List<MergeReport.Change> changes = new ArrayList<>();
        double deltaSquares = 0;
        double matrixSquares = 0;
        // In the adapter's order, so that the sum is always the same.
        for (String parameter : adapter.parameters()) {
            Outcome outcome = done.get(parameter);
            if (outcome == null) {
                continue;
            }
            changes.add(outcome.report(parameter));
            deltaSquares += outcome.norm.deltaSquares();
            matrixSquares += outcome.norm.matrixSquares();
        }
        return new MergeReport.Adapter(
                new MergeReport.Source(adapter.path(), adapter.format().label(), adapter.scale()),
                changes,
                vocabularies[index],
                vocabularies[index + 1],
                Math.sqrt(deltaSquares / matrixSquares),
                unmatched(adapter, done.keySet()),
                adapter.notes());
    }
}
