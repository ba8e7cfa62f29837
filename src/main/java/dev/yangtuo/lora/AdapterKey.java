package dev.yangtuo.lora;

import dev.yangtuo.exception.AdapterException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What the name of an adapter's tensor means.
 *
 * @param role what the tensor is for
 * @param parameter the model's parameter that it changes, in Hugging Face's spelling ({@code model.layers.0.self_attn.q_proj.weight})
 */
record AdapterKey(Role role, String parameter) {
    enum Role {
        /** [rank, in]. */
        LORA_A,
        /** [out, rank]. */
        LORA_B,
        /** The whole parameter, of {@code modules_to_save} or of a resized vocabulary. */
        FULL
    }

    private static final int MAX_QUOTED = 200;

    private record Ending(String text, Role role) {}

    // Longer endings first. PEFT removes the adapter's name when it saves; files that were written from a live model still
    // have it ("default"). "base_layer" is the resized embedding below a LoRA (save_embedding_layers).
    private static final Ending[] ENDINGS = {
        new Ending(".lora_A.default.weight", Role.LORA_A),
        new Ending(".lora_A.weight", Role.LORA_A),
        new Ending(".lora_B.default.weight", Role.LORA_B),
        new Ending(".lora_B.weight", Role.LORA_B),
        new Ending(".modules_to_save.default.weight", Role.FULL),
        new Ending(".modules_to_save.weight", Role.FULL),
        new Ending(".base_layer.weight", Role.FULL),
        new Ending(".weight", Role.FULL),
    };

    /**
     * Reads the name of a tensor.
     *
     * @param file where it is, for messages
     * @param key its name in the file
     * @return null if the tensor is known to decide nothing: the frozen original beside a saved module, the rotary frequencies of the base
     * @throws AdapterException if the name means nothing that is supported
     */
    static @Nullable AdapterKey parse(Path file, String key) {
        if (key.endsWith(".original_module.weight") || key.endsWith("rotary_emb.inv_freq")) {
            return null;
        }
        for (Ending ending : ENDINGS) {
            if (key.endsWith(ending.text)) {
                String module = module(key.substring(0, key.length() - ending.text.length()));
                if (module.isEmpty() || isPartOfAnAdapter(module)) {
                    break;
                }
                return new AdapterKey(ending.role, module + ".weight");
            }
        }
        throw new AdapterException(file, "tensor %s %s".formatted(quote(key), problem(key)));
    }

    /** Removes PEFT's wrapper and adds the {@code model.} that adapters of a bare LlamaModel (without its output) lack. */
    private static String module(String name) {
        String wrapper = "base_model.model.";
        String module = name.startsWith(wrapper) ? name.substring(wrapper.length()) : name;
        boolean bare = module.startsWith("layers.") || module.equals("embed_tokens") || module.equals("norm");
        return bare ? "model." + module : module;
    }

    /** A piece of PEFT's own naming that is left means a spelling that was not understood. */
    private static boolean isPartOfAnAdapter(String module) {
        for (String part : module.split("\\.", -1)) {
            switch (part) {
                case "", "modules_to_save", "original_module", "base_layer", "base_model", "token_adapter" -> {
                    return true;
                }
                default -> {
                    if (part.startsWith("lora_") || part.startsWith("trainable_tokens")) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    private static String problem(String key) {
        if (key.contains(".lora_embedding_")) {
            return "is an embedding LoRA, which is not supported by this version";
        }
        if (key.contains(".lora_magnitude_vector")) {
            return "belongs to DoRA, which is not supported by this version";
        }
        if (key.contains("token_adapter.") || key.contains("trainable_tokens")) {
            return "holds single trained rows of an embedding, which are not supported by this version";
        }
        if (key.endsWith("bias")) {
            return "is a trained bias, which is not supported by this version";
        }
        return "is not understood: expected base_model.model.<module>.lora_A.weight, .lora_B.weight, or a whole base_model.model.<module>.weight";
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
