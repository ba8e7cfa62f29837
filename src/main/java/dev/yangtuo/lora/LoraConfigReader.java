package dev.yangtuo.lora;

import com.fasterxml.jackson.databind.JsonNode;
import dev.yangtuo.exception.AdapterException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Takes a LoRA's configuration out of a JSON tree, key by key. */
record LoraConfigReader(Path file, JsonNode root) {
    // PEFT's defaults (LoraConfig in peft/tuners/lora/config.py).
    private static final int DEFAULT_RANK = 8;
    private static final double DEFAULT_ALPHA = 8;

    LoraConfig config() {
        String type = text("peft_type");
        if (type == null) {
            throw new AdapterException(file, "peft_type is missing, expected LORA");
        }
        if (!type.equals("LORA")) {
            throw new AdapterException(file, "peft_type %s is not supported, expected LORA".formatted(AdapterKey.quote(type)));
        }
        refuseWhatIsNotImplemented();
        return new LoraConfig(
                file,
                new LoraScaling(
                        root.hasNonNull("r") ? (int) positiveInteger("r", root.get("r")) : DEFAULT_RANK,
                        root.hasNonNull("lora_alpha") ? finite("lora_alpha", root.get("lora_alpha")) : DEFAULT_ALPHA,
                        flag("use_rslora"),
                        patterns("rank_pattern", true),
                        patterns("alpha_pattern", false)),
                flag("fan_in_fan_out"),
                flag("use_dora"),
                flag("lora_bias"),
                tokenIndices(),
                names("modules_to_save"),
                text("base_model_name_or_path"));
    }

    private void refuseWhatIsNotImplemented() {
        refuseFlag("use_qalora", "QA-LoRA (a quantized adapter)");
        String bias = text("bias");
        if (bias != null && !bias.equals("none") && !bias.equals("all") && !bias.equals("lora_only")) {
            throw new AdapterException(file, "bias is %s, expected \"none\", \"all\" or \"lora_only\"".formatted(AdapterKey.quote(bias)));
        }
        refuseContent("layer_replication", "a stack of repeated layers");
        refuseContent("target_parameters", "LoRA on parameters that are no module's weight");
        refuseContent("loftq_config", "LoftQ (an adapter for a quantized base that it altered)");
        refuseContent("megatron_config", "Megatron's parallel layers");
        refuseContent("alora_invocation_tokens", "activated LoRA, which cannot be merged");
        refuseContent("arrow_config", "routing between adapters");
        refuseContent("use_bdlora", "block-diagonal LoRA");
        refuseContent("enable_lora", "LoRA on parts of a fused matrix");
        refuseContent("kasa_config", "KaSA (an adapter for a base that it altered)");
        refuseContent("monteclora_config", "MonteCLoRA (an adapter of random samples)");
        refuseInitialization();
    }

    /**
     * PiSSA, OLoRA, CorDA, LoftQ and LoRA-GA subtract from the base when training begins; such an adapter fits the altered base only.
     */
    private void refuseInitialization() {
        JsonNode init = root.get("init_lora_weights");
        if (init == null || init.isNull() || init.isBoolean()) {
            return;
        }
        String name = init.asText();
        switch (name) {
            case "gaussian", "eva", "orthogonal", "true", "false", "True", "False" -> {}
            default -> throw new AdapterException(
                    file,
                    ("init_lora_weights %s is not supported: it may have altered the base; convert the adapter to plain LoRA "
                                    + "(path_initial_model_for_weight_conversion of PEFT's save_pretrained)")
                            .formatted(AdapterKey.quote(init.isTextual() ? name : init.toString())));
        }
    }

    private void refuseFlag(String key, String meaning) {
        if (flag(key)) {
            throw new AdapterException(file, "%s: %s is not supported by this version".formatted(key, meaning));
        }
    }

    /** Absent, null, false and empty containers say that a feature is off. */
    private void refuseContent(String key, String meaning) {
        JsonNode node = root.get(key);
        boolean off = node == null
                || node.isNull()
                || node.isBoolean() && !node.booleanValue()
                || node.isContainerNode() && node.isEmpty();
        if (!off) {
            throw new AdapterException(file, "%s: %s is not supported by this version".formatted(key, meaning));
        }
    }

