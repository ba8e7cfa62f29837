package dev.yangtuo.fuzz;

import dev.yangtuo.checkpoint.GgufBuilder;
import dev.yangtuo.checkpoint.PytorchBuilder;
import dev.yangtuo.checkpoint.SafetensorsBuilder;
import dev.yangtuo.tensor.TensorType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Small valid files that fuzzing starts from, and the targets that they belong to. */
public final class FuzzSeeds {
    private static final Path TOKENIZERS = Path.of("src/test/resources/tokenizer/models");

    private FuzzSeeds() {}

    /**
     * A target and its seeds.
     *
     * @param target what is given the bytes
     * @param seeds valid files
     */
    record Seeded(Consumer<byte[]> target, List<byte[]> seeds) {}

    /** All targets by the names of their classes. */
    static Map<String, Seeded> all() {
        Map<String, Seeded> all = new LinkedHashMap<>();
        all.put("Gguf", new Seeded(FuzzTargets.Gguf::fuzzerTestOneInput, List.of(smallGguf(), model(TensorType.F32))));
        all.put("GgufModel", new Seeded(FuzzTargets.GgufModel::fuzzerTestOneInput, List.of(model(TensorType.F32), model(TensorType.Q8_0))));
        all.put("Safetensors", new Seeded(FuzzTargets.Safetensors::fuzzerTestOneInput, List.of(smallSafetensors())));
        all.put("ShardIndex", new Seeded(FuzzTargets.ShardIndex::fuzzerTestOneInput, List.of(utf8(
                "{\"metadata\": {\"total_size\": 12}, \"weight_map\": {\"a\": \"model-00001-of-00001.safetensors\"}}"))));
        all.put("Llama2c", new Seeded(FuzzTargets.Llama2c::fuzzerTestOneInput, List.of(llama2c(0), llama2c(1), llama2c(2))));
        all.put("Pytorch", new Seeded(FuzzTargets.Pytorch::fuzzerTestOneInput, List.of(PytorchBuilder.small().build())));
        all.put("Pickle", new Seeded(FuzzTargets.Pickle::fuzzerTestOneInput, List.of(pickle())));
        all.put("Adapter", new Seeded(FuzzTargets.Adapter::fuzzerTestOneInput, List.of(adapter())));
        all.put("GgufAdapter", new Seeded(FuzzTargets.GgufAdapter::fuzzerTestOneInput, List.of(ggufAdapter())));
        all.put("AdapterConfig", new Seeded(FuzzTargets.AdapterConfig::fuzzerTestOneInput, List.of(utf8("""
                {"peft_type": "LORA", "r": 8, "lora_alpha": 16.0, "use_rslora": false, "fan_in_fan_out": false, "bias": "none",
                 "rank_pattern": {"layers\\\\.[0-3]\\\\..*q_proj": 4}, "alpha_pattern": {"^model.(a|b)+$": 2},
                 "target_modules": ["q_proj"], "modules_to_save": ["embed_tokens"], "init_lora_weights": true}
                """))));
        all.put("TokenizerModel", new Seeded(FuzzTargets.TokenizerModel::fuzzerTestOneInput, List.of(
                read(TOKENIZERS.resolve("bpe-identity.model")), read(TOKENIZERS.resolve("unigram-rules.model")))));
        all.put("Gbnf", new Seeded(FuzzTargets.Gbnf::fuzzerTestOneInput, List.of(utf8("""
                # all of the notation
                root ::= "a\\n\\x41\\u4E2D" [^a-z\\]]{2,40} (b | c-1)* .? <[7]> !<[8]>
                b ::= [一-鿿]+ | "(" b? ")" |
                  "x"{3}
                c-1 ::= "y" c-1 | "z"
                """))));
        all.put("JsonSchema", new Seeded(FuzzTargets.JsonSchema::fuzzerTestOneInput, List.of(utf8("""
                {"$defs": {"n": {"type": "object", "properties": {"v": {"type": "integer", "minimum": -3, "maximum": 120}, "n": {"$ref": "#/$defs/n"}}, "required": ["v"]}},
                 "type": "object", "properties": {"a": {"$ref": "#/$defs/n"}, "b": {"type": "array", "items": {"type": "string", "maxLength": 9}, "minItems": 1, "maxItems": 30}},
                 "additionalProperties": {"anyOf": [{"type": "number", "exclusiveMinimum": 0.5, "maximum": 2.25}, {"enum": ["x", null]}]}, "required": ["b"]}"""), utf8("""
                {"oneOf": [{"const": 1}, {"type": "string", "pattern": "^a[b-d]*$|e"}, {"type": "string", "format": "date"}], "allOf": [{"type": ["integer", "string"]}]}"""))));
        all.put("Regex", new Seeded(FuzzTargets.Regex::fuzzerTestOneInput, List.of(utf8("^(?:a|[^b-d\\w]{2,50}|\\x{4E2D}.)*(?<n>x+?\\d|\\u00e9)$"))));
        return all;
    }

