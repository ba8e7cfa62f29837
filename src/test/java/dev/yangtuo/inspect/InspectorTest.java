package dev.yangtuo.inspect;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.node.IntNode;
import dev.yangtuo.ModelFolders;
import dev.yangtuo.checkpoint.GgufBuilder;
import dev.yangtuo.checkpoint.SafetensorsBuilder;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.inspect.AdapterFacts.Change;
import dev.yangtuo.inspect.AdapterFacts.Effect;
import dev.yangtuo.inspect.Inspection.Kind;
import dev.yangtuo.inspect.Inspection.TypeTotal;
import dev.yangtuo.inspect.TokenizerFacts.Piece;
import dev.yangtuo.tensor.TensorType;
import dev.yangtuo.tokenizer.PieceType;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is said of models, adapters and tokenizers, and that only damaged files are failures. */
class InspectorTest {
    @TempDir
    private Path directory;

    private Path copy(Path source, String... names) throws IOException {
        Path target = Files.createDirectories(directory.resolve("copy"));
        for (String name : names) {
            Files.copy(source.resolve(name), target.resolve(name));
        }
        return target;
    }

    private static GgufBuilder gguf(String architecture) {
        return new GgufBuilder()
                .put("general.architecture", architecture)
                .put(architecture + ".embedding_length", 32)
                .put(architecture + ".block_count", 1)
                .put(architecture + ".attention.head_count", 2)
                .put(architecture + ".context_length", 128);
    }

    @Test
    void aModelThatCanBeRunIsDescribedAsItWouldBeRun() {
        Inspection model = Inspector.inspect(ModelFolders.tiny("base"));
        assertThat(model.kind()).isEqualTo(Kind.HUGGING_FACE);
        assertThat(model.obstacle()).isNull();
        assertThat(model.architecture()).isEqualTo("llama");
        assertThat(model.hyperParameters()).contains(entry("dim", 64), entry("hidden_dim", 96), entry("layers", 3), entry("heads", 4),
                entry("kv_heads", 2), entry("head_dim", 16), entry("vocab_size", 3000), entry("context_length", 256),
                entry("tied_embeddings", false));
        assertThat(model.tensors()).hasSize(30);
        assertThat(model.parameters()).isEqualTo(model.tensorBytes() / 4);
        assertThat(model.bitsPerWeight()).isEqualTo(32);
        assertThat(model.types()).containsExactly(new TypeTotal("F32", true, 30, model.parameters(), model.tensorBytes()));
        assertThat(model.files()).singleElement().satisfies(file -> assertThat(file.bytes()).isEqualTo(Files.size(file.file())));
        TokenizerFacts tokenizer = model.tokenizer();
        assertThat(tokenizer.kind()).isEqualTo("sentencepiece_bpe");
        assertThat(tokenizer.pieces()).isEqualTo(3000);
        assertThat(tokenizer.pieceTypes()).containsEntry(PieceType.BYTE, 256);
        assertThat(tokenizer.special()).containsEntry("bos", new Piece(1, "<s>", PieceType.CONTROL));
        assertThat(model.metadata()).containsKey("config.json");
    }

    @Test
    void addedTokensAreToldFromTheTokenizersOwn() throws IOException {
        Path model = copy(ModelFolders.tiny("base"), "config.json", "model.safetensors", "tokenizer.model");
        Files.writeString(model.resolve("added_tokens.json"), "{\"[PAD]\": 3000}");
        // The model has no row for it, so it would run without it.
        assertThat(Inspector.inspect(model).tokenizer().added()).isEmpty();
        Path alone = Files.createDirectory(directory.resolve("alone"));
        Files.copy(model.resolve("tokenizer.model"), alone.resolve("tokenizer.model"));
        Files.copy(model.resolve("added_tokens.json"), alone.resolve("added_tokens.json"));
        Inspection tokenizer = Inspector.inspect(alone);
        assertThat(tokenizer.kind()).isEqualTo(Kind.TOKENIZER);
        assertThat(tokenizer.tokenizer().added()).containsExactly(new Piece(3000, "[PAD]", PieceType.CONTROL));
        assertThat(tokenizer.tokenizer().pieces()).isEqualTo(3001);
    }

