package dev.yangtuo.benchmarks.loading;

import dev.yangtuo.benchmarks.Arguments;
import dev.yangtuo.benchmarks.Checkout;
import dev.yangtuo.benchmarks.loading.ModelShape.Projection;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes a model of a published shape with random weights, and two adapters that fit it: {@code base}, a Hugging Face directory (F16);
 * {@code lora}, a PEFT adapter with LoRA on all seven projections and both vocabulary matrices whole, as Chinese-LLaMA's; and
 * {@code lora-projections}, the same without the vocabulary matrices.
 */
public final class SyntheticModel {
    private static final long SEED = 1;
    private static final int CONTROLS = 3;
    private static final int BYTES = 256;
    private static final int FIRST_IDEOGRAPH = 0x4E00;
    private static final int IDEOGRAPHS = 20_000;

    private SyntheticModel() {}

    /**
     * Writes the files.
     *
     * @param arguments {@code --shape} tiny, 1b, 7b (default) or 13b; {@code --vocab} pieces, 49,953 unless given; {@code --rank} of the adapters,
     *     8 unless given; {@code --output} the directory, {@code benchmarks/target/synthetic-SHAPE} unless given
     * @throws IOException if a file cannot be written
     */
    public static void main(String[] arguments) throws IOException {
        Arguments options = Arguments.parse(arguments, Set.of("--shape", "--vocab", "--rank", "--output"));
        String name = options.option("--shape", "7b");
        ModelShape shape = ModelShape.named(name);
        int vocabulary = options.count("--vocab", 49_953);
        if (vocabulary <= CONTROLS + BYTES) {
            throw new IllegalArgumentException("--vocab %d: expected more than the %d control pieces and bytes".formatted(vocabulary, CONTROLS + BYTES));
        }
        Path output = Path.of(options.option("--output", Checkout.target("synthetic-" + name).toString()));
        byte[] tokenizer = tokenizer(vocabulary);
        write(output.resolve("base"), tokenizer, "config.json", shape.config(vocabulary));
        base(shape, vocabulary).write(output.resolve("base/model.safetensors"));
        int rank = options.count("--rank", 8);
        for (boolean whole : new boolean[] {true, false}) {
            Path directory = output.resolve(whole ? "lora" : "lora-projections");
            write(directory, whole ? tokenizer : null, "adapter_config.json", adapterConfig(rank, whole));
            adapter(shape, vocabulary, rank, whole).write(directory.resolve("adapter_model.safetensors"));
        }
        System.out.println(output);
    }

    private static void write(Path directory, byte @Nullable [] tokenizer, String configName, String config) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve(configName), config);
        if (tokenizer != null) {
            Files.write(directory.resolve("tokenizer.model"), tokenizer);
        }
    }

    private static RandomSafetensors base(ModelShape shape, int vocabulary) {
        RandomSafetensors tensors = new RandomSafetensors(SEED, 0.02);
        tensors.matrix("model.embed_tokens.weight", vocabulary, shape.dim());
        for (int layer = 0; layer < shape.layers(); layer++) {
            String prefix = "model.layers." + layer + ".";
            tensors.ones(prefix + "input_layernorm.weight", shape.dim());
            tensors.ones(prefix + "post_attention_layernorm.weight", shape.dim());
            for (Projection projection : shape.projections()) {
                tensors.matrix(prefix + projection.name() + ".weight", projection.out(), projection.in());
            }
        }
        tensors.ones("model.norm.weight", shape.dim());
        tensors.matrix("lm_head.weight", vocabulary, shape.dim());
        return tensors;
    }

    private static RandomSafetensors adapter(ModelShape shape, int vocabulary, int rank, boolean whole) {
        RandomSafetensors tensors = new RandomSafetensors(SEED + 1, 0.01);
        for (int layer = 0; layer < shape.layers(); layer++) {
            for (Projection projection : shape.projections()) {
                String prefix = "base_model.model.model.layers.%d.%s.".formatted(layer, projection.name());
                tensors.matrix(prefix + "lora_A.weight", rank, projection.in());
                tensors.matrix(prefix + "lora_B.weight", projection.out(), rank);
            }
        }
        if (whole) {
            tensors.matrix("base_model.model.model.embed_tokens.weight", vocabulary, shape.dim());
            tensors.matrix("base_model.model.lm_head.weight", vocabulary, shape.dim());
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

    /** A SentencePiece BPE model: control pieces, bytes, ideographs, then pairs of them. Tags are those of {@code sentencepiece_model.proto}. */
    private static byte[] tokenizer(int vocabulary) {
        ByteArrayOutputStream model = new ByteArrayOutputStream();
        String[] controls = {"<unk>", "<s>", "</s>"};
        for (int id = 0; id < vocabulary; id++) {
            if (id < CONTROLS) {
                piece(model, controls[id], 0, id == 0 ? 2 : 3);
            } else if (id < CONTROLS + BYTES) {
                piece(model, "<0x%02X>".formatted(id - CONTROLS), 0, 6);
            } else {
                int rank = id - CONTROLS - BYTES;
                String first = Character.toString(FIRST_IDEOGRAPH + rank % IDEOGRAPHS);
                int round = rank / IDEOGRAPHS;
                String text = round == 0 ? first : first + Character.toString(FIRST_IDEOGRAPH + (rank + 37 * round) % IDEOGRAPHS);
                piece(model, text, -rank, 1);
            }
        }
        ByteArrayOutputStream trainer = new ByteArrayOutputStream();
        varint(trainer, 3 << 3); // model_type
        varint(trainer, 2); // BPE
        varint(trainer, 35 << 3); // byte_fallback
        varint(trainer, 1);
        message(model, 2, trainer.toByteArray());
        ByteArrayOutputStream normalizer = new ByteArrayOutputStream();
        message(normalizer, 1, "identity".getBytes(StandardCharsets.US_ASCII));
        message(model, 3, normalizer.toByteArray());
        return model.toByteArray();
    }

    private static void piece(ByteArrayOutputStream model, String text, float score, int type) {
        ByteArrayOutputStream piece = new ByteArrayOutputStream();
        message(piece, 1, text.getBytes(StandardCharsets.UTF_8));
        varint(piece, 2 << 3 | 5);
        piece.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(score).array());
        varint(piece, 3 << 3);
        varint(piece, type);
        message(model, 1, piece.toByteArray());
    }

    private static void message(ByteArrayOutputStream out, int field, byte[] bytes) {
        varint(out, field << 3 | 2);
        varint(out, bytes.length);
        out.writeBytes(bytes);
    }

    private static void varint(ByteArrayOutputStream out, int value) {
        int rest = value;
        while (rest > 0x7F) {
            out.write(rest & 0x7F | 0x80);
            rest >>>= 7;
        }
        out.write(rest);
    }
}