    /**
     * Writes the seeds where a fuzzer finds them.
     *
     * @param arguments the folder; each target gets one of its own in it
     * @throws IOException if a file cannot be written
     */
    public static void main(String[] arguments) throws IOException {
        for (Map.Entry<String, Seeded> target : all().entrySet()) {
            Path folder = Files.createDirectories(Path.of(arguments[0], target.getKey()));
            int number = 0;
            for (byte[] seed : target.getValue().seeds) {
                Files.write(folder.resolve("seed-" + number++), seed);
            }
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] smallGguf() {
        ByteArrayOutputStream strings = new ByteArrayOutputStream();
        strings.writeBytes(GgufBuilder.string("a"));
        strings.writeBytes(GgufBuilder.string("b"));
        return new GgufBuilder()
                .put("general.architecture", "llama")
                .put("llama.block_count", 2)
                .put("eps", 1e-5f)
                .array("list", 8, 2, strings.toByteArray())
                .tensor("a", TensorType.F32, new float[6], 2, 3)
                .tensor("b", TensorType.Q8_0, new float[64], 2, 32)
                .tensor("c", TensorType.F16, new float[16], 16)
                .build();
    }

    private static byte[] smallSafetensors() {
        return new SafetensorsBuilder()
                .metadata("format", "pt")
                .tensor("a", TensorType.F32, new float[6], 2, 3)
                .tensor("b", TensorType.BF16, new float[4], 4)
                .rawTensor("c", "I64", new byte[8], 1)
                .build();
    }

    private static byte[] pickle() {
        return new PytorchBuilder.Pickle().proto(2).op('}').op('(').text("a")
                .tensor("0", "FloatStorage", 6, 0, new int[] {2, 3}, new int[] {3, 1}).op('u').op('.').bytes();
    }

    private static byte[] adapter() {
        String module = "base_model.model.model.layers.0.self_attn.q_proj.";
        return new SafetensorsBuilder()
                .tensor(module + "lora_A.weight", TensorType.F32, new float[2], 1, 2)
                .tensor(module + "lora_B.weight", TensorType.F16, new float[2], 2, 1)
                .tensor("base_model.model.lm_head.weight", TensorType.F32, new float[4], 2, 2)
                .build();
    }

    private static byte[] ggufAdapter() {
        return new GgufBuilder()
                .put("general.architecture", "llama")
                .put("general.type", "adapter")
                .put("adapter.type", "lora")
                .put("adapter.lora.alpha", 2f)
                .tensor("blk.0.attn_q.weight.lora_a", TensorType.F32, new float[4], 1, 4)
                .tensor("blk.0.attn_q.weight.lora_b", TensorType.F16, new float[4], 4, 1)
                .build();
    }

    /** One layer, 4 wide, 3 pieces, tied. */
    private static byte[] llama2c(int version) {
        int matrices = 3 * 4 + 4 * 4 * 4 + 3 * 4 * 8;
        int elements = matrices + 3 * 4;
        int bytes = switch (version) {
            case 0 -> 28 + 4 * (elements + 2 * 4);
            case 1 -> 256 + 4 * elements;
            default -> 256 + matrices + matrices / 4 * 4 + 4 * 3 * 4;
        };
        ByteBuffer file = GgufBuilder.little(bytes);
        if (version > 0) {
            file.putInt(0x616b3432).putInt(version);
        }
        for (int value : new int[] {4, 8, 1, 1, 1, 3, 2}) {
            file.putInt(value);
        }
        if (version > 0) {
            file.put((byte) 1).putInt(4);
        }
        return file.array();
    }

    /** One layer, 32 wide, with a vocabulary of a few pieces. */
    private static byte[] model(TensorType type) {
        List<String> pieces = new ArrayList<>(List.of("<unk>", "<s>", "</s>", "▁", "a", "▁a", "春", "眠"));
        int vocabulary = pieces.size();
        float[] scores = new float[vocabulary];
        int[] types = new int[vocabulary];
        for (int id = 0; id < vocabulary; id++) {
            scores[id] = -id;
            types[id] = id == 0 ? 2 : id < 3 ? 3 : 1;
        }
        GgufBuilder gguf = new GgufBuilder()
                .put("general.architecture", "llama")
                .put("llama.embedding_length", 32)
                .put("llama.feed_forward_length", 32)
                .put("llama.block_count", 1)
                .put("llama.attention.head_count", 2)
                .put("llama.attention.head_count_kv", 1)
                .put("llama.context_length", 16)
                .put("llama.rope.dimension_count", 16)
                .put("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                .put("tokenizer.ggml.model", "llama")
                .put("tokenizer.ggml.tokens", pieces.toArray(String[]::new))
                .put("tokenizer.ggml.scores", scores)
                .put("tokenizer.ggml.token_type", types)
                .put("tokenizer.ggml.bos_token_id", 1)
                .put("tokenizer.ggml.eos_token_id", 2)
                .tensor("token_embd.weight", type, new float[vocabulary * 32], vocabulary, 32)
                .tensor("output_norm.weight", TensorType.F32, new float[32], 32)
                .tensor("blk.0.attn_norm.weight", TensorType.F32, new float[32], 32)
                .tensor("blk.0.ffn_norm.weight", TensorType.F32, new float[32], 32);
        for (String name : List.of("attn_q", "attn_output", "ffn_gate", "ffn_up", "ffn_down")) {
            gguf.tensor("blk.0." + name + ".weight", type, new float[32 * 32], 32, 32);
        }
        for (String name : List.of("attn_k", "attn_v")) {
            gguf.tensor("blk.0." + name + ".weight", type, new float[16 * 32], 16, 32);
        }
        return gguf.build();
    }
}
