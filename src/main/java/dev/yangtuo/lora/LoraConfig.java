package dev.yangtuo.lora;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.yangtuo.exception.AdapterException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What {@code adapter_config.json} says of a LoRA adapter, as far as it decides the result. What would change the result
 * and is not implemented (DoRA, trained biases, replicated layers, a base that the initialization altered) is refused by name when it is read;
 * keys that decide nothing here (dropout, task, revision, which modules were chosen) are ignored. Immutable and thread-safe.
 *
 * @param file the file it was read from, for messages
 * @param rank {@code r}, at least 1. Only compared: the rank that counts is the tensors'
 * @param alpha {@code lora_alpha}, finite
 * @param rsLora the scale is {@code alpha / sqrt(rank)} instead of {@code alpha / rank}
 * @param fanInFanOut the base stores its matrices as [in, out], so that deltas are transposed
 * @param rankPattern other ranks for some modules, first match wins
 * @param alphaPattern other alphas for some modules, first match wins
 * @param modulesToSave modules that the adapter brings whole, as the configuration lists them
 * @param baseModel the name of the model it was trained on, for messages
 */
public record LoraConfig(
        Path file,
        int rank,
        double alpha,
        boolean rsLora,
        boolean fanInFanOut,
        List<PatternValue> rankPattern,
        List<PatternValue> alphaPattern,
        List<String> modulesToSave,
        @Nullable String baseModel) {

    /** A value for the modules that match. */
    public record PatternValue(ModulePattern pattern, double value) {}

    /** Largest configuration that is read; one with a rank for each module of a large model has 40 kB. */
    static final int MAX_BYTES = 1 << 20;

    // PEFT's defaults (LoraConfig in peft/tuners/lora/config.py).
    private static final int DEFAULT_RANK = 8;
    private static final double DEFAULT_ALPHA = 8;

    /** Copies the lists. */
    public LoraConfig {
        rankPattern = List.copyOf(rankPattern);
        alphaPattern = List.copyOf(alphaPattern);
        modulesToSave = List.copyOf(modulesToSave);
    }

    /**
     * @param file an {@code adapter_config.json}
     * @throws AdapterException if it cannot be read, is damaged, or asks for what is not supported
     */
    public static LoraConfig read(Path file) {
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MAX_BYTES + 1);
        } catch (IOException e) {
            throw new AdapterException(file, "cannot be read: " + e, e);
        }
        if (bytes.length > MAX_BYTES) {
            throw new AdapterException(file, "is larger than %d bytes, which no adapter configuration is".formatted(MAX_BYTES));
        }
        return parse(bytes, file);
    }

    /** Reads a configuration from memory; {@code file} is for messages. */
    static LoraConfig parse(byte[] json, Path file) {
        JsonNode root;
        try {
            root = JsonMapper.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build()
                    .readTree(json);
        } catch (JacksonException e) {
            throw new AdapterException(file, "is not JSON: " + e.getOriginalMessage().lines().findFirst().orElse(""), e);
        } catch (IOException e) {
            throw new AdapterException(file, "is not JSON: " + e.getMessage(), e);
        }
        if (!root.isObject()) {
            throw new AdapterException(file, "is not a JSON object");
        }
        return new Reader(file, root).config();
    }

    /** The rank that the configuration gives a module ({@code model.layers.0.self_attn.q_proj}). */
    int rankOf(String module, ModulePattern.Budget budget) {
        return (int) patternValue(rankPattern, module, rank, budget);
    }

    /**
     * The factor of a module's delta: alpha / rank, or alpha / sqrt(rank) with {@code use_rslora}.
     *
     * @param tensorRank the rank of its matrices
     */
    double scale(String module, int tensorRank, ModulePattern.Budget budget) {
        double moduleAlpha = patternValue(alphaPattern, module, alpha, budget);
        return moduleAlpha / (rsLora ? Math.sqrt(tensorRank) : tensorRank);
    }

    private static double patternValue(List<PatternValue> patterns, String module, double otherwise, ModulePattern.Budget budget) {
        for (PatternValue candidate : patterns) {
            if (candidate.pattern.matches(module, budget)) {
                return candidate.value;
            }
        }
        return otherwise;
    }

    /** Takes the configuration out of the JSON tree, key by key. */
    private record Reader(Path file, JsonNode root) {
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
                    root.hasNonNull("r") ? (int) positiveInteger("r", root.get("r")) : DEFAULT_RANK,
                    root.hasNonNull("lora_alpha") ? finite("lora_alpha", root.get("lora_alpha")) : DEFAULT_ALPHA,
                    flag("use_rslora"),
                    flag("fan_in_fan_out"),
                    patterns("rank_pattern", true),
                    patterns("alpha_pattern", false),
                    names("modules_to_save"),
                    text("base_model_name_or_path"));
        }

        private void refuseWhatIsNotImplemented() {
            refuseFlag("use_dora", "DoRA (a trained magnitude for each row)");
            refuseFlag("lora_bias", "a bias beside lora_B");
            refuseFlag("use_qalora", "QA-LoRA (a quantized adapter)");
            String bias = text("bias");
            if (bias != null && !bias.equals("none")) {
                throw new AdapterException(file, "bias %s (trained biases) is not supported, expected \"none\"".formatted(AdapterKey.quote(bias)));
            }
            refuseContent("layer_replication", "a stack of repeated layers");
            refuseContent("trainable_token_indices", "single trained rows of the embedding");
            refuseContent("target_parameters", "LoRA on parameters that are no module's weight");
            refuseContent("loftq_config", "LoftQ (an adapter for a quantized base that it altered)");
            refuseContent("megatron_config", "Megatron's parallel layers");
            refuseContent("alora_invocation_tokens", "activated LoRA, which cannot be merged");
            refuseContent("arrow_config", "routing between adapters");
            refuseContent("use_bdlora", "block-diagonal LoRA");
            refuseContent("enable_lora", "LoRA on parts of a fused matrix");
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

        private List<PatternValue> patterns(String key, boolean ranks) {
            JsonNode node = root.get(key);
            if (node == null || node.isNull()) {
                return List.of();
            }
            if (!node.isObject()) {
                throw unexpected(key, node, "an object of module patterns and numbers");
            }
            List<PatternValue> patterns = new ArrayList<>();
            for (Map.Entry<String, JsonNode> entry : node.properties()) {
                String where = "%s of %s".formatted(key, AdapterKey.quote(entry.getKey()));
                double value = ranks ? positiveInteger(where, entry.getValue()) : finite(where, entry.getValue());
                try {
                    patterns.add(new PatternValue(ModulePattern.compile(entry.getKey()), value));
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
}