    private boolean flag(String key) {
        JsonNode node = root.get(key);
        if (node == null || node.isNull()) {
            return false;
        }
        if (!node.isBoolean()) {
            throw unexpected(key, node, "true or false");
        }
        return node.booleanValue();
    }

    private @Nullable String text(String key) {
        JsonNode node = root.get(key);
        if (node == null || node.isNull()) {
            return null;
        }
        if (!node.isTextual()) {
            throw unexpected(key, node, "a string");
        }
        return node.textValue();
    }

    private List<String> names(String key) {
        JsonNode node = root.get(key);
        if (node == null || node.isNull()) {
            return List.of();
        }
        if (node.isTextual()) {
            return List.of(node.textValue());
        }
        if (!node.isArray()) {
            throw unexpected(key, node, "a list of module names, or null");
        }
        List<String> names = new ArrayList<>();
        for (JsonNode name : node) {
            if (!name.isTextual()) {
                throw unexpected(key, node, "a list of module names, or null");
            }
            names.add(name.textValue());
        }
        return names;
    }

    /** A list is for the embedding (and an output tied to it), a map names modules. */
    private List<LoraConfig.TokenIndices> tokenIndices() {
        String key = "trainable_token_indices";
        JsonNode node = root.get(key);
        if (node == null || node.isNull() || node.isContainerNode() && node.isEmpty()) {
            return List.of();
        }
        if (node.isArray()) {
            return List.of(new LoraConfig.TokenIndices(null, indices(key, node)));
        }
        if (!node.isObject()) {
            throw unexpected(key, node, "a list of token ids, or an object of modules and such lists");
        }
        List<LoraConfig.TokenIndices> all = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : node.properties()) {
            all.add(new LoraConfig.TokenIndices(entry.getKey(), indices("%s of %s".formatted(key, AdapterKey.quote(entry.getKey())), entry.getValue())));
        }
        return all;
    }

    private List<Integer> indices(String key, JsonNode node) {
        if (!node.isArray()) {
            throw unexpected(key, node, "a list of token ids");
        }
        Set<Integer> indices = new LinkedHashSet<>();
        for (JsonNode index : node) {
            if (!index.isIntegralNumber() || !index.canConvertToInt() || index.intValue() < 0) {
                throw new AdapterException(file, "%s holds %s, expected token ids, whole numbers of at least 0".formatted(key, AdapterKey.quote(index.toString())));
            }
            if (!indices.add(index.intValue())) {
                throw new AdapterException(file, "%s holds the token id %d twice".formatted(key, index.intValue()));
            }
        }
        return List.copyOf(indices);
    }

    private double finite(String key, JsonNode node) {
        if (!node.isNumber() || !Double.isFinite(node.doubleValue())) {
            throw unexpected(key, node, "a finite number");
        }
        return node.doubleValue();
    }

    private double positiveInteger(String key, JsonNode node) {
        double value = finite(key, node);
        if (value < 1 || value > Integer.MAX_VALUE || value != Math.rint(value)) {
            throw unexpected(key, node, "a whole number of at least 1");
        }
        return value;
    }

    private List<LoraScaling.PatternValue> patterns(String key, boolean ranks) {
        JsonNode node = root.get(key);
        if (node == null || node.isNull()) {
            return List.of();
        }
        if (!node.isObject()) {
            throw unexpected(key, node, "an object of module patterns and numbers");
        }
        List<LoraScaling.PatternValue> patterns = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : node.properties()) {
            String where = "%s of %s".formatted(key, AdapterKey.quote(entry.getKey()));
            double value = ranks ? positiveInteger(where, entry.getValue()) : finite(where, entry.getValue());
            try {
                patterns.add(new LoraScaling.PatternValue(ModulePattern.compile(entry.getKey()), value));
            } catch (IllegalArgumentException e) {
                throw new AdapterException(file, "%s: the pattern is not understood: %s".formatted(where, e.getMessage()), e);
            }
        }
        return patterns;
    }

    private AdapterException unexpected(String key, JsonNode node, String expected) {
        return new AdapterException(file, "%s is %s, expected %s".formatted(key, AdapterKey.quote(node.toString()), expected));
    }
}
