package dev.yangtuo.llamacpp;

import dev.yangtuo.Engine;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.exception.YangtuoException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Damages small GGUF files and loads them with llama.cpp, one after the other: a process of its own, since it ends where a check is missing. Arguments: a folder, the
 * architecture (qwen2, llama, gemma3, mamba), the first seed, the number of files. Each seed is written before its file is loaded, and the same seed makes the same file.
 */
public final class HostileGguf {
    private static final int STRING = 8;
    private static final int ARRAY = 9;
    private static final int[] SCALAR_BYTES = {1, 1, 2, 2, 4, 4, 4, 1, -1, -1, 8, 8, 8};
    private static final long[] NUMBERS = {0, 1, 2, 3, 5, 7, 8, 31, 32, 33, 64, 255, 256, 511, 512, 513, 1025, 65_535, 65_536, 1 << 20, Integer.MAX_VALUE, 1L << 31,
            0xFFFF_FFFFL, -1};
    private static final float[] FLOATS = {0, -1, Float.NaN, Float.POSITIVE_INFINITY, 1e38f, 1e-38f};
    /** What llama.cpp reads of any architecture. */
    private static final List<String> NUMBER_KEYS = List.of(
            "block_count", "embedding_length", "embedding_length_out", "feed_forward_length", "attention.head_count", "attention.head_count_kv", "attention.key_length",
            "attention.value_length", "attention.key_length_swa", "attention.value_length_swa", "rope.dimension_count", "rope.dimension_count_swa",
            "attention.sliding_window", "attention.sliding_window_pattern", "nextn_predict_layers", "pooling_type", "expert_count", "expert_used_count",
            "expert_group_count", "expert_group_used_count", "expert_feed_forward_length", "leading_dense_block_count", "vocab_size", "context_length",
            "rope.scaling.original_context_length", "attention.shared_kv_layers", "ssm.conv_kernel", "ssm.group_count", "ssm.inner_size", "ssm.state_size",
            "ssm.time_step_rank", "decoder_start_token_id", "token_shift_count", "interleave_moe_layer_step");
    private static final List<String> FLOAT_KEYS = List.of(
            "attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon", "rope.freq_base", "rope.scaling.factor", "rope.scaling.attn_factor", "attention.scale",
            "attn_logit_softcapping", "final_logit_softcapping", "logit_scale", "residual_scale", "embedding_scale", "attention.max_alibi_bias", "attention.clamp_kqv");
    private static final List<String> SCALINGS = List.of("none", "linear", "yarn", "longrope", "dynamic", "");

    private final byte[] file;
    private final String architecture;
    private final Random random;
    /** Where metadata pairs begin, the last one's end behind them. */
    private final List<Integer> pairs = new ArrayList<>();
    /** Where descriptions of tensors begin, the last one's end behind them. */
    private final List<Integer> tensors = new ArrayList<>();

    private HostileGguf(byte[] file, String architecture, Random random) {
        this.file = file;
        this.architecture = architecture;
        this.random = random;
        ByteBuffer bytes = buffer(file);
        int at = 24;
        for (int i = 0; i < bytes.getLong(16); i++) {
            pairs.add(at);
            at = afterString(bytes, at);
            at = afterValue(bytes, at + 4, bytes.getInt(at));
        }
        pairs.add(at);
        for (int i = 0; i < bytes.getLong(8); i++) {
            tensors.add(at);
            at = afterString(bytes, at);
            at += 4 + 8 * bytes.getInt(at) + 4 + 8;
        }
        tensors.add(at);
    }

