package dev.yangtuo.inspect;

import com.fasterxml.jackson.databind.JsonNode;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.inspect.AdapterFacts.Change;
import dev.yangtuo.inspect.AdapterFacts.Effect;
import dev.yangtuo.inspect.Inspection.StoredTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Reads from the names and shapes of an adapter's tensors what they are for. It believes every name and refuses nothing, for it describes adapters
 * that cannot be merged, too; what can be is for {@code lora} to say.
 */
final class AdapterReader {
    /** Names here and in adapter_config.json. */
    private static final List<Map.Entry<String, String>> SETTINGS = List.of(
            Map.entry("type", "peft_type"),
            Map.entry("base_model", "base_model_name_or_path"),
            Map.entry("rank", "r"),
            Map.entry("alpha", "lora_alpha"),
            Map.entry("use_rslora", "use_rslora"),
            Map.entry("use_dora", "use_dora"),
            Map.entry("fan_in_fan_out", "fan_in_fan_out"),
            Map.entry("bias", "bias"),
            Map.entry("target_modules", "target_modules"),
            Map.entry("modules_to_save", "modules_to_save"),
            Map.entry("rank_pattern", "rank_pattern"),
            Map.entry("alpha_pattern", "alpha_pattern"),
            Map.entry("trainable_token_indices", "trainable_token_indices"));

    /** Parts of a name that say what a tensor is for; the module is before them. */
    private static final Map<String, Effect> MARKS = Map.ofEntries(
            Map.entry("lora_A", Effect.LORA),
            Map.entry("lora_B", Effect.LORA),
            Map.entry("lora_a", Effect.LORA),
            Map.entry("lora_b", Effect.LORA),
            Map.entry("lora_embedding_A", Effect.EMBEDDING_LORA),
            Map.entry("lora_embedding_B", Effect.EMBEDDING_LORA),
            Map.entry("lora_magnitude_vector", Effect.MAGNITUDE),
            Map.entry("trainable_tokens_delta", Effect.TOKEN_ROWS),
            Map.entry("modules_to_save", Effect.WHOLE),
            Map.entry("original_module", Effect.NONE),
            Map.entry("trainable_tokens_original", Effect.NONE),
            Map.entry("inv_freq", Effect.NONE));

    /** Wrappers around a module: below a LoRA, and below single trained rows. */
    private static final Set<String> WRAPPERS = Set.of("base_layer", "token_adapter");

    private record Key(Effect effect, String module) {}

    private AdapterReader() {}

    /** Whether one of the tensors is half of a LoRA: what tells an adapter from a model where no configuration does. */
    static boolean holdsLora(List<StoredTensor> tensors) {
        return tensors.stream().anyMatch(tensor -> Arrays.stream(tensor.name().split("\\.")).anyMatch(part -> {
            Effect effect = MARKS.get(part);
            return effect == Effect.LORA || effect == Effect.EMBEDDING_LORA;
        }));
    }

    /** @param config its adapter_config.json, null where there is none */
    static AdapterFacts ofPeft(@Nullable JsonNode config, List<StoredTensor> tensors, List<String> notes) {
        SequencedMap<String, @Nullable Object> settings = new LinkedHashMap<>();
        for (Map.Entry<String, String> setting : SETTINGS) {
            settings.put(setting.getKey(), config != null && config.hasNonNull(setting.getValue()) ? config.get(setting.getValue()) : null);
        }
        return new AdapterFacts(settings, changes(tensors), notes);
    }

    static AdapterFacts ofGguf(GgufMetadata metadata, List<StoredTensor> tensors, List<String> notes) {
        SequencedMap<String, @Nullable Object> settings = new LinkedHashMap<>();
        SETTINGS.forEach(setting -> settings.put(setting.getKey(), null));
        settings.put("type", valueOf(metadata, "adapter.type"));
        settings.put("base_model", valueOf(metadata, "general.base_model.0.name"));
        settings.put("alpha", valueOf(metadata, "adapter.lora.alpha"));
        List<Change> changes = changes(tensors);
        SequencedSet<Long> ranks = new LinkedHashSet<>();
        changes.forEach(change -> ranks.addAll(change.ranks()));
        settings.put("rank", ranks.size() == 1 ? ranks.getFirst() : null);
        return new AdapterFacts(settings, changes, notes);
    }

    private static @Nullable Object valueOf(GgufMetadata metadata, String key) {
        return metadata.contains(key) ? metadata.value(key) : null;
    }

    private static List<Change> changes(List<StoredTensor> tensors) {
        SequencedMap<Key, List<StoredTensor>> groups = new LinkedHashMap<>();
        for (StoredTensor tensor : tensors) {
            groups.computeIfAbsent(keyOf(partsOf(tensor.name())), key -> new ArrayList<>()).add(tensor);
        }
        List<Change> changes = new ArrayList<>();
        groups.forEach((key, group) -> changes.add(change(key, group)));
        return changes;
    }

    private static Change change(Key key, List<StoredTensor> group) {
        SequencedSet<Long> ranks = new TreeSet<>();
        SequencedSet<List<Long>> shapes = new LinkedHashSet<>();
        if (key.effect() != Effect.LORA && key.effect() != Effect.EMBEDDING_LORA) {
            group.forEach(tensor -> shapes.add(tensor.shape()));
            return new Change(key.effect(), key.module(), group.size(), ranks, shapes);
        }
        int count = 0;
        for (StoredTensor tensor : group) {
            // B is [out, rank] in every format; A is transposed in some.
            if (isSecondHalf(tensor.name()) && !tensor.shape().isEmpty()) {
                ranks.add(tensor.shape().getLast());
                count++;
            }
        }
        return new Change(key.effect(), key.module(), count, ranks, shapes);
    }

    private static boolean isSecondHalf(String name) {
        return Arrays.stream(name.split("\\.")).anyMatch(part -> part.equals("lora_B") || part.equals("lora_b") || part.equals("lora_embedding_B"));
    }

    private static String[] partsOf(String name) {
        return Arrays.stream(name.split("\\.")).filter(part -> !WRAPPERS.contains(part)).toArray(String[]::new);
    }

    private static Key keyOf(String[] parts) {
        for (int i = 0; i < parts.length; i++) {
            Effect effect = MARKS.get(parts[i]);
            // A bias beside lora_B has that in its name.
            if (effect == Effect.LORA && parts[parts.length - 1].equals("bias")) {
                return new Key(Effect.BIAS, moduleBefore(parts, i));
            }
            if (effect == Effect.LORA && moduleBefore(parts, i).equals("token_embd")) {
                return new Key(Effect.EMBEDDING_LORA, "token_embd");
            }
            if (effect != null) {
                return new Key(effect, moduleBefore(parts, i));
            }
        }
        String last = parts.length == 0 ? "" : parts[parts.length - 1];
        return switch (last) {
            case "bias" -> new Key(Effect.BIAS, moduleBefore(parts, parts.length - 1));
            case "weight" -> new Key(Effect.WHOLE, moduleBefore(parts, parts.length - 1));
            default -> new Key(Effect.UNKNOWN, last);
        };
    }

    /** GGUF names the matrix ({@code attn_q.weight.lora_a}), PEFT the module ({@code q_proj.lora_A.weight}). */
    private static String moduleBefore(String[] parts, int mark) {
        int module = mark > 1 && parts[mark - 1].equals("weight") ? mark - 2 : mark - 1;
        return module < 0 ? "" : parts[module];
    }
}
