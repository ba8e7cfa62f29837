package dev.yangtuo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.checkpoint.GgufBuilder;
import dev.yangtuo.checkpoint.SafetensorsBuilder;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** Copies of the tiny model and of the demonstration's adapters in a directory of their own, to break one thing in them. */
final class TinyFiles {
    static final Path DEMO = Path.of("examples/demo-model");
    static final Path BASE = Path.of("src/test/resources/models/tiny/base");
    static final Path ADAPTER = Path.of("src/test/resources/models/tiny/plain");

    private final Path directory;

    TinyFiles(Path directory) {
        this.directory = directory;
    }

    /** A tensor of a safetensors file. */
    record Tensor(String dtype, long[] shape, byte[] data) {}

    /** Where a test may put what it likes. */
    Path path(String name) {
        return directory.resolve(name);
    }

    /** A copy of the tiny model. */
    Path model() {
        return copy(BASE, "model");
    }

    /** A copy of the adapter of the tiny model. */
    Path adapter() {
        return copy(ADAPTER, "adapter");
    }

    /** A copy of a directory, without its goldens. */
    Path copy(Path source, String name) {
        Path target = directory.resolve(name);
        try (Stream<Path> files = Files.list(source)) {
            Files.createDirectories(target);
            for (Path file : (Iterable<Path>) files.filter(file -> !file.toString().endsWith(".f32"))::iterator) {
                Files.copy(file, target.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
            return target;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The tiny model with another configuration. */
    Path modelWithConfig(UnaryOperator<String> edit) {
        Path model = model();
        edit(model.resolve("config.json"), edit);
        return model;
    }

    /** The tiny adapter with another configuration. */
    Path adapterWithConfig(UnaryOperator<String> edit) {
        Path adapter = adapter();
        edit(adapter.resolve("adapter_config.json"), edit);
        return adapter;
    }

    /** Changes the text of a file; a change that changes nothing is a mistake of the test. */
    static void edit(Path file, UnaryOperator<String> edit) {
        try {
            String before = Files.readString(file);
            String after = edit.apply(before);
            if (after.equals(before)) {
                throw new AssertionError("nothing changed in " + before);
            }
            Files.writeString(file, after);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void write(Path file, byte... bytes) {
        try {
            Files.write(file, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void delete(Path file) {
        try {
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The tensors of a safetensors file, by name. */
    static Map<String, Tensor> tensors(Path file) {
        try {
            ByteBuffer bytes = ByteBuffer.wrap(read(file)).order(ByteOrder.LITTLE_ENDIAN);
            int headerLength = Math.toIntExact(bytes.getLong(0));
            JsonNode header = new ObjectMapper().readTree(bytes.array(), 8, headerLength);
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            for (Map.Entry<String, JsonNode> entry : header.properties()) {
                if (entry.getKey().equals("__metadata__")) {
                    continue;
                }
                JsonNode value = entry.getValue();
                List<Long> shape = new ArrayList<>();
                value.get("shape").forEach(dimension -> shape.add(dimension.asLong()));
                int begin = 8 + headerLength + value.get("data_offsets").get(0).asInt();
                int end = 8 + headerLength + value.get("data_offsets").get(1).asInt();
                tensors.put(entry.getKey(), new Tensor(
                        value.get("dtype").asText(), shape.stream().mapToLong(Long::longValue).toArray(), Arrays.copyOfRange(bytes.array(), begin, end)));
            }
            return tensors;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes a safetensors file anew after a change. */
    static void editTensors(Path file, UnaryOperator<Map<String, Tensor>> edit) {
        SafetensorsBuilder builder = new SafetensorsBuilder();
        edit.apply(tensors(file)).forEach((name, tensor) -> builder.rawTensor(name, tensor.dtype(), tensor.data(), tensor.shape()));
        builder.write(file);
    }

    /** The tiny model as GGUF, with float32 weights whose rows are in Hugging Face's order: it loads, but computes something else. */
    static GgufBuilder gguf() {
        return ggufWith("", 0, new byte[0]);
    }

    /** The same with other data for one tensor. */
    static GgufBuilder ggufWith(String changed, int typeId, byte[] data) {
        Tokenizer tokenizer = Tokenizer.load(BASE.resolve("tokenizer.model"));
        int size = tokenizer.vocabSize();
        String[] tokens = new String[size];
        float[] scores = new float[size];
        int[] types = new int[size];
        for (int id = 0; id < size; id++) {
            tokens[id] = tokenizer.piece(id);
            scores[id] = tokenizer.score(id);
            types[id] = switch (tokenizer.type(id)) {
                case PieceType.NORMAL -> 1;
                case PieceType.UNKNOWN -> 2;
                case PieceType.CONTROL -> 3;
                case PieceType.USER_DEFINED -> 4;
                case PieceType.UNUSED -> 5;
                case PieceType.BYTE -> 6;
            };
        }
        GgufBuilder gguf = new GgufBuilder()
                .put("general.architecture", "llama")
                .put("llama.embedding_length", 64)
                .put("llama.feed_forward_length", 96)
                .put("llama.block_count", 3)
                .put("llama.attention.head_count", 4)
                .put("llama.attention.head_count_kv", 2)
                .put("llama.context_length", 256)
                .put("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                .put("tokenizer.ggml.model", "llama")
                .put("tokenizer.ggml.tokens", tokens)
                .put("tokenizer.ggml.scores", scores)
                .put("tokenizer.ggml.token_type", types)
                .put("tokenizer.ggml.bos_token_id", 1)
                .put("tokenizer.ggml.eos_token_id", 2);
        tensors(BASE.resolve("model.safetensors")).forEach((name, tensor) -> {
            long[] fastestFirst = tensor.shape().length == 1
                    ? tensor.shape() : new long[] {tensor.shape()[1], tensor.shape()[0]};
            boolean other = ggufName(name).equals(changed);
            gguf.rawTensor(ggufName(name), other ? typeId : 0, other ? data : tensor.data(), fastestFirst);
        });
        return gguf;
    }

    private static String ggufName(String name) {
        return name.replace("model.embed_tokens", "token_embd")
                .replace("lm_head", "output")
                .replace("model.norm", "output_norm")
                .replace("model.layers.", "blk.")
                .replace("input_layernorm", "attn_norm")
                .replace("post_attention_layernorm", "ffn_norm")
                .replace("self_attn.o_proj", "attn_output")
                .replaceAll("self_attn\\.([qkv])_proj", "attn_$1")
                .replaceAll("mlp\\.(gate|up|down)_proj", "ffn_$1");
    }

    /** The UTF-8 of a text. */
    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
