package dev.yangtuo.lora;

import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.tensor.FloatRows;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The parameter that an adapter is about to change.
 *
 * @param adapter whose tensors are read
 * @param parameter its name
 * @param pairsToHalves brings rows of Q and K from GGUF's order into Hugging Face's
 */
record MergeTarget(LoraAdapter adapter, String parameter, UnaryOperator<FloatRows> pairsToHalves) {
    /** Whether the parameter may get more rows. */
    boolean isVocabulary() {
        return parameter.equals(LoraMerge.EMBEDDING) || parameter.equals(LoraMerge.OUTPUT);
    }

    /** The adapter's tensor; reading it fails on NaN and infinity. */
    FloatRows checked(TensorInfo tensor) {
        return new CheckedRows(adapter.rows(tensor), tensor);
    }

    /** What was there before a change that needs something. */
    FloatRows require(@Nullable FloatRows before) {
        if (before == null) {
            throw new IllegalArgumentException("parameter '%s' has no rows in the base, but %s adds to them".formatted(parameter, adapter.path()));
        }
        return before;
    }

    /** @param tensors the names of the adapter's tensors, quoted, whose result is [rows, columns] */
    AdapterException misfit(FloatRows before, String tensors, long rows, long columns) {
        return new AdapterException(
                adapter.path(),
                "it is an adapter of another model: %s is [%d, %d] in the model, but %s is [%d, %d]; load it onto %s, after the adapters that it was trained with"
                        .formatted(AdapterKey.quote(parameter), before.rows(), before.columns(), tensors, rows, columns, adapter.trainedOn()));
    }
}