    @Test
    void anAdapterSaysWhatItWouldChange() {
        Inspection adapter = Inspector.inspect(ModelFolders.DEMO.resolve("chinese-lora"));
        assertThat(adapter.kind()).isEqualTo(Kind.PEFT_ADAPTER);
        assertThat(adapter.obstacle()).isNull();
        assertThat(adapter.hyperParameters()).isEmpty();
        AdapterFacts facts = adapter.adapter();
        assertThat(facts.settings()).containsEntry("rank", IntNode.valueOf(32)).containsEntry("alpha", IntNode.valueOf(64));
        assertThat(facts.changes()).hasSize(9);
        assertThat(facts.changes()).filteredOn(change -> change.effect() == Effect.LORA)
                .hasSize(7).allSatisfy(change -> {
                    assertThat(change.count()).isEqualTo(6);
                    assertThat(change.ranks()).containsExactly(32L);
                });
        assertThat(facts.changes()).filteredOn(change -> change.effect() == Effect.WHOLE)
                .extracting(Change::module, change -> List.copyOf(change.shapes()))
                .containsExactly(tuple("embed_tokens", List.of(List.of(12183L, 256L))),
                        tuple("lm_head", List.of(List.of(12183L, 256L))));
        assertThat(adapter.tokenizer().pieces()).isEqualTo(12183);
    }

    @Test
    void everyKindOfAdapterTensorIsNamed() throws IOException {
        Path adapter = Files.createDirectory(directory.resolve("adapter"));
        Files.writeString(adapter.resolve("adapter_config.json"), "{\"peft_type\": \"HADAMARD\", \"r\": 2, \"use_dora\": true}");
        SafetensorsBuilder tensors = new SafetensorsBuilder();
        String layer = "base_model.model.model.layers.0.self_attn.";
        for (String name : List.of(layer + "q_proj.lora_A.weight", layer + "q_proj.lora_B.weight", layer + "q_proj.lora_magnitude_vector",
                layer + "k_proj.lora_B.bias", layer + "v_proj.bias", "base_model.model.model.embed_tokens.lora_embedding_A",
                "base_model.model.model.embed_tokens.lora_embedding_B", "base_model.model.lm_head.modules_to_save.default.weight",
                "base_model.model.lm_head.original_module.weight", "base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta",
                "base_model.model.model.embed_tokens.token_adapter.trainable_tokens_original.default", "base_model.model.model.norm.weight", layer + "o_proj.hada_w1_a")) {
            tensors.tensor(name, TensorType.F32, new float[8], 4, 2);
        }
        tensors.write(adapter.resolve("adapter_model.safetensors"));
        Inspection inspection = Inspector.inspect(adapter);
        assertThat(inspection.obstacle()).contains("HADAMARD");
        assertThat(inspection.adapter().changes()).extracting(change -> change.effect() + " " + change.module()).containsExactly(
                "LORA q_proj", "MAGNITUDE q_proj", "BIAS k_proj", "BIAS v_proj", "EMBEDDING_LORA embed_tokens", "WHOLE lm_head", "NONE lm_head",
                "TOKEN_ROWS embed_tokens", "NONE embed_tokens", "WHOLE norm", "UNKNOWN hada_w1_a");
    }

    @Test
    void theAdaptersThatAreMergedInOtherTestsAreUnderstood() throws IOException {
        List<Path> adapters;
        try (Stream<Path> files = Files.walk(Path.of("src/test/resources/models/adapters/cases"))) {
            adapters = files.filter(file -> file.endsWith("adapter_config.json") || file.toString().endsWith(".gguf"))
                    .map(file -> file.toString().endsWith(".gguf") ? file : file.getParent()).sorted().toList();
        }
        assertThat(adapters).hasSizeGreaterThan(20);
        assertThat(adapters).map(Inspector::inspect).allSatisfy(inspection -> {
            assertThat(inspection.obstacle()).as(inspection.path().toString()).isNull();
            assertThat(inspection.adapter().changes()).as(inspection.path().toString()).isNotEmpty()
                    .noneMatch(change -> change.effect() == Effect.UNKNOWN);
        });
    }

