package dev.yangtuo;

import static dev.yangtuo.TinyFiles.DEMO;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.yangtuo.TinyFiles.Tensor;
import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.exception.ContextLengthException;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Everything that can be wrong with the files of a model ends in an exception of ours that names the file, what was found, and what to do;
 * nothing stays open or mapped, and nothing is allocated because a file says so.
 */
class BadInputTest {
    private static final Path MAPPINGS = Path.of("/proc/self/maps");
    private static final LoadOptions OPTIONS = LoadOptions.defaults().engine(Engine.YANGTUO).backend(BackendType.SCALAR).threads(1);
    private static final int HUGE = Integer.MAX_VALUE;

    @TempDir
    private Path directory;

    /** What is loaded. */
    private record Input(Path model, LoadOptions options) {}

    /**
     * A case.
     *
     * @param name what is wrong
     * @param type what is thrown
     * @param mentions what the message contains
     * @param broken makes the files
     */
    private record Case(
            String name, Class<? extends YangtuoException> type, List<String> mentions, Function<TinyFiles, Input> broken) {
        @Override
        public String toString() {
            return name;
        }
    }

    private static Case model(String name, Function<TinyFiles, Path> broken, String... mentions) {
        return new Case(name, CheckpointFormatException.class, List.of(mentions), files -> new Input(broken.apply(files), OPTIONS));
    }

    private static Case config(String name, UnaryOperator<String> edit, String... mentions) {
        String[] all = Arrays.copyOf(mentions, mentions.length + 1);
        all[mentions.length] = "config.json";
        return model(name, files -> files.modelWithConfig(edit), all);
    }

    private static Case tensors(String name, UnaryOperator<Map<String, Tensor>> edit, String... mentions) {
        return model(name, files -> {
            Path model = files.model();
            TinyFiles.editTensors(model.resolve("model.safetensors"), edit);
            return model;
        }, mentions);
    }

    private static Case adapter(String name, Function<TinyFiles, Path> broken, String... mentions) {
        return new Case(name, AdapterException.class, List.of(mentions),
                files -> new Input(TinyFiles.BASE, OPTIONS.lora(broken.apply(files))));
    }

    private static Case adapterTensors(String name, UnaryOperator<Map<String, Tensor>> edit, String... mentions) {
        return adapter(name, files -> {
            Path adapter = files.adapter();
            TinyFiles.editTensors(adapter.resolve("adapter_model.safetensors"), edit);
            return adapter;
        }, mentions);
    }

    private static UnaryOperator<String> set(String key, String value) {
        return json -> json.replaceFirst("\"" + key + "\": [^,}\\[]+", "\"" + key + "\": " + value);
    }

    private static UnaryOperator<String> without(String key) {
        return json -> json.replaceFirst("\"" + key + "\": [^,}\\[]+, ", "");
    }

    private static UnaryOperator<String> adding(String pair) {
        return json -> json.replaceFirst("\\{", "{" + pair + ", ");
    }

    private static UnaryOperator<Map<String, Tensor>> changing(String name, UnaryOperator<Tensor> change) {
        return tensors -> {
            Map<String, Tensor> changed = new LinkedHashMap<>(tensors);
            assertThat(changed.computeIfPresent(name, (key, tensor) -> change.apply(tensor))).isNotNull();
            return changed;
        };
    }

    private static UnaryOperator<Map<String, Tensor>> dropping(String name) {
        return tensors -> {
            Map<String, Tensor> changed = new LinkedHashMap<>(tensors);
            assertThat(changed.remove(name)).isNotNull();
            return changed;
        };
    }

    private static UnaryOperator<Map<String, Tensor>> including(String name, long... shape) {
        return tensors -> {
            Map<String, Tensor> changed = new LinkedHashMap<>(tensors);
            changed.put(name, zeros(shape));
            return changed;
        };
    }

    private static Tensor zeros(long... shape) {
        long count = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        return new Tensor("F32", shape, new byte[Math.toIntExact(4 * count)]);
    }

