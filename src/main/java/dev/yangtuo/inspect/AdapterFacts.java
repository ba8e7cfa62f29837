package dev.yangtuo.inspect;

import java.util.List;
import java.util.SequencedMap;
import java.util.SequencedSet;
import org.jspecify.annotations.Nullable;

/**
 * What an adapter says of itself and what its tensors would change.
 *
 * @param settings the part of its configuration that decides the result, by names that are the same for all formats; null where it does
 *     not say
 * @param changes what its tensors are for, by module
 * @param notes what is odd about it but no error, in sentences for a person
 */
public record AdapterFacts(SequencedMap<String, @Nullable Object> settings, List<Change> changes, List<String> notes) {
    /** What a tensor of an adapter does. */
    public enum Effect {
        /** A product of two small matrices is added to a matrix. */
        LORA,
        /** The same for an embedding. */
        EMBEDDING_LORA,
        /** A whole matrix or vector takes the place of the model's. */
        WHOLE,
        /** Single rows of an embedding take the place of the model's. */
        TOKEN_ROWS,
        /** The length of each row after a LoRA (DoRA). */
        MAGNITUDE,
        /** A trained bias. */
        BIAS,
        /** Nothing: a part of the base that was saved as well. */
        NONE,
        /** Not known here. */
        UNKNOWN
    }

    /**
     * What is changed in the modules of one name.
     *
     * @param module the last part of their names: {@code q_proj}
     * @param count how many matrices or vectors are changed
     * @param ranks the ranks of LoRA that occur, else empty
     * @param shapes the shapes of what is brought whole, else empty
     */
    public record Change(Effect effect, String module, int count, SequencedSet<Long> ranks, SequencedSet<List<Long>> shapes) {}
}
