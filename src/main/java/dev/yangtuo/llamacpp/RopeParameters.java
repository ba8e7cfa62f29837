package dev.yangtuo.llamacpp;

import dev.yangtuo.bindings.llamacpp.LlamaCpp;
import dev.yangtuo.bindings.llamacpp.llama_context_params;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.model.RopeOverride;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Locale;

/** What takes the place of what a model says about RoPE, in llama.cpp's terms. */
final class RopeParameters {
    private RopeParameters() {}

    /**
     * Sets what is given.
     *
     * @param parameters {@code llama_context_params}
     * @param originalContext positions that the model was trained for
     * @param model for messages
     * @throws YangtuoException if llama.cpp has no such scaling, or it lacks a factor
     */
    static void set(MemorySegment parameters, RopeOverride rope, int originalContext, Path model) {
        if (rope.theta() != null) {
            llama_context_params.rope_freq_base(parameters, rope.theta());
        }
        RopeOverride.Kind scaling = rope.scaling();
        if (scaling == null) {
            require(rope.factor() == null, model, "a RoPE factor alone cannot be given to llama.cpp; name the scaling as well");
            return;
        }
        switch (scaling) {
            case NONE -> {
                llama_context_params.rope_scaling_type(parameters, LlamaCpp.LLAMA_ROPE_SCALING_TYPE_NONE());
                llama_context_params.rope_freq_scale(parameters, 1);
            }
            case LINEAR -> {
                llama_context_params.rope_scaling_type(parameters, LlamaCpp.LLAMA_ROPE_SCALING_TYPE_LINEAR());
                llama_context_params.rope_freq_scale(parameters, 1 / factor(rope, model));
            }
            case YARN -> {
                llama_context_params.rope_scaling_type(parameters, LlamaCpp.LLAMA_ROPE_SCALING_TYPE_YARN());
                llama_context_params.rope_freq_scale(parameters, 1 / factor(rope, model));
                llama_context_params.yarn_orig_ctx(parameters, originalContext);
            }
            case NTK, DYNAMIC, LLAMA3 -> throw new YangtuoException(
                    "%s: llama.cpp cannot be told to scale RoPE by %s; none, linear and yarn are possible with models of this architecture".formatted(model, scaling.name().toLowerCase(Locale.ROOT)));
        }
    }

    private static float factor(RopeOverride rope, Path model) {
        Float factor = rope.factor();
        require(factor != null, model, "the RoPE scaling %s needs a factor".formatted(String.valueOf(rope.scaling()).toLowerCase(Locale.ROOT)));
        return factor == null ? Float.NaN : factor;
    }

    private static void require(boolean holds, Path model, String problem) {
        if (!holds) {
            throw new YangtuoException("%s: %s".formatted(model, problem));
        }
    }
}