    private static Tensor withValue(Tensor tensor, int index, float value) {
        byte[] data = tensor.data().clone();
        ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).putFloat(4 * index, value);
        return new Tensor(tensor.dtype(), tensor.shape(), data);
    }

    private static Path file(TinyFiles files, String name, String content) {
        Path file = files.path(name);
        TinyFiles.write(file, TinyFiles.utf8(content));
        return file;
    }

    private static Path modelFile(TinyFiles files, String name, String content) {
        Path model = files.model();
        TinyFiles.write(model.resolve(name), TinyFiles.utf8(content));
        return model;
    }

    private static Path modelWithout(TinyFiles files, String name) {
        Path model = files.model();
        TinyFiles.delete(model.resolve(name));
        return model;
    }

    static Stream<Case> models() {
        return Stream.of(
                model("no such path", files -> files.path("nowhere"), "nowhere", "there is no such file", "Check the path"),
                model("an empty directory", files -> files.copy(files.path("."), "empty"), "config.json is missing"),
                model("a directory without config.json", files -> modelWithout(files, "config.json"), "config.json is missing", "GGUF"),
                model("a directory without weights", files -> modelWithout(files, "model.safetensors"), "model.safetensors", "Download"),
                model("an adapter in place of a model", files -> files.adapter(), "LoRA adapter", "base model"),
                model("a safetensors file in place of its directory", files -> files.model().resolve("model.safetensors"), "give the directory"),
                model("an empty file", files -> file(files, "empty.gguf", ""), "empty.gguf", "empty"),
                model("a text file", files -> file(files, "notes.txt", "hello"), "notes.txt", "Expected a GGUF file"),
                model("a Git LFS pointer", files -> file(files, "m.gguf", "version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"),
                model("a PyTorch file", files -> file(files, "m.pth", "PK\u0003\u0004"), "m.pth", "PyTorch", "give the directory"),
                model("a Git LFS pointer as weights",
                        files -> modelFile(files, "model.safetensors", "version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"),
                model("an index of missing shards", files -> {
                    Path model = modelWithout(files, "model.safetensors");
                    TinyFiles.write(model.resolve("model.safetensors.index.json"),
                            TinyFiles.utf8("{\"weight_map\":{\"model.norm.weight\":\"model-00001-of-00002.safetensors\"}}"));
                    return model;
                }, "model-00001-of-00002.safetensors"),
                model("config.json is a directory", files -> {
                    Path model = modelWithout(files, "config.json");
                    assertThat(model.resolve("config.json").toFile().mkdir()).isTrue();
                    return model;
                }, "config.json", "not a plain file"));
    }

    static Stream<Case> configs() {
        return Stream.of(
                config("config is not JSON", json -> "not json", "not valid JSON"),
                config("config is cut off", json -> json.substring(0, 40), "not valid JSON"),
                config("config is empty", json -> "", "not"),
                config("config is a list", json -> "[]", "not a JSON object"),
                config("config is deeply nested", json -> "[".repeat(100_000), "not valid JSON"),
                config("hidden_size is missing", without("hidden_size"), "hidden_size", "missing"),
                config("intermediate_size is missing", without("intermediate_size"), "intermediate_size", "missing"),
                config("num_hidden_layers is missing", without("num_hidden_layers"), "num_hidden_layers", "missing"),
                config("num_attention_heads is missing", without("num_attention_heads"), "num_attention_heads", "missing"),
                config("vocab_size is missing", without("vocab_size"), "vocab_size", "missing"),
                config("hidden_size is a string", set("hidden_size", "\"64\""), "hidden_size", "\"64\"", "integer"),
                config("hidden_size is a fraction", set("hidden_size", "64.5"), "hidden_size", "64.5", "integer"),
                config("hidden_size is zero", set("hidden_size", "0"), "hidden_size is 0"),
                config("hidden_size is negative", set("hidden_size", "-64"), "hidden_size is -64"),
                config("hidden_size is no multiple of the heads", set("hidden_size", "66"), "66", "multiple", "4"),
                config("hidden_size is beyond int", set("hidden_size", "99999999999"), "hidden_size", "99999999999"),
                config("num_attention_heads is zero", set("num_attention_heads", "0"), "num_attention_heads"),
                config("heads are no multiple of key/value heads", set("num_key_value_heads", "3"), "num_key_value_heads", "3"),
                config("more key/value heads than heads", set("num_key_value_heads", "8"), "num_key_value_heads", "8"),
                config("layers without number", set("num_hidden_layers", "\"three\""), "num_hidden_layers", "three"),
                config("a huge number of layers", set("num_hidden_layers", "" + HUGE), "num_hidden_layers", "" + HUGE),
                config("context of zero", set("max_position_embeddings", "0"), "max_position_embeddings is 0"),
                config("rms_norm_eps is text", set("rms_norm_eps", "\"small\""), "rms_norm_eps", "small"),
                config("rope_theta is zero", set("rope_theta", "0"), "rope_theta"),
                config("rope_theta is infinite", set("rope_theta", "1e999"), "rope_theta"),
                config("another activation", set("hidden_act", "\"gelu\""), "gelu", "silu"),
                config("another architecture", set("model_type", "\"gpt2\""), "gpt2", "llama"),
                config("biases that are not there", adding("\"attention_bias\": true"), "attention_bias"),
                config("a quantized checkpoint", adding("\"quantization_config\": {\"bits\": 4}"), "quantization_config", "unquantized"),
                config("unknown RoPE scaling", adding("\"rope_scaling\": {\"type\": \"longrope\", \"factor\": 2}"), "longrope", "yarn"),
                config("a RoPE factor that is negative", adding("\"rope_scaling\": {\"type\": \"yarn\", \"factor\": -4}"), "yarn", "-4", "at least 1"),
                config("a window of no positions", adding("\"sliding_window\": 0"), "sliding_window", "at least 1"),
                config("linear RoPE scaling without factor", adding("\"rope_scaling\": {\"type\": \"linear\"}"), "factor"),
                config("eos_token_id is text", set("eos_token_id", "\"</s>\""), "eos_token_id"),
                model("generation_config.json with nonsense",
                        files -> modelFile(files, "generation_config.json", "{\"temperature\": \"hot\"}"), "generation_config.json", "hot"),
                model("generation_config.json out of range",
                        files -> modelFile(files, "generation_config.json", "{\"top_p\": 7}"), "generation_config.json", "7"),
                model("generation_config.json with no tokens",
                        files -> modelFile(files, "generation_config.json", "{\"max_new_tokens\": 0}"), "generation_config.json", "max_new_tokens"));
    }

    static Stream<Case> weights() {
        String q = "model.layers.1.self_attn.q_proj.weight";
        return Stream.of(
                model("vocab_size larger than the embedding", files -> files.modelWithConfig(set("vocab_size", "3001")),
                        "model.embed_tokens.weight", "[3000, 64]", "[3001, 64]"),
                model("a huge vocab_size", files -> files.modelWithConfig(set("vocab_size", "" + HUGE)), "model.embed_tokens.weight", "" + HUGE),
                model("a huge intermediate_size", files -> files.modelWithConfig(set("intermediate_size", "1000000")), "gate_proj", "1000000"),
                model("more layers than there are", files -> files.modelWithConfig(set("num_hidden_layers", "4000")), "model.layers.3.", "missing"),
                model("fewer layers than there are", files -> files.modelWithConfig(set("num_hidden_layers", "2")), "model.layers.2.", "2 layers"),
                tensors("a missing tensor", dropping(q), q, "missing"),
                tensors("a missing output", dropping("lm_head.weight"), "lm_head.weight", "missing"),
                tensors("a missing norm", dropping("model.norm.weight"), "model.norm.weight", "missing"),
                tensors("an extra tensor", including("model.layers.0.self_attn.q_norm.weight", 64), "q_norm.weight", "not part of"),
                tensors("a bias of another size", including("model.layers.0.self_attn.q_proj.bias", 63), "q_proj.bias", "[63]"),
                tensors("a tensor of another shape", changing(q, tensor -> zeros(64, 32)), q, "[64, 32]", "[64, 64]"),
                tensors("a transposed tensor",
                        changing("model.layers.0.mlp.up_proj.weight", tensor -> zeros(64, 96)), "[64, 96]", "[96, 64]"),
                tensors("a vector in place of a matrix", changing(q, tensor -> zeros(4096)), q, "[4096]"),
                tensors("a tensor without rows", changing("model.norm.weight", tensor -> zeros(0)), "model.norm.weight", "[0]"),
                tensors("integers as weights",
                        changing(q, tensor -> new Tensor("I32", tensor.shape(), tensor.data())), q, "I32"),
                tensors("a NaN weight", changing(q, tensor -> withValue(tensor, 65, Float.NaN)), q, "row 1, column 1", "NaN"),
                tensors("a NaN weight that needs no conversion",
                        changing("model.layers.2.mlp.down_proj.weight", tensor -> withValue(tensor, 96 * 5 + 7, Float.NaN)), "row 5, column 7", "NaN"),
                tensors("an infinite weight of the last row",
                        changing("lm_head.weight", tensor -> withValue(tensor, 3000 * 64 - 1, Float.POSITIVE_INFINITY)), "row 2999, column 63"),
                tensors("a NaN in bfloat16", changing(q.replace("q_proj", "o_proj"), tensor -> {
                    byte[] data = new byte[tensor.data().length / 2];
                    ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).putShort(2 * 130, (short) 0x7FC0);
                    return new Tensor("BF16", tensor.shape(), data);
                }), "row 2, column 2"),
                tensors("an infinite weight in a norm",
                        changing("model.norm.weight", tensor -> withValue(tensor, 3, Float.NEGATIVE_INFINITY)), "model.norm.weight", "Infinity"));
    }

    static Stream<Case> tokenizers() {
        return Stream.of(
                new Case("no tokenizer.model", TokenizerFormatException.class, List.of("model", "tokenizer.model is missing"),
                        files -> new Input(modelWithout(files, "tokenizer.model"), OPTIONS)),
                new Case("only a tokenizer.json", TokenizerFormatException.class, List.of("tokenizer.json", "SentencePiece"), files -> {
                    Path model = modelWithout(files, "tokenizer.model");
                    TinyFiles.write(model.resolve("tokenizer.json"), TinyFiles.utf8("{}"));
                    return new Input(model, OPTIONS);
                }),
                new Case("a tokenizer.model that is text", TokenizerFormatException.class, List.of("tokenizer.model", "no SentencePiece model"),
                        files -> new Input(modelFile(files, "tokenizer.model", "hello"), OPTIONS)),
                new Case("a tokenizer.model that is cut off", TokenizerFormatException.class, List.of("tokenizer.model"), files -> {
                    Path model = files.model();
                    Path file = model.resolve("tokenizer.model");
                    TinyFiles.write(file, Arrays.copyOf(TinyFiles.read(file), 20_001));
                    return new Input(model, OPTIONS);
                }),
                model("a tokenizer larger than the vocabulary", files -> {
                    Path model = files.model();
                    TinyFiles.write(model.resolve("tokenizer.model"), TinyFiles.read(DEMO.resolve("chinese-lora/tokenizer.model")));
                    return model;
                }, "12183", "3000"));
    }

    static Stream<Case> adapters() {
        String a = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";
        return Stream.of(
                adapter("no such adapter", files -> files.path("nowhere"), "nowhere", "there is no such directory"),
                adapter("a file in place of an adapter", files -> files.adapter().resolve("adapter_config.json"), "is a file", "directory"),
                adapter("a model in place of an adapter", files -> files.model(), "adapter_config.json is missing"),
                adapter("an adapter without weights", files -> {
                    Path adapter = files.adapter();
                    TinyFiles.delete(adapter.resolve("adapter_model.safetensors"));
                    return adapter;
                }, "adapter_model.safetensors (or adapter_model.bin) is missing"),
                adapter("adapter_config.json is not JSON", files -> files.adapterWithConfig(json -> "{"), "adapter_config.json", "not JSON"),
                adapter("an unknown peft_type", files -> files.adapterWithConfig(set("peft_type", "\"IA3\"")), "IA3", "LORA"),
                adapter("no peft_type", files -> files.adapterWithConfig(without("peft_type")), "peft_type is missing"),
                adapter("rank zero", files -> files.adapterWithConfig(set("r", "0")), "adapter_config.json", "r is "),
                adapter("alpha is text", files -> files.adapterWithConfig(set("lora_alpha", "\"x\"")), "lora_alpha"),
                adapter("DoRA", files -> files.adapterWithConfig(adding("\"use_dora\": true")), "use_dora"),
                adapter("an adapter of another model", files -> DEMO.resolve("chinese-lora"), "chinese-lora", "another model", "64", "256"),
                adapterTensors("keys that match nothing", tensors -> {
                    Map<String, Tensor> renamed = new LinkedHashMap<>();
                    tensors.forEach((name, tensor) -> renamed.put(name.replace("layers.", "blocks."), tensor));
                    return renamed;
                }, "blocks.0"),
                adapterTensors("a layer that the model does not have", tensors -> {
                    Map<String, Tensor> renamed = new LinkedHashMap<>();
                    tensors.forEach((name, tensor) -> renamed.put(name.replace("layers.2.", "layers.9."), tensor));
                    return renamed;
                }, "layers.9."),
                adapterTensors("lora_A without lora_B", dropping(a.replace("lora_A", "lora_B")), a, "lora_B"),
                adapterTensors("ranks that differ", changing(a, tensor -> zeros(5, 64)), a, "[5, 64]", "[64, 4]"),
                adapterTensors("adapters of two names", tensors -> {
                    Map<String, Tensor> named = new LinkedHashMap<>();
                    tensors.forEach((name, tensor) -> named.put(name.replace(".weight", (name.contains("layers.0") ? ".one" : ".two") + ".weight"), tensor));
                    return named;
                }, "holds 2 adapters ('one', 'two')"),
                adapter("rows of tokens that are not there", files -> files.adapterWithConfig(adding("\"trainable_token_indices\": [3]")), "trainable_token_indices",
                        "no rows for them"),
                adapter("a bias beside lora_B that is not there", files -> files.adapterWithConfig(adding("\"lora_bias\": true")), "lora_B", "lora_bias"),
                adapterTensors("a NaN in lora_A", changing(a, tensor -> withValue(tensor, 2, Float.NaN)), a, "NaN"),
                adapterTensors("an embedding without its output matrix",
                        including("base_model.model.model.embed_tokens.weight", 3005, 64), "3005", "3000", "lm_head"),
                adapterTensors("a vocabulary without its tokenizer",
                        tensors -> including("base_model.model.lm_head.weight", 3005, 64)
                                .apply(including("base_model.model.model.embed_tokens.weight", 3005, 64).apply(tensors)),
                        "3005", "3000", "tokenizer.model"),
                new Case("a tokenizer of another vocabulary", AdapterException.class, List.of("12183", "12184", "tokenizer.model"), files -> {
                    Path adapter = files.copy(DEMO.resolve("chinese-lora"), "chinese");
                    TinyFiles.write(adapter.resolve("tokenizer.model"), TinyFiles.read(DEMO.resolve("alpaca-lora/tokenizer.model")));
                    return new Input(DEMO.resolve("base"), OPTIONS.lora(adapter));
                }),
                new Case("an earlier adapter's tokenizer of another vocabulary", AdapterException.class, List.of("chinese", "12183", "12184", "tokenizer.model"), files -> {
                    Path adapter = files.copy(DEMO.resolve("chinese-lora"), "chinese");
                    TinyFiles.write(adapter.resolve("tokenizer.model"), TinyFiles.read(DEMO.resolve("alpaca-lora/tokenizer.model")));
                    return new Input(DEMO.resolve("base"), OPTIONS.lora(adapter).lora(DEMO.resolve("alpaca-lora")));
                }),
                new Case("the base's tokenizer with the adapter's vocabulary", AdapterException.class, List.of("12183", "3000"), files -> {
                    Path adapter = files.copy(DEMO.resolve("chinese-lora"), "chinese");
                    TinyFiles.write(adapter.resolve("tokenizer.model"), TinyFiles.read(DEMO.resolve("base/tokenizer.model")));
                    return new Input(DEMO.resolve("base"), OPTIONS.lora(adapter));
                }),
                new Case("adapters in the wrong order", AdapterException.class, List.of("chinese-lora", "12183", "12184"),
                        files -> new Input(DEMO.resolve("base"), OPTIONS.lora(DEMO.resolve("alpaca-lora")).lora(DEMO.resolve("chinese-lora")))),
                new Case("a truncated adapter", CheckpointFormatException.class, List.of("adapter_model.safetensors"), files -> {
                    Path adapter = files.adapter();
                    Path file = adapter.resolve("adapter_model.safetensors");
                    TinyFiles.write(file, Arrays.copyOf(TinyFiles.read(file), 10_000));
                    return new Input(TinyFiles.BASE, OPTIONS.lora(adapter));
                }));
    }

    static Stream<Case> ggufs() {
        return Stream.of(
                model("another architecture in GGUF",
                        files -> TinyFiles.gguf().put("llama.expert_count", 8).write(files.path("m.gguf")), "m.gguf", "experts"),
                model("an extra tensor in GGUF",
                        files -> TinyFiles.gguf().rawTensor("blk.0.attn_q_norm.weight", 0, new byte[256], 64).write(files.path("m.gguf")), "blk.0.attn_q_norm"),
                model("a bias of another size in GGUF",
                        files -> TinyFiles.gguf().rawTensor("blk.0.attn_q.bias", 0, new byte[128], 32).write(files.path("m.gguf")), "blk.0.attn_q.bias", "[32]"),
                model("a bias of an unknown type in GGUF",
                        files -> TinyFiles.gguf().rawTensor("blk.0.attn_q.bias", 27, new byte[512], 64).write(files.path("m.gguf")), "blk.0.attn_q.bias"),
                model("a huge tensor count in GGUF", files -> TinyFiles.gguf().tensorCount(Long.MAX_VALUE).write(files.path("m.gguf")), "m.gguf"),
                model("a huge pair count in GGUF", files -> TinyFiles.gguf().pairCount(Long.MAX_VALUE).write(files.path("m.gguf")), "m.gguf"),
                model("a tensor that lies beyond the end",
                        files -> TinyFiles.gguf().offset("output.weight", 1L << 60).write(files.path("m.gguf")), "m.gguf", "output.weight"),
                model("a NaN among the scales of Q8_0", files -> {
                    byte[] blocks = new byte[3000 * 2 * 34];
                    ByteBuffer.wrap(blocks).order(ByteOrder.LITTLE_ENDIAN).putShort(34 * 5, (short) 0xFE00);
                    return TinyFiles.ggufWith("output.weight", 8, blocks).write(files.path("m.gguf"));
                }, "lm_head.weight", "row 2, column 32"),
                model("a version that does not exist", files -> TinyFiles.gguf().version(99).write(files.path("m.gguf")), "m.gguf", "99"));
    }

    @AfterEach
    void nothingStaysMapped() throws IOException {
        if (Files.exists(MAPPINGS)) {
            assertThat(Files.readString(MAPPINGS)).doesNotContain(directory.toString());
        }
    }

    @ParameterizedTest
    @MethodSource({"models", "configs", "weights", "tokenizers", "adapters", "ggufs"})
    void isRefusedWithAMessageThatHelps(Case bad) {
        Input input = bad.broken().apply(new TinyFiles(directory));
        Throwable thrown = catchThrowable(() -> Llama.load(input.model(), input.options()).close());
        assertThat(thrown).isInstanceOf(bad.type()).hasMessageContainingAll(bad.mentions().toArray(String[]::new));
        assertThat(thrown.getMessage().lines()).as("one paragraph").hasSize(1);
    }

    @Test
    void theUnbrokenFilesLoad() {
        TinyFiles files = new TinyFiles(directory);
        try (Llama llama = Llama.load(files.model(), OPTIONS.lora(files.adapter()))) {
            assertThat(llama.vocabSize()).isEqualTo(3000);
        }
        try (Llama llama = Llama.load(TinyFiles.gguf().write(files.path("m.gguf")), OPTIONS)) {
            assertThat(llama.vocabSize()).isEqualTo(3000);
            assertThat(llama.tokenizer().vocabSize()).isEqualTo(3000);
        }
    }

    /** Cuts a file shorter and shorter; every length in {@code lengths} is tried. */
    private static void everyLengthIsRefused(Path model, Path file, TreeSet<Long> lengths) throws IOException {
        for (long length : lengths.descendingSet()) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(length);
            }
            assertThatThrownBy(() -> Llama.load(model, OPTIONS).close())
                    .as("%d bytes", length)
                    .isExactlyInstanceOf(CheckpointFormatException.class)
                    .hasMessageContaining(file.toString());
        }
    }

    @Test
    void safetensorsCutOffAnywhereIsRefused() throws IOException {
        Path model = new TinyFiles(directory).model();
        Path file = model.resolve("model.safetensors");
        long size = Files.size(file);
        long headerEnd = 8 + ByteBuffer.wrap(TinyFiles.read(file)).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
        TreeSet<Long> lengths = new TreeSet<>();
        for (long length = 0; length < headerEnd + 2; length += length < 16 ? 1 : 41) {
            lengths.add(length);
        }
        long end = headerEnd;
        for (Tensor tensor : TinyFiles.tensors(file).values()) {
            end += tensor.data().length;
            lengths.addAll(List.of(end - 1, end, end + 1));
        }
        lengths.addAll(List.of(headerEnd - 1, headerEnd, headerEnd + 1, size - 1));
        lengths.tailSet(size).clear();
        everyLengthIsRefused(model, file, lengths);
    }

    @Test
    void ggufCutOffAnywhereIsRefused() throws IOException {
        Path file = TinyFiles.gguf().write(directory.resolve("m.gguf"));
        long size = Files.size(file);
        long dataStart = size - TinyFiles.tensors(TinyFiles.BASE.resolve("model.safetensors")).values().stream().mapToLong(t -> t.data().length).sum();
        TreeSet<Long> lengths = new TreeSet<>(List.of(size - 1, dataStart + 1, dataStart, dataStart - 1));
        // The first keys and the tensors' entries byte for byte; the arrays of pieces between them in steps.
        for (long length = 0; length < dataStart; length += length < 400 ? 1 : length < dataStart - 2000 ? 997 : 7) {
            lengths.add(length);
        }
        everyLengthIsRefused(file, file, lengths);
    }

    @Test
    void aHugeContextIsLimitedToWhatTheMemoryTakes() {
        Path model = new TinyFiles(directory).modelWithConfig(set("max_position_embeddings", "" + HUGE));
        try (Llama llama = Llama.load(model, OPTIONS.maxSequences(1))) {
            assertThat(llama.contextLength()).isBetween(1, HUGE);
            try (Generation generation = llama.generate("x", GenerateOptions.defaults().greedy().maxTokens(3))) {
                assertThat(generation.result().generatedTokens()).isEqualTo(3);
            }
        }
    }

    @Test
    void aPromptLongerThanTheContextNamesBothLengths() {
        try (Llama llama = Llama.load(TinyFiles.BASE, OPTIONS.context(4))) {
            assertThatThrownBy(() -> llama.generate("床前明月光", GenerateOptions.defaults()))
                    .isInstanceOfSatisfying(ContextLengthException.class, e -> {
                        assertThat(e.tokens()).isEqualTo(17);
                        assertThat(e.context()).isEqualTo(4);
                    })
                    .hasMessageContainingAll("17", "4", "shorten the prompt", "larger context");
        }
    }

    @Test
    void tokensOutsideTheVocabularyAreNamed() {
        try (Llama llama = Llama.load(TinyFiles.BASE, OPTIONS)) {
            for (int id : new int[] {-1, 3000, Integer.MIN_VALUE, HUGE}) {
                assertThatThrownBy(() -> llama.generate(new int[] {1, id}, GenerateOptions.defaults()))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContainingAll("" + id, "3000");
                assertThatThrownBy(() -> llama.logits(new int[] {1, id}, (position, logits, offset) -> {}))
                        .isInstanceOf(IllegalArgumentException.class);
            }
            assertThatThrownBy(() -> llama.logits(new int[0], (position, logits, offset) -> {})).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void unknownNamesOfTypesListTheKnownOnes() {
        assertThatThrownBy(() -> WeightType.of("q5_9")).isInstanceOf(IllegalArgumentException.class).hasMessageContainingAll("q5_9", "q8_0", "q4_0");
        assertThatThrownBy(() -> KvType.of("q5_0")).isInstanceOf(IllegalArgumentException.class).hasMessageContainingAll("q5_0", "f16", "f32", "bf16", "q8_0", "q4_0");
        assertThatThrownBy(() -> BackendType.of("cuda")).isInstanceOf(IllegalArgumentException.class).hasMessageContainingAll("cuda", "native");
    }
}