    @Test
    void aGgufOfAnotherArchitectureIsDescribed() {
        Path file = gguf("mamba")
                .put("mamba.expert_count", 8)
                .put("tokenizer.ggml.model", "bert")
                .put("tokenizer.ggml.tokens", new String[] {"[PAD]", "a"})
                .put("tokenizer.ggml.token_type", new int[] {3, 1})
                .put("tokenizer.ggml.padding_token_id", 0)
                .tensor("token_embd.weight", TensorType.F16, new float[64], 2, 32)
                .rawTensor("blk.0.ffn_gate_exps.weight", 16, new byte[66], 256)
                .rawTensor("blk.0.ids", 26, new byte[8], 2)
                .write(directory.resolve("mamba.gguf"));
        Inspection model = Inspector.inspect(file);
        assertThat(model.kind()).isEqualTo(Kind.GGUF);
        assertThat(model.obstacle()).contains("mamba");
        assertThat(model.hyperParameters()).contains(entry("dim", 32L), entry("layers", 1L), entry("experts", 8L), entry("kv_heads", null),
                entry("tied_embeddings", true));
        assertThat(model.types()).extracting(TypeTotal::type, TypeTotal::readable).contains(
                tuple("IQ2_XXS", false), tuple("I32", false));
        assertThat(model.tokenizer().kind()).isEqualTo("other");
        assertThat(model.tokenizer().name()).isEqualTo("bert");
        assertThat(model.tokenizer().special()).containsEntry("pad", new Piece(0, "[PAD]", PieceType.CONTROL));
    }

    @Test
    void aGgufAdapterIsDescribed() {
        Path file = new GgufBuilder()
                .put("general.architecture", "llama")
                .put("general.type", "adapter")
                .put("adapter.type", "lora")
                .put("adapter.lora.alpha", 16f)
                .tensor("blk.0.attn_q.weight.lora_a", TensorType.F32, new float[4 * 32], 4, 32)
                .tensor("blk.0.attn_q.weight.lora_b", TensorType.F32, new float[32 * 4], 32, 4)
                .tensor("token_embd.weight.lora_a", TensorType.F32, new float[8 * 4], 8, 4)
                .tensor("token_embd.weight.lora_b", TensorType.F32, new float[32 * 4], 32, 4)
                .write(directory.resolve("adapter.gguf"));
        Inspection adapter = Inspector.inspect(file);
        assertThat(adapter.kind()).isEqualTo(Kind.GGUF_ADAPTER);
        assertThat(adapter.obstacle()).isNull();
        assertThat(adapter.adapter().settings()).contains(entry("type", "lora"), entry("alpha", 16f), entry("rank", 4L));
        assertThat(adapter.adapter().changes()).extracting(change -> change.effect() + " " + change.module() + " " + change.ranks())
                .containsExactly("LORA attn_q [4]", "EMBEDDING_LORA token_embd [4]");
    }

    @Test
    void aSplitGgufIsDescribedByAnyOfItsParts() {
        for (int part = 0; part < 2; part++) {
            GgufBuilder builder = part == 0 ? gguf("other") : new GgufBuilder();
            builder.pair("split.no", 2, new byte[] {(byte) part, 0})
                    .pair("split.count", 2, new byte[] {2, 0})
                    .put("split.tensors.count", 2)
                    .tensor("t" + part, TensorType.F16, new float[32], 32)
                    .write(directory.resolve("model-0000%d-of-00002.gguf".formatted(part + 1)));
        }
        Inspection model = Inspector.inspect(directory.resolve("model-00002-of-00002.gguf"));
        assertThat(model.tensors()).extracting(tensor -> tensor.name() + " " + tensor.file().getFileName()).containsExactly(
                "t0 model-00001-of-00002.gguf", "t1 model-00002-of-00002.gguf");
        assertThat(model.files()).hasSize(2);
        assertThat(model.architecture()).isEqualTo("other");
    }

