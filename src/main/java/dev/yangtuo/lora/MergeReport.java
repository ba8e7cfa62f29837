package dev.yangtuo.lora;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;

/**
 * What a merge did, adapter by adapter.
 *
 * @param adapters in the order in which they were applied
 */
public record MergeReport(List<Adapter> adapters) {
    /** What was done to a parameter, in the order in which it is done. */
    public enum Kind {
        /** A whole matrix, norm or bias took its place. */
        REPLACED("replaced"),
        /** A LoRA was added. */
        LORA("lora"),
        /** A LoRA was added, and the result got new norms. */
        DORA("dora"),
        /** The bias beside a lora_B was added. */
        BIAS("bias"),
        /** Single rows of a vocabulary matrix took the place of others. */
        TOKEN_ROWS("token_rows");

        private final String label;

        Kind(String label) {
            this.label = label;
        }

        /** Its name in JSON. */
        public String label() {
            return label;
        }

        boolean isDelta() {
            return this == LORA || this == DORA || this == BIAS;
        }
    }

    /**
     * What one adapter did to one parameter.
     *
     * @param parameter its name
     * @param kinds what was done, in this order; not empty
     * @param rowsBefore rows before it; 0 if there was none
     * @param rows rows after it
     * @param tokenRows rows that were set singly
     * @param overwritten whether a later adapter replaced it again
     * @param relativeNorm Frobenius norm of what was added, divided by that of what it was added to, over the rows that were read; NaN if nothing was
     */
    public record Change(String parameter, List<Kind> kinds, long rowsBefore, long rows, int tokenRows, boolean overwritten, double relativeNorm) {
        /** Copies the list. */
        public Change {
            kinds = List.copyOf(kinds);
        }

        boolean isBias() {
            return parameter.endsWith(".bias");
        }

        boolean is(Kind kind) {
            return kinds.contains(kind);
        }
    }

    /**
     * Where an adapter came from.
     *
     * @param path where it was opened
     * @param format how it is stored ({@link LoraAdapter.Format#label})
     * @param scale what its deltas were multiplied with beside their own scale
     * @param merged whether it was merged into the weights. Otherwise llama.cpp adds its deltas to what the matrices compute, which comes to the same, and norms are NaN
     */
    public record Source(Path path, String format, double scale, boolean merged) {
        /** Of an adapter that is merged. */
        public Source(Path path, String format, double scale) {
            this(path, format, scale, true);
        }

        Source applied() {
            return new Source(path, format, scale, false);
        }
    }

    /**
     * What one adapter did.
     *
     * @param source where it came from
     * @param changes by parameter, in the order of its file
     * @param vocabularyBefore rows of the embedding before it
     * @param vocabularyAfter rows of the embedding after it
     * @param relativeNorm Frobenius norm of its deltas, divided by that of the matrices they were added to, over the rows that were
     *     read; NaN if there is none
     * @param unmatchedKeys its tensors that matched no parameter that was asked for
     * @param notes what is odd about it but no error
     */
    public record Adapter(
            Source source,
            List<Change> changes,
            long vocabularyBefore,
            long vocabularyAfter,
            double relativeNorm,
            List<String> unmatchedKeys,
            List<String> notes) {
        /** Copies the lists. */
        public Adapter {
            changes = List.copyOf(changes);
            unmatchedKeys = List.copyOf(unmatchedKeys);
            notes = List.copyOf(notes);
        }

        /** The same of an adapter that was checked against the model, but is applied by llama.cpp. */
        public Adapter applied() {
            return new Adapter(source.applied(), changes, vocabularyBefore, vocabularyAfter, relativeNorm, unmatchedKeys, notes);
        }

        private int count(Predicate<Change> predicate) {
            return (int) changes.stream().filter(predicate).count();
        }

        /** Matrices to which a delta was added. */
        public int changed() {
            return count(change -> change.is(Kind.LORA) || change.is(Kind.DORA));
        }

        /** Those of the changed ones that got new norms. */
        public int rescaled() {
            return count(change -> change.is(Kind.DORA));
        }

        /** Matrices and norms that it brought whole. */
        public int replaced() {
            return count(change -> change.is(Kind.REPLACED) && !change.isBias());
        }

        /** Those of the replaced ones that have another number of rows than before. */
        public int resized() {
            return count(change -> change.is(Kind.REPLACED) && change.rowsBefore != 0 && change.rows != change.rowsBefore);
        }

        /** Biases that it brought or to which it added. */
        public int biases() {
            return count(Change::isBias);
        }

        /** Rows of vocabulary matrices that were set singly. */
        public int tokenRows() {
            return changes.stream().mapToInt(Change::tokenRows).sum();
        }

        /** Parameters of it that a later adapter replaced again. */
        public int overwritten() {
            return count(Change::overwritten);
        }

        /** One line, and one for each note. */
        public String describe() {
            Path name = source.path.getFileName();
            List<String> parts = new ArrayList<>();
            String norm = Double.isFinite(relativeNorm) ? String.format(Locale.ROOT, "relative norm %.4f", relativeNorm) : "";
            String dora = rescaled() > 0 ? String.format(Locale.ROOT, "%,d by DoRA", rescaled()) : "";
            String details = String.join(", ", List.of(norm, dora).stream().filter(detail -> !detail.isEmpty()).toList());
            parts.add(String.format(Locale.ROOT, "%,d %s changed", changed(), changed() == 1 ? "matrix" : "matrices")
                    + (details.isEmpty() ? "" : " (" + details + ")"));
            parts.add(String.format(Locale.ROOT, "%,d replaced", replaced())
                    + (resized() > 0 ? String.format(Locale.ROOT, " (%,d resized)", resized()) : ""));
            if (biases() > 0) {
                parts.add(String.format(Locale.ROOT, "%,d %s changed", biases(), biases() == 1 ? "bias" : "biases"));
            }
            if (tokenRows() > 0) {
                parts.add(String.format(Locale.ROOT, "%,d token %s set", tokenRows(), tokenRows() == 1 ? "row" : "rows"));
            }
            if (overwritten() > 0) {
                parts.add(String.format(Locale.ROOT, "%,d overwritten by a later adapter", overwritten()));
            }
            if (source.scale != 1) {
                parts.add("scale " + source.scale);
            }
            if (!source.merged) {
                parts.add("applied by llama.cpp");
            }
            parts.add(vocabularyBefore == vocabularyAfter
                    ? String.format(Locale.ROOT, "vocabulary %,d", vocabularyAfter)
                    : String.format(Locale.ROOT, "vocabulary %,d -> %,d", vocabularyBefore, vocabularyAfter));
            StringBuilder text = new StringBuilder("LoRA %s: ".formatted(name == null ? source.path : name));
            text.append(String.join(", ", parts));
            for (String note : notes) {
                text.append("\n  note: ").append(note);
            }
            return text.toString();
        }
    }

    /** Copies the list. */
    public MergeReport {
        adapters = List.copyOf(adapters);
    }

    /** A few lines for a person, without a line break at the end; empty if there is no adapter. */
    public String describe() {
        return String.join("\n", adapters.stream().map(Adapter::describe).toList());
    }

    /** The report as one JSON object, over several lines, without a line break at the end. docs/formats.md has its keys. */
    public String json() {
        return MergeReportJson.of(this);
    }
}
