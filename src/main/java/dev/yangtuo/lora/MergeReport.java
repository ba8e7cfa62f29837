package dev.yangtuo.lora;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * What a merge did, adapter by adapter.
 *
 * @param adapters in the order in which they were applied
 */
public record MergeReport(List<Adapter> adapters) {
    /**
     * What one adapter did.
     *
     * @param directory where it was opened
     * @param changed matrices to which a delta was added
     * @param replaced matrices that it brought whole
     * @param resized those of the replaced ones that have another number of rows than before
     * @param overwritten matrices of it (changed or replaced) that a later adapter replaced again
     * @param vocabularyBefore rows of the embedding before it
     * @param vocabularyAfter rows of the embedding after it
     * @param relativeNorm Frobenius norm of its deltas, divided by that of the matrices they were added to, over the rows that were
     *     read; NaN if there is none
     * @param unmatchedKeys its tensors that matched no parameter that was asked for
     * @param notes what is odd about it but no error
     */
    public record Adapter(
            Path directory,
            int changed,
            int replaced,
            int resized,
            int overwritten,
            long vocabularyBefore,
            long vocabularyAfter,
            double relativeNorm,
            List<String> unmatchedKeys,
            List<String> notes) {
        /** Copies the lists. */
        public Adapter {
            unmatchedKeys = List.copyOf(unmatchedKeys);
            notes = List.copyOf(notes);
        }

        /** One line, and one for each note. */
        public String describe() {
            Path name = directory.getFileName();
            StringBuilder text = new StringBuilder("LoRA %s: ".formatted(name == null ? directory : name));
            text.append(String.format(Locale.ROOT, "%,d %s changed", changed, changed == 1 ? "matrix" : "matrices"));
            if (Double.isFinite(relativeNorm)) {
                text.append(String.format(Locale.ROOT, " (relative norm %.4f)", relativeNorm));
            }
            text.append(String.format(Locale.ROOT, ", %,d replaced", replaced));
            if (resized > 0) {
                text.append(String.format(Locale.ROOT, " (%,d resized)", resized));
            }
            if (overwritten > 0) {
                text.append(String.format(Locale.ROOT, ", %,d overwritten by a later adapter", overwritten));
            }
            text.append(
                    vocabularyBefore == vocabularyAfter
                            ? String.format(Locale.ROOT, ", vocabulary %,d", vocabularyAfter)
                            : String.format(Locale.ROOT, ", vocabulary %,d -> %,d", vocabularyBefore, vocabularyAfter));
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
}