    private static ByteBuffer buffer(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static int afterString(ByteBuffer bytes, int at) {
        return at + 8 + (int) bytes.getLong(at);
    }

    private static int afterValue(ByteBuffer bytes, int at, int type) {
        if (type == STRING) {
            return afterString(bytes, at);
        }
        if (type != ARRAY) {
            return at + SCALAR_BYTES[type];
        }
        int elementType = bytes.getInt(at);
        long count = bytes.getLong(at + 4);
        int end = at + 12;
        if (elementType != STRING) {
            return end + (int) count * SCALAR_BYTES[elementType];
        }
        for (long i = 0; i < count; i++) {
            end = afterString(bytes, end);
        }
        return end;
    }

    /** The file with one to three damages. */
    private byte[] damaged() {
        byte[] result = file.clone();
        int count = 1 + random.nextInt(3);
        for (int i = 0; i < count; i++) {
            switch (random.nextInt(9)) {
                case 0 -> flip(result);
                case 1, 2 -> changeValue(result);
                case 3 -> changeTensor(result);
                case 4 -> result[pairs.get(random.nextInt(pairs.size() - 1)) + 8 + random.nextInt(12)] = (byte) random.nextInt(256);
                case 5 -> {
                    return withoutPair(random.nextInt(pairs.size() - 1));
                }
                case 6 -> {
                    return Arrays.copyOf(result, 1 + random.nextInt(result.length));
                }
                default -> {
                    return withPair();
                }
            }
        }
        return result;
    }

    private void flip(byte[] result) {
        result[random.nextInt(tensors.getLast())] ^= (byte) (1 << random.nextInt(8));
    }

    private void changeValue(byte[] result) {
        ByteBuffer bytes = buffer(result);
        int at = afterString(bytes, pairs.get(random.nextInt(pairs.size() - 1)));
        int type = bytes.getInt(at);
        if (type < 0 || type >= SCALAR_BYTES.length || random.nextInt(8) == 0) {
            bytes.putInt(at, random.nextInt(SCALAR_BYTES.length));
        } else if (type == ARRAY) {
            int elementAt = at + 16 + 4 * random.nextInt(Math.max(1, Math.min(200, (int) bytes.getLong(at + 8))));
            bytes.putInt(elementAt, (int) NUMBERS[random.nextInt(NUMBERS.length)]);
        } else if (type == STRING) {
            int length = (int) bytes.getLong(at + 4);
            bytes.put(at + 12 + random.nextInt(Math.max(1, length)), (byte) random.nextInt(256));
        } else if (type == 6) {
            bytes.putFloat(at + 4, FLOATS[random.nextInt(FLOATS.length)]);
        } else if (SCALAR_BYTES[type] == 4) {
            bytes.putInt(at + 4, (int) NUMBERS[random.nextInt(NUMBERS.length)]);
        } else {
            bytes.put(at + 4, (byte) random.nextInt(4));
        }
    }

    private void changeTensor(byte[] result) {
        ByteBuffer bytes = buffer(result);
        int at = tensors.get(random.nextInt(tensors.size() - 1));
        int dimensionsAt = afterString(bytes, at);
        int dimensions = file[dimensionsAt];
        int typeAt = dimensionsAt + 4 + 8 * dimensions;
        switch (random.nextInt(4)) {
            case 0 -> bytes.putInt(typeAt, random.nextInt(45));
            // Of the same size as float32: what is checked by size alone is passed.
            case 1 -> bytes.putInt(typeAt, 26);
            case 2 -> bytes.putLong(dimensionsAt + 4 + 8 * random.nextInt(dimensions), NUMBERS[random.nextInt(NUMBERS.length)]);
            default -> bytes.put(at + 8 + random.nextInt(dimensionsAt - at - 8), (byte) random.nextInt(128));
        }
    }

    private byte[] withoutPair(int pair) {
        return rebuilt(pairs.get(pair), pairs.get(pair + 1), new byte[0], -1);
    }

    private byte[] withPair() {
        ByteArrayOutputStream pair = new ByteArrayOutputStream();
        String name;
        ByteBuffer value = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        switch (random.nextInt(8)) {
            case 0 -> {
                name = FLOAT_KEYS.get(random.nextInt(FLOAT_KEYS.size()));
                value.putInt(6).putFloat(FLOATS[random.nextInt(FLOATS.length)]);
            }
            case 1 -> {
                name = "rope.scaling.type";
                byte[] text = SCALINGS.get(random.nextInt(SCALINGS.size())).getBytes(StandardCharsets.UTF_8);
                value.putInt(STRING).putLong(text.length).put(text);
            }
            case 2, 3 -> {
                name = random.nextInt(4) == 0 ? "rope.dimension_sections" : NUMBER_KEYS.get(random.nextInt(NUMBER_KEYS.size()));
                int count = random.nextInt(5);
                value.putInt(ARRAY).putInt(random.nextBoolean() ? 4 : 5).putLong(count);
                for (int i = 0; i < count; i++) {
                    value.putInt((int) NUMBERS[random.nextInt(NUMBERS.length)]);
                }
            }
            default -> {
                name = NUMBER_KEYS.get(random.nextInt(NUMBER_KEYS.size()));
                value.putInt(4).putInt((int) NUMBERS[random.nextInt(NUMBERS.length)]);
            }
        }
        byte[] key = (architecture + "." + name).getBytes(StandardCharsets.UTF_8);
        pair.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(key.length).array());
        pair.writeBytes(key);
        pair.write(value.array(), 0, value.position());
        ByteBuffer bytes = buffer(file);
        for (int i = 0; i + 1 < pairs.size(); i++) {
            int at = pairs.get(i);
            if (new String(file, at + 8, (int) bytes.getLong(at), StandardCharsets.UTF_8).equals(architecture + "." + name)) {
                return rebuilt(at, pairs.get(i + 1), pair.toByteArray(), 0);
            }
        }
        return rebuilt(pairs.getLast(), pairs.getLast(), pair.toByteArray(), 1);
    }

