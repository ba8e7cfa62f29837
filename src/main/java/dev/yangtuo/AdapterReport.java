package dev.yangtuo;

import dev.yangtuo.lora.MergeReport;
import java.nio.file.Path;
import java.util.List;

/**
 * What one adapter did to the model, or does while it computes.
 *
 * @param path where it was opened
 * @param format {@code peft-safetensors}, {@code peft-pytorch} or {@code gguf}
 * @param scale what its deltas were multiplied with beside their own scale
 * @param merged whether it was merged into the weights. Otherwise llama.cpp adds its deltas to what the matrices compute, which comes to the same; norms are then NaN
 * @param parameters what it changed, in the order of its file
 * @param vocabBefore rows of the embedding before it
 * @param vocabAfter rows of the embedding after it
 * @param relativeNorm Frobenius norm of its deltas, divided by that of the matrices they were added to; NaN if it has none
 * @param notes what is odd about it but no error
 * @param describe all this as one line for a person, and one for each note
 */
public record AdapterReport(
        Path path,
        String format,
        double scale,
        boolean merged,
        List<ParameterReport> parameters,
        long vocabBefore,
        long vocabAfter,
        double relativeNorm,
        List<String> notes,
        String describe) {

    /**
     * What one adapter did to one parameter.
     *
     * @param name Hugging Face's ({@code model.layers.0.self_attn.q_proj.weight})
     * @param steps in this order: {@code replaced}, {@code lora}, {@code dora}, {@code bias}, {@code token_rows}
     * @param rowsBefore rows before the adapter; 0 if there were none
     * @param rows rows after it
     * @param tokenRows rows that were set singly
     * @param overwritten whether a later adapter replaced the parameter again
     * @param relativeNorm norm of what was added, divided by that of what it was added to; NaN if nothing was added
     */
    public record ParameterReport(
            String name, List<String> steps, long rowsBefore, long rows, int tokenRows, boolean overwritten, double relativeNorm) {
        /** Copies the list. */
        public ParameterReport {
            steps = List.copyOf(steps);
        }
    }

    /** Copies the lists. */
    public AdapterReport {
        parameters = List.copyOf(parameters);
        notes = List.copyOf(notes);
    }

    static AdapterReport of(MergeReport.Adapter adapter) {
        return new AdapterReport(
                adapter.source().path(),
                adapter.source().format(),
                adapter.source().scale(),
                adapter.source().merged(),
                adapter.changes().stream().map(AdapterReport::of).toList(),
                adapter.vocabularyBefore(),
                adapter.vocabularyAfter(),
                adapter.relativeNorm(),
                adapter.notes(),
                adapter.describe());
    }

    private static ParameterReport of(MergeReport.Change change) {
        return new ParameterReport(
                change.parameter(),
                change.kinds().stream().map(MergeReport.Kind::label).toList(),
                change.rowsBefore(),
                change.rows(),
                change.tokenRows(),
                change.overwritten(),
                change.relativeNorm());
    }
}
