package dev.yangtuo.lora;

import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.checkpoint.UnreadableTensor;
import dev.yangtuo.exception.AdapterException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A LoRA in a GGUF file, as llama.cpp's convert_lora_to_gguf.py writes it: {@code general.type} is adapter, {@code adapter.type} lora; of each
 * parameter {@code NAME.lora_a} and {@code NAME.lora_b} under GGUF's names, and whole norms. The scale is alpha / rank, or 1 where alpha is 0. Rows of B of
 * Q and K are in GGUF's order. The embedding's {@code lora_a} is [vocabulary, rank].
 */
final class GgufAdapter {
    static final String ALPHA = "adapter.lora.alpha";
    static final String A = ".lora_a";
    static final String B = ".lora_b";

    private static final Pattern LAYER = Pattern.compile("blk\\.(0|[1-9][0-9]{0,8})\\.([a-z_]{1,40})\\.weight");

    private GgufAdapter() {}

    /**
     * What the metadata say.
     *
     * @throws AdapterException if the file is no LoRA adapter of a LLaMA model
     */
    static LoraConfig config(GgufCheckpoint checkpoint) {
        GgufMetadata metadata = checkpoint.metadata();
        Path file = checkpoint.path();
        require(file, metadata, "general.type", "adapter");
        require(file, metadata, "adapter.type", "lora");
        require(file, metadata, "general.architecture", "llama");
        if (metadata.contains("adapter.alora.invocation_tokens")) {
            throw new AdapterException(file, "adapter.alora.invocation_tokens: activated LoRA, which cannot be merged, is not supported by this version");
        }
        double alpha = metadata.number(ALPHA, 0);
        if (!Double.isFinite(alpha)) {
            throw new AdapterException(file, "%s is %s, expected a finite number".formatted(ALPHA, alpha));
        }
        int rank = checkpoint.tensors().stream()
                .filter(tensor -> tensor.name().endsWith(B) && tensor.shape().size() == 2)
                .mapToInt(tensor -> (int) Math.clamp(tensor.shape().getLast(), 1, Integer.MAX_VALUE))
                .findFirst()
                .orElse(1);
        String base = metadata.contains("general.base_model.0.name") ? metadata.string("general.base_model.0.name") : null;
        return new LoraConfig(file, new LoraScaling(rank, alpha, false, List.of(), List.of()), false, false, false, List.of(), List.of(), base);
    }

    private static void require(Path file, GgufMetadata metadata, String key, String expected) {
        String found = metadata.string(key, "");
        if (!found.equals(expected)) {
            throw new AdapterException(file, "%s is %s, expected '%s': a LoRA adapter of a LLaMA model".formatted(
                    key, metadata.contains(key) ? AdapterKey.quote(found) : "missing", expected));
        }
    }

    /**
     * Reads the names.
     *
     * @param factor what deltas are multiplied with beside their own scale
     */
    static AdapterChanges read(GgufCheckpoint checkpoint, LoraConfig config, double factor) {
        for (UnreadableTensor tensor : checkpoint.unreadable()) {
            throw AdapterChanges.unreadable(tensor);
        }
        AdapterChanges changes = new AdapterChanges();
        Map<String, TensorInfo> as = new LinkedHashMap<>();
        Map<String, TensorInfo> bs = new LinkedHashMap<>();
        for (TensorInfo tensor : checkpoint.tensors()) {
            String name = tensor.name();
            boolean a = name.endsWith(A);
            boolean b = name.endsWith(B);
            boolean whole = name.endsWith("_norm.weight");
            String parameter = whole ? huggingFaceName(name) : a || b ? huggingFaceName(name.substring(0, name.length() - A.length())) : null;
            if (parameter == null) {
                throw new AdapterException(tensor.file(), "tensor %s is not understood: expected the .lora_a or .lora_b of a parameter of a LLaMA model"
                        .formatted(AdapterKey.quote(name)));
            }
            AdapterChanges.requireDimensions(tensor, whole ? 1 : 2, whole ? 1 : 2, whole ? "a vector" : "a matrix");
            if (whole) {
                changes.add(parameter, new Replacement(tensor));
            } else {
                (a ? as : bs).put(parameter, tensor);
            }
        }
        SequencedSet<String> parameters = new LinkedHashSet<>(as.keySet());
        parameters.addAll(bs.keySet());
        double alpha = config.alpha();
        for (String parameter : parameters) {
            changes.add(parameter, AdapterChanges.paired(as.get(parameter), bs.get(parameter), layout(parameter), (a, b) ->
                    AdapterChanges.finiteScale(factor * (alpha == 0 ? 1 : alpha / b.shape().getLast()), config.file(), parameter)));
        }
        changes.requireAny(checkpoint.path());
        return changes;
    }

    private static LoraDelta.Layout layout(String parameter) {
        if (parameter.equals(LoraMerge.EMBEDDING)) {
            return LoraDelta.Layout.TRANSPOSED_ROWS;
        }
        boolean rotated = parameter.endsWith(".q_proj.weight") || parameter.endsWith(".k_proj.weight");
        return rotated ? LoraDelta.Layout.PLAIN_IN_PAIRS : LoraDelta.Layout.PLAIN;
    }

    /** Hugging Face's name of a LLaMA parameter, or null if GGUF has none of this name. */
    static @Nullable String huggingFaceName(String name) {
        switch (name) {
            case "token_embd.weight":
                return LoraMerge.EMBEDDING;
            case "output.weight":
                return LoraMerge.OUTPUT;
            case "output_norm.weight":
                return "model.norm.weight";
            default:
                break;
        }
        Matcher layer = LAYER.matcher(name);
        if (!layer.matches()) {
            return null;
        }
        String module = switch (layer.group(2)) {
            case "attn_norm" -> "input_layernorm";
            case "attn_q" -> "self_attn.q_proj";
            case "attn_k" -> "self_attn.k_proj";
            case "attn_v" -> "self_attn.v_proj";
            case "attn_output" -> "self_attn.o_proj";
            case "ffn_norm" -> "post_attention_layernorm";
            case "ffn_gate" -> "mlp.gate_proj";
            case "ffn_up" -> "mlp.up_proj";
            case "ffn_down" -> "mlp.down_proj";
            default -> null;
        };
        return module == null ? null : "model.layers.%s.%s.weight".formatted(layer.group(1), module);
    }
}