    @Test
    void aLlama2cFileIsDescribed() throws IOException {
        int[] header = {4, 4, 1, 2, 2, 3, 8};
        int floats = 3 * 4 + 4 + 4 * 16 + 4 + 3 * 16 + 4 + 8 * 2;
        ByteBuffer bytes = GgufBuilder.little(4 * (header.length + floats));
        for (int value : header) {
            bytes.putInt(value);
        }
        Inspection model = Inspector.inspect(Files.write(directory.resolve("stories.bin"), bytes.array()));
        assertThat(model.kind()).isEqualTo(Kind.LLAMA2_C);
        assertThat(model.hyperParameters()).contains(entry("dim", 4), entry("vocab_size", 3), entry("tied_embeddings", true));
        assertThat(model.tensors()).isNotEmpty();
        assertThat(model.obstacle()).contains("tokenizer");
    }

    @Test
    void pytorchWeightsAreDescribedAloneAndInDirectories() throws IOException {
        Path file = Path.of("src/test/resources/models/pytorch/small.pth");
        Inspection alone = Inspector.inspect(file);
        assertThat(alone.kind()).isEqualTo(Kind.PYTORCH);
        assertThat(alone.obstacle()).contains("give the directory");
        assertThat(alone.tensors()).extracting(tensor -> tensor.name() + " " + tensor.type() + " " + tensor.shape() + " " + tensor.bytes())
                .containsExactlyInAnyOrder("tok_embeddings.weight F16 [8, 4] 64", "norm.weight F32 [4] 16",
                        "layers.0.attention.wq.weight BF16 [4, 4] 32", "positions int64 [3] 24");
        Path meta = Files.createDirectory(directory.resolve("meta"));
        Files.copy(file, meta.resolve("consolidated.00.pth"));
        Files.writeString(meta.resolve("params.json"), "{\"dim\": 4, \"n_layers\": 1, \"n_heads\": 2, \"norm_eps\": 1e-5, \"vocab_size\": -1}");
        Inspection model = Inspector.inspect(meta);
        assertThat(model.kind()).isEqualTo(Kind.META);
        assertThat(model.obstacle()).isNotNull();
        assertThat(model.architecture()).isEqualTo("llama");
        assertThat(model.hyperParameters()).containsEntry("dim", IntNode.valueOf(4)).containsEntry("heads", IntNode.valueOf(2));
        assertThat(model.metadata()).containsKey("params.json");
        assertThat(model.files()).hasSize(1);
        Path huggingFace = copy(ModelFolders.tiny("base"), "config.json", "tokenizer.model");
        Files.copy(file, huggingFace.resolve("pytorch_model.bin"));
        Inspection directoryOfBin = Inspector.inspect(huggingFace);
        assertThat(directoryOfBin.kind()).isEqualTo(Kind.HUGGING_FACE);
        assertThat(directoryOfBin.format()).isEqualTo("PyTorch");
        assertThat(directoryOfBin.tensors()).hasSize(4);
    }

    @Test
    void whatIsMissingIsAnObstacleAndNoFailure() throws IOException {
        Path model = copy(ModelFolders.tiny("base"), "config.json");
        Inspection withoutWeights = Inspector.inspect(model);
        assertThat(withoutWeights.obstacle()).contains("Download the weights");
        assertThat(withoutWeights.tensors()).isEmpty();
        assertThat(withoutWeights.bitsPerWeight()).isNaN();
        Files.copy(ModelFolders.tiny("base").resolve("model.safetensors"), model.resolve("model.safetensors"));
        Inspection withoutTokenizer = Inspector.inspect(model);
        assertThat(withoutTokenizer.obstacle()).contains("tokenizer.model is missing");
        assertThat(withoutTokenizer.tokenizer()).isNull();
        assertThat(withoutTokenizer.hyperParameters()).containsEntry("dim", IntNode.valueOf(64));
        Files.delete(model.resolve("config.json"));
        Inspection withoutConfig = Inspector.inspect(model);
        assertThat(withoutConfig.obstacle()).contains("config.json is missing");
        assertThat(withoutConfig.tensors()).hasSize(30);
    }

