package dev.yangtuo.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.exception.YangtuoException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * RoPE in a {@code config.json}: {@code rope_theta} beside {@code rope_scaling}, or both in {@code rope_parameters}, as newer versions of
 * transformers write them. The fields are those of transformers' {@code modeling_rope_utils}, and so are the defaults.
 */
final class HuggingFaceRope {
    private static final float THETA = 10_000f;
    private static final String ORIGINAL = "original_max_position_embeddings";
    /** A file's own factors are those of Llama 3.1 if they differ from them by float32's roundings alone. */
    private static final float SAME_FACTOR = 1e-5f;

    private final ConfigReader config;
    private final ConfigReader scaling;
    private final String type;
    private final int contextLength;

    private HuggingFaceRope(ConfigReader config, ConfigReader scaling, String type, int contextLength) {
        this.config = config;
        this.scaling = scaling;
        this.type = type;
        this.contextLength = contextLength;
    }

    /** @throws IllegalArgumentException if a value makes no sense */
    static RopeConfig read(ConfigReader config, int contextLength) {
        ConfigReader parameters = config.object("rope_parameters");
        float older = config.floatValue("rope_theta", THETA);
        float theta = parameters == null ? older : parameters.floatValue("rope_theta", older);
        return new RopeConfig(theta, readScaling(config, parameters, contextLength));
    }

    private static RopeScaling readScaling(ConfigReader config, @Nullable ConfigReader parameters, int contextLength) {
        ConfigReader older = config.object("rope_scaling");
        ConfigReader scaling = older == null ? parameters : older;
        if (scaling == null) {
            return RopeScaling.NONE;
        }
        if (scaling.has("full_attention") || scaling.has("sliding_attention")) {
            throw config.problem("\"rope_parameters\" differ between kinds of layers, which cannot be computed");
        }
        String newer = scaling.text("rope_type");
        String type = newer == null ? scaling.text("type") : newer;
        if (type == null && scaling.floatValue("factor", 1f) != 1f) {
            throw config.problem("RoPE scaling with a \"factor\", but without a \"rope_type\" that says what it means");
        }
        return type == null ? RopeScaling.NONE : new HuggingFaceRope(config, scaling, type, contextLength).scaling();
    }

    private RopeScaling scaling() {
        return switch (type) {
            case "default", "none" -> RopeScaling.NONE;
            case "linear" -> new RopeScaling.Linear(required("factor"));
            case "ntk" -> new RopeScaling.Ntk(scaling.has("alpha") ? required("alpha") : required("factor"));
            case "dynamic" -> dynamic();
            case "yarn" -> yarn();
            case "llama3" -> llama3();
            default -> throw config.problem("RoPE scaling \"%s\" cannot be computed; \"linear\", \"ntk\", \"dynamic\", \"yarn\" and \"llama3\" can"
                    .formatted(type));
        };
    }

    private RopeScaling dynamic() {
        if (scaling.has("alpha")) {
            throw config.problem(
                    "RoPE scaling \"dynamic\" with an \"alpha\", which is the same for texts of any length: that is the scaling \"ntk\"");
        }
        return new RopeScaling.Dynamic(required("factor"), original());
    }

    private RopeScaling yarn() {
        if (scaling.floatValue("extrapolation_factor", 1f) != 1f) {
            throw config.problem("\"extrapolation_factor\" of the RoPE scaling \"yarn\" is not 1, which cannot be computed");
        }
        boolean longer = !scaling.has("factor") && hasOriginal();
        float factor = longer ? (float) ((double) contextLength / original()) : required("factor");
        return new RopeScaling.Yarn(
                factor,
                original(),
                attentionFactor(factor),
                scaling.floatValue("beta_fast", RopeScaling.Yarn.BETA_FAST),
                scaling.floatValue("beta_slow", RopeScaling.Yarn.BETA_SLOW),
                scaling.booleanValue("truncate", true));
    }

    /** {@code attn_factor} is of the paper's own code, and multiplies; {@code mscale} and {@code mscale_all_dim} are DeepSeek's. */
    private float attentionFactor(float factor) {
        if (scaling.has("attention_factor")) {
            return required("attention_factor");
        }
        float scale = scaling.floatValue("mscale", 0f);
        float scaleOfAll = scaling.floatValue("mscale_all_dim", 0f);
        if (scale != 0 && scaleOfAll != 0) {
            double log = 0.1 * StrictMath.log(factor);
            return (float) ((log * scale + 1) / (log * scaleOfAll + 1));
        }
        return RopeScaling.Yarn.attentionFactor(factor) * scaling.floatValue("attn_factor", 1f);
    }

