package dev.yangtuo.lora;

import dev.yangtuo.exception.AdapterException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the name of a PEFT adapter's tensor means.
 *
 * @param role what the tensor is for
 * @param parameter the model's parameter that it changes, in Hugging Face's spelling ({@code model.layers.0.self_attn.q_proj.weight})
 * @param adapterName the name that the adapter had in the live model, if the file still has it ({@code default}); PEFT removes it when it saves
 */
record AdapterKey(Role role, String parameter, @Nullable String adapterName) {
    enum Role {
        /** [rank, in]. */
        LORA_A,
        /** [out, rank]. */
        LORA_B,
        /** [out], beside lora_B; the parameter is the bias. */
        LORA_BIAS,
        /** [rank, vocabulary]. */
        EMBEDDING_A,
        /** [dim, rank]. */
        EMBEDDING_B,
        /** DoRA's norms: [out], of an embedding [dim]. */
        MAGNITUDE,
        /** [tokens, dim]: new rows of a vocabulary matrix. */
        TOKEN_ROWS,
        /** The whole parameter: of {@code modules_to_save}, of a resized vocabulary, a trained bias. */
        FULL
    }

    private static final int MAX_QUOTED = 200;
    private static final String WRAPPER = "base_model.model.";
    private static final String WEIGHT = "weight";
    private static final String BIAS = "bias";

    /** What can stand below a saved module. */
    private static final Set<String> MODULES = Set.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "self_attn", "mlp",
            "input_layernorm", "post_attention_layernorm");

    /**
     * Reads the name of a tensor.
     *
     * @param file where it is, for messages
     * @param key its name in the file
     * @return null if the tensor is known to decide nothing: the frozen original beside a saved module or beside trained rows, the rotary
     *     frequencies of the base
     * @throws AdapterException if the name means nothing that is supported
     */
    static @Nullable AdapterKey parse(Path file, String key) {
        if (key.endsWith("rotary_emb.inv_freq")) {
            return null;
        }
        List<String> parts = new ArrayList<>(List.of((key.startsWith(WRAPPER) ? key.substring(WRAPPER.length()) : key).split("\\.", -1)));
        if (parts.contains("original_module") || parts.contains("trainable_tokens_original")) {
            return null;
        }
        // Wrappers around what is meant: base_layer is the module below a LoRA, token_adapter that of single trained rows.
        parts.removeIf(part -> part.equals("base_layer") || part.equals("token_adapter"));
        AdapterKey found = parse(parts);
        if (found == null) {
            throw new AdapterException(file, ("tensor %s is not understood: expected base_model.model.<module>.lora_A.weight, .lora_B.weight,"
                    + " or another tensor that PEFT writes for a LoRA").formatted(quote(key)));
        }
        return found;
    }

    private static @Nullable AdapterKey parse(List<String> parts) {
        int at = 0;
        while (at < parts.size() && !isMarker(parts.get(at))) {
            at++;
        }
        List<String> module = parts.subList(0, at);
        if (at == parts.size()) {
            return at == 0 ? null : whole(module.subList(0, at - 1), parts.getLast(), null);
        }
        List<String> tail = parts.subList(at + 1, parts.size());
        return switch (parts.get(at)) {
            case "lora_A" -> factor(Role.LORA_A, module, tail, true);
            case "lora_B" -> tail.isEmpty() || !tail.getLast().equals(BIAS)
                    ? factor(Role.LORA_B, module, tail, true)
                    : named(Role.LORA_BIAS, module, BIAS, tail.subList(0, tail.size() - 1));
            case "lora_embedding_A" -> factor(Role.EMBEDDING_A, module, tail, false);
            case "lora_embedding_B" -> factor(Role.EMBEDDING_B, module, tail, false);
            case "lora_magnitude_vector" -> factor(Role.MAGNITUDE, module, tail, false);
            case "trainable_tokens_delta" -> named(Role.TOKEN_ROWS, module, WEIGHT, tail);
            case "modules_to_save" -> saved(module, tail);
            default -> null;
        };
    }

    /** A piece of PEFT's own naming; what stands before it is the module. */
    private static boolean isMarker(String part) {
        return part.startsWith("lora_") || part.startsWith("trainable_tokens") || part.equals("modules_to_save");
    }

    /** @param needsWeight modules end in {@code .weight}, bare parameters need not */
    private static @Nullable AdapterKey factor(Role role, List<String> module, List<String> tail, boolean needsWeight) {
        boolean weight = !tail.isEmpty() && tail.getLast().equals(WEIGHT);
        if (needsWeight && !weight) {
            return null;
        }
        return named(role, module, WEIGHT, weight ? tail.subList(0, tail.size() - 1) : tail);
    }

    /** @param name what is left of the tail: nothing, or the adapter's name */
    private static @Nullable AdapterKey named(Role role, List<String> module, String kind, List<String> name) {
        if (name.size() > 1) {
            return null;
        }
        return of(role, module, kind, name.isEmpty() ? null : name.getFirst());
    }

    /** A saved module, or a parameter inside of one; what is no module of LLaMA is the adapter's name. */
    private static @Nullable AdapterKey saved(List<String> module, List<String> tail) {
        if (tail.isEmpty()) {
            return null;
        }
        boolean named = tail.size() > 1 && !MODULES.contains(tail.getFirst());
        List<String> whole = new ArrayList<>(module);
        whole.addAll(tail.subList(named ? 1 : 0, tail.size() - 1));
        return whole(whole, tail.getLast(), named ? tail.getFirst() : null);
    }

    private static @Nullable AdapterKey whole(List<String> module, String kind, @Nullable String adapterName) {
        return kind.equals(WEIGHT) || kind.equals(BIAS) ? of(Role.FULL, module, kind, adapterName) : null;
    }

    private static @Nullable AdapterKey of(Role role, List<String> module, String kind, @Nullable String adapterName) {
        boolean strange = module.isEmpty() || module.contains("") || module.contains("base_model") || module.stream().anyMatch(AdapterKey::isMarker);
        if (strange || adapterName != null && adapterName.isEmpty()) {
            return null;
        }
        String name = String.join(".", module);
        // Adapters of a bare LlamaModel, without its output, lack the "model.".
        boolean bare = name.startsWith("layers.") || name.equals("embed_tokens") || name.equals("norm");
        return new AdapterKey(role, (bare ? "model." : "") + name + "." + kind, adapterName);
    }

    /** A name from a file, for messages: in quotes, shortened, without control characters. */
    static String quote(String name) {
        StringBuilder quoted = new StringBuilder("'");
        int end = Math.min(name.length(), MAX_QUOTED);
        for (int i = 0; i < end; i++) {
            char c = name.charAt(i);
            quoted.append(Character.isISOControl(c) || Character.getType(c) == Character.FORMAT ? '\uFFFD' : c);
        }
        return quoted.append(end < name.length() ? "...'" : "'").toString();
    }
}
