package dev.yangtuo.benchmarks.loading;

import dev.yangtuo.LoadOptions;
import dev.yangtuo.WeightType;
import dev.yangtuo.benchmarks.Arguments;
import dev.yangtuo.benchmarks.Checkout;
import dev.yangtuo.model.ExportSettings;
import dev.yangtuo.model.SyntheticModel;
import dev.yangtuo.model.SyntheticShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * Makes a model of a published shape with random weights, and two adapters that fit it: {@code base}, a Hugging Face directory (F16);
 * {@code lora}, a PEFT adapter with LoRA on all seven projections and both vocabulary matrices whole, as Chinese-LLaMA's; and
 * {@code lora-projections}, the same without the vocabulary matrices.
 */
public final class SyntheticAdapters {
    private static final long SEED = 2;

    private SyntheticAdapters() {}

    /** A projection of a layer, by Hugging Face's name: {@code [out][in]}. */
    private record Projection(String name, int out, int in) {}

    /**
     * Writes the files.
     *
     * @param arguments {@code --shape} as for {@code yangtuo bench}, 7b unless given; {@code --vocab} pieces, 49,953 unless given; {@code --rank} of the
     *     adapters, 8 unless given; {@code --output} the directory, {@code benchmarks/target/synthetic-SHAPE} unless given
     * @throws IOException if a file cannot be written
     */
    public static void main(String[] arguments) throws IOException {
        Arguments options = Arguments.parse(arguments, Set.of("--shape", "--vocab", "--rank", "--output"));
        String name = options.option("--shape", "7b");
        SyntheticShape shape = SyntheticShape.of(name);
        shape = shape.withVocabulary(options.count("--vocab", shape.vocabSize()));
        Path output = Path.of(options.option("--output", Checkout.target("synthetic-" + name).toString()));
        Files.createDirectories(output);
        Path base = output.resolve("base");
        SyntheticModel.write(shape, null, base, new ExportSettings(LoadOptions.defaults().quantize(WeightType.F16).settings(), Long.MAX_VALUE, true));
        int rank = options.count("--rank", 8);
        for (boolean whole : new boolean[] {true, false}) {
            Path directory = Files.createDirectories(output.resolve(whole ? "lora" : "lora-projections"));
            Files.writeString(directory.resolve("adapter_config.json"), adapterConfig(rank, whole));
            if (whole) {
                Files.write(directory.resolve("tokenizer.model"), Files.readAllBytes(base.resolve("tokenizer.model")));
            }
            adapter(shape, rank, whole).write(directory.resolve("adapter_model.safetensors"));
        }
        System.out.println(output);
    }

    private static List<Projection> projections(SyntheticShape shape) {
        int kvDim = shape.dim() / shape.heads() * shape.kvHeads();
        return List.of(
                new Projection("self_attn.q_proj", shape.dim(), shape.dim()),
                new Projection("self_attn.k_proj", kvDim, shape.dim()),
                new Projection("self_attn.v_proj", kvDim, shape.dim()),
                new Projection("self_attn.o_proj", shape.dim(), shape.dim()),
                new Projection("mlp.gate_proj", shape.hiddenDim(), shape.dim()),
                new Projection("mlp.up_proj", shape.hiddenDim(), shape.dim()),
                new Projection("mlp.down_proj", shape.dim(), shape.hiddenDim()));
    }

    private static RandomSafetensors adapter(SyntheticShape shape, int rank, boolean whole) {
        RandomSafetensors tensors = new RandomSafetensors(SEED, 0.01);
        for (int layer = 0; layer < shape.layers(); layer++) {
            for (Projection projection : projections(shape)) {
                String prefix = "base_model.model.model.layers.%d.%s.".formatted(layer, projection.name());
                tensors.matrix(prefix + "lora_A.weight", rank, projection.in());
                tensors.matrix(prefix + "lora_B.weight", projection.out(), rank);
            }
        }
        if (whole) {
            tensors.matrix("base_model.model.model.embed_tokens.weight", shape.vocabSize(), shape.dim());
            tensors.matrix("base_model.model.lm_head.weight", shape.vocabSize(), shape.dim());
        }
        return tensors;
    }

    private static String adapterConfig(int rank, boolean whole) {
        return """
                {
                  "peft_type": "LORA",
                  "task_type": "CAUSAL_LM",
                  "r": %d,
                  "lora_alpha": %d,
                  "bias": "none",
                  "target_modules": ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
                  "modules_to_save": %s
                }
                """.formatted(rank, 2 * rank, whole ? "[\"embed_tokens\", \"lm_head\"]" : "null");
    }
}