    private RopeScaling llama3() {
        float factor = required("factor");
        float low = required("low_freq_factor");
        float high = required("high_freq_factor");
        if (!hasOriginal()) {
            throw missing(ORIGINAL);
        }
        return new RopeScaling.Llama3(factor, low, high, original());
    }

    private boolean hasOriginal() {
        return scaling.has(ORIGINAL) || config.has(ORIGINAL);
    }

    private int original() {
        return scaling.intValue(ORIGINAL, config.intValue(ORIGINAL, contextLength));
    }

    private float required(String field) {
        if (!scaling.has(field)) {
            throw missing(field);
        }
        return scaling.floatValue(field, 0f);
    }

    private RuntimeException missing(String field) {
        return config.problem("RoPE scaling \"%s\" without \"%s\"".formatted(type, field));
    }

    /**
     * Writes it, so that it is read back as it is, or as something that computes the same.
     *
     * @param model whose configuration it is, for the message
     * @throws YangtuoException if the model has factors of its own that no configuration can say
     */
    static void put(ObjectNode json, ModelConfig config, Path model) {
        RopeConfig rope = config.rope();
        float theta = rope.scaling() instanceof RopeScaling.Ntk ntk ? Rope.ntkTheta(rope.theta(), config.headDim(), ntk.factor()) : rope.theta();
        json.put("rope_theta", theta);
        switch (rope.scaling()) {
            case RopeScaling.None _, RopeScaling.Ntk _ -> json.putNull("rope_scaling");
            case RopeScaling.Linear linear -> putScaling(json, linear);
            case RopeScaling.Dynamic dynamic -> putScaling(json, dynamic).put(ORIGINAL, dynamic.originalContext());
            case RopeScaling.Yarn yarn -> putYarn(putScaling(json, yarn), yarn);
            case RopeScaling.Llama3 llama3 -> putLlama3(json, llama3);
            case RopeScaling.Factors factors -> putLlama3(json, published(factors, config, model));
        }
    }

    private static ObjectNode putScaling(ObjectNode json, RopeScaling.ByFactor scaling) {
        // Both spellings of the kind: the older versions of transformers know only the second.
        return json.putObject("rope_scaling").put("rope_type", scaling.name()).put("type", scaling.name()).put("factor", scaling.factor());
    }

    private static void putYarn(ObjectNode json, RopeScaling.Yarn yarn) {
        json.put(ORIGINAL, yarn.originalContext())
                .put("beta_fast", yarn.betaFast())
                .put("beta_slow", yarn.betaSlow())
                .put("truncate", yarn.truncate());
        if (!yarn.hasUsualAttentionFactor()) {
            json.put("attention_factor", yarn.attentionFactor());
        }
    }

    private static void putLlama3(ObjectNode json, RopeScaling.Llama3 llama3) {
        putScaling(json, llama3)
                .put("low_freq_factor", llama3.lowFactor())
                .put("high_freq_factor", llama3.highFactor())
                .put(ORIGINAL, llama3.originalContext());
    }

    /** Converters to GGUF write Llama 3.1's scaling as factors; a configuration has its parameters. */
    private static RopeScaling.Llama3 published(RopeScaling.Factors factors, ModelConfig config, Path model) {
        List<Float> values = factors.values();
        float factor = values.getLast();
        if (factor >= 1) {
            RopeScaling.Llama3 llama3 = new RopeScaling.Llama3(
                    factor, RopeScaling.Llama3.LOW_FACTOR, RopeScaling.Llama3.HIGH_FACTOR, RopeScaling.Llama3.ORIGINAL_CONTEXT);
            if (areClose(values, Rope.llama3Factors(config.headDim(), config.rope().theta(), llama3))) {
                return llama3;
            }
        }
        throw new YangtuoException(("%s: its RoPE frequency factors (%s) are not those of Llama 3.1 and later, the only ones that a Hugging Face"
                + " directory can have; write a GGUF file").formatted(model, GgufRope.FACTORS));
    }

    private static boolean areClose(List<Float> some, List<Float> others) {
        for (int j = 0; j < some.size(); j++) {
            if (Math.abs(some.get(j) - others.get(j)) > SAME_FACTOR * others.get(j)) {
                return false;
            }
        }
        return true;
    }
}