    @Test
    void whatIsNotSupportedIsAnObstacleAndNoFailure() throws IOException {
        Path model = copy(ModelFolders.tiny("base"), "model.safetensors", "tokenizer.model");
        Files.writeString(model.resolve("config.json"), """
                {"model_type": "qwen2_moe", "hidden_size": 64, "num_experts": 60, "num_experts_per_tok": 4, "attention_bias": true,
                 "rope_scaling": {"rope_type": "yarn", "factor": 4.0}}""");
        Inspection inspection = Inspector.inspect(model);
        assertThat(inspection.obstacle()).contains("qwen2_moe");
        assertThat(inspection.architecture()).isEqualTo("qwen2_moe");
        assertThat(inspection.hyperParameters()).containsEntry("experts", IntNode.valueOf(60)).containsEntry("layers", null)
                .extractingByKey("rope_scaling").hasToString("\"yarn\"");
    }

    @Test
    void ropeAndWindowAreThoseThatAModelIsRunWith() throws IOException {
        Path model = copy(ModelFolders.tiny("base"), "config.json", "model.safetensors", "tokenizer.model");
        Path config = model.resolve("config.json");
        Files.writeString(config, Files.readString(config).replaceFirst("\\{",
                "{\"sliding_window\": 64, \"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2.5}, "));
        assertThat(Inspector.inspect(model).hyperParameters())
                .containsEntry("rope_scaling", "dynamic").containsEntry("rope_scaling_factor", 2.5f)
                .containsEntry("rope_original_context", 256).containsEntry("sliding_window", 64);
        Files.writeString(config, Files.readString(config).replaceFirst("\\{", "{\"use_sliding_window\": false, ").replace("dynamic", "default"));
        assertThat(Inspector.inspect(model).hyperParameters())
                .containsEntry("rope_scaling", null).containsEntry("rope_scaling_factor", null).containsEntry("sliding_window", null);
    }

    @Test
    void aTokenizerJsonIsCounted() throws IOException {
        Path model = copy(ModelFolders.tiny("base"), "config.json", "model.safetensors");
        Files.writeString(model.resolve("tokenizer.json"), """
                {"version": "1.0", "added_tokens": [{"id": 1, "content": "<s>", "special": true}, {"id": 3, "content": "<x>", "special": false}],
                 "model": {"type": "BPE", "vocab": {"a": 0, "<s>": 1, "b": 2}, "merges": [["a", "b"]]}}""");
        TokenizerFacts tokenizer = Inspector.inspect(model).tokenizer();
        assertThat(tokenizer.kind()).isEqualTo("other");
        assertThat(tokenizer.name()).isEqualTo("BPE");
        assertThat(tokenizer.pieces()).isEqualTo(4);
        assertThat(tokenizer.added()).containsExactly(new Piece(1, "<s>", PieceType.CONTROL), new Piece(3, "<x>", PieceType.USER_DEFINED));
        Files.writeString(model.resolve("tokenizer.json"), "{\"model\": {\"vocab\": [");
        assertThat(Inspector.inspect(model).tokenizer()).isNull();
    }

    @Test
    void aSingleFileOfTensorsIsDescribed() {
        Inspection file = Inspector.inspect(ModelFolders.tiny("base").resolve("model.safetensors"));
        assertThat(file.kind()).isEqualTo(Kind.SAFETENSORS);
        assertThat(file.obstacle()).contains("give the directory");
        assertThat(file.tensors()).hasSize(30);
        Inspection adapter = Inspector.inspect(ModelFolders.tiny("plain").resolve("adapter_model.safetensors"));
        assertThat(adapter.adapter().changes()).isNotEmpty();
        assertThat(adapter.adapter().settings()).containsEntry("rank", null);
    }