    /** The file with other bytes in place of some of its metadata; tensors are aligned again. */
    private byte[] rebuilt(int from, int to, byte[] replacement, int morePairs) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(file, 0, from);
        out.writeBytes(replacement);
        out.write(file, to, tensors.getLast() - to);
        while (out.size() % 32 != 0) {
            out.write(0);
        }
        int data = (tensors.getLast() + 31) / 32 * 32;
        out.write(file, data, file.length - data);
        byte[] result = out.toByteArray();
        ByteBuffer bytes = buffer(result);
        bytes.putLong(16, bytes.getLong(16) + morePairs);
        return result;
    }

    private static byte[] model(String architecture, Path folder) throws IOException {
        Path file = folder.resolve("whole.gguf");
        switch (architecture) {
            case "gemma3" -> SyntheticGguf.gemma3(VocabularyKind.QWEN2).write(file);
            case "mamba" -> SyntheticGguf.mamba(VocabularyKind.QWEN2).write(file);
            default -> SyntheticGguf.qwen2(VocabularyKind.QWEN2, false).write(file);
        }
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        if (architecture.equals("llama")) {
            int value = text.indexOf("qwen2");
            text = text.substring(0, value) + "llama" + text.substring(value + "qwen2".length()).replace("qwen2.", "llama.");
        }
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static boolean loads(Path file) {
        LoadOptions options = LoadOptions.defaults().engine(Engine.LLAMA_CPP).threads(1).context(64).maxSequences(1);
        try (Llama llama = Llama.load(file, options)) {
            llama.logits(new int[] {1, 2, 3}, (position, logits, offset) -> {});
            return true;
        } catch (YangtuoException | IllegalArgumentException e) {
            return false;
        }
    }

    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        byte[] whole = model(arguments[1], folder);
        Path file = folder.resolve("damaged.gguf");
        if (!loads(folder.resolve("whole.gguf"))) {
            throw new IllegalStateException("the whole file does not load");
        }
        int first = Integer.parseInt(arguments[2]);
        int count = Integer.parseInt(arguments[3]);
        int loaded = 0;
        for (int seed = first; seed < first + count; seed++) {
            System.out.println(arguments[1] + " " + seed);
            Files.write(file, new HostileGguf(whole, arguments[1], new Random(seed)).damaged());
            loaded += loads(file) ? 1 : 0;
        }
        System.out.println("loaded %d of %d".formatted(loaded, count));
    }
}