    @Test
    void damagedFilesAreFailures() throws IOException {
        Path model = copy(ModelFolders.tiny("base"), "config.json", "model.safetensors", "tokenizer.model");
        byte[] tokenizer = Files.readAllBytes(model.resolve("tokenizer.model"));
        Path cut = Files.write(directory.resolve("cut.model"), Arrays.copyOf(tokenizer, 30_000));
        assertThatThrownBy(() -> Inspector.inspect(cut)).isInstanceOf(YangtuoException.class).hasMessageContaining("cut.model: at byte ");
        // Beside a model it is an obstacle: the weights can still be looked at.
        Files.write(model.resolve("tokenizer.model"), Arrays.copyOf(tokenizer, 30_000));
        assertThat(Inspector.inspect(model).obstacle()).contains("tokenizer.model: at byte ");
        byte[] weights = Files.readAllBytes(model.resolve("model.safetensors"));
        Files.write(model.resolve("model.safetensors"), Arrays.copyOf(weights, weights.length - 1));
        assertThatThrownBy(() -> Inspector.inspect(model)).isInstanceOf(YangtuoException.class).hasMessageContaining("model.safetensors: at byte ");
        Files.write(model.resolve("model.safetensors"), weights);
        Files.writeString(model.resolve("config.json"), "{\"hidden_size\": ");
        assertThatThrownBy(() -> Inspector.inspect(model)).isInstanceOf(YangtuoException.class).hasMessageContaining("not valid JSON");
        byte[] gguf = gguf("llama").build();
        Path half = Files.write(directory.resolve("half.gguf"), Arrays.copyOf(gguf, gguf.length / 2));
        assertThatThrownBy(() -> Inspector.inspect(half)).isInstanceOf(YangtuoException.class).hasMessageContaining("half.gguf: at byte ");
    }

    @Test
    void whatIsNothingKnownIsAFailure() throws IOException {
        Path text = Files.writeString(directory.resolve("notes.txt"), "nothing of the kind");
        for (Path path : Stream.of("none", "notes.txt").map(directory::resolve).toList()) {
            assertThatThrownBy(() -> Inspector.inspect(path)).isInstanceOf(YangtuoException.class).hasMessageStartingWith(path + ": ")
                    .hasMessageContaining("expected a model");
        }
        assertThatThrownBy(() -> Inspector.inspect(directory)).isInstanceOf(YangtuoException.class).hasMessageContaining("config.json is missing");
        assertThat(text).exists();
    }

    @Test
    void anyByteChangedGivesADescriptionOrAClearException() throws IOException {
        byte[] gguf = gguf("llama")
                .put("tokenizer.ggml.model", "llama")
                .put("tokenizer.ggml.tokens", new String[] {"<unk>", "a"})
                .put("tokenizer.ggml.scores", new float[] {0, -1})
                .put("tokenizer.ggml.token_type", new int[] {2, 1})
                .put("tokenizer.ggml.unknown_token_id", 0)
                .tensor("token_embd.weight", TensorType.F16, new float[64], 2, 32)
                .tensor("blk.0.attn_q.weight.lora_b", TensorType.F16, new float[64], 2, 32)
                .build();
        Path file = directory.resolve("changed.gguf");
        for (long seed = 0; seed < 3000; seed++) {
            Random random = new Random(seed);
            byte[] changed = gguf.clone();
            for (int i = random.nextInt(3); i >= 0; i--) {
                changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
            }
            Files.write(file, changed);
            try {
                assertThat(Inspector.inspect(file).parameters()).isNotNegative();
            } catch (YangtuoException expected) {
                assertThat(expected.getMessage()).as("seed %d", seed).startsWith(file + ": ");
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    @Test
    void onlyTheHeaderOfALargeFileIsRead() throws IOException {
        long rows = 1L << 27;
        Path file = directory.resolve("large.gguf");
        byte[] header = gguf("other").rawTensor("token_embd.weight", 1, new byte[0], 32, rows).build();
        Files.write(file, header);
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(header.length + 64 * rows);
        }
        long start = System.nanoTime();
        Inspection model = Inspector.inspect(file);
        assertThat(model.tensorBytes()).isEqualTo(64 * rows);
        assertThat(System.nanoTime() - start).as("nanoseconds for 8 GB").isLessThan(5_000_000_000L);
    }
}
