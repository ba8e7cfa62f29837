package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.checkpoint.UnreadableTensor;
import dev.yangtuo.exception.CheckpointFormatException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * Refuses GGUF files of any architecture on which llama.cpp would end the process instead of returning an error: what its sources assert of a file's values, what they divide
 * by, and types that its kernels do not have. {@link GgufCheckpoint} has checked before that every value and tensor is inside the file. What only one architecture asserts of
 * keys of its own is not all known here.
 */
final class LlamaCppCheck {
    /** llama.cpp's LLAMA_MAX_LAYERS. */
    private static final int MAX_LAYERS = 512;
    /** llama.cpp's LLAMA_MAX_EXPERTS. */
    private static final int MAX_EXPERTS = 1024;
    private static final int MAX_DIM = 1 << 20;
    /** Of a mapped file: where ggml wants tensors to begin. */
    private static final int ALIGNMENT = 32;
    private static final Set<String> ROPE_SCALINGS = Set.of("none", "linear", "yarn", "longrope");
    /** Numbers of no matrix that is multiplied with. */
    private static final Set<String> NO_MATRIX_TYPES = Set.of("I8", "I16", "I32", "I64", "F64", "Q8_1", "Q8_K");
    private static final Pattern QUERIES = Pattern.compile("blk\\.([0-9]{1,9})\\.attn_(q|qkv)\\.weight");
    private static final List<String> DIVISORS = List.of("wkv.head_size", "ssm.conv_kernel", "ssm.inner_size", "ssm.state_size", "ssm.time_step_rank");
    private static final List<String> EPSILONS = List.of("attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon", "attention.group_norm_epsilon");

    private final GgufCheckpoint gguf;
    private final Path file;
    private final GgufMetadata metadata;
    private final String architecture;

    private LlamaCppCheck(GgufCheckpoint gguf) {
        this.gguf = gguf;
        this.file = gguf.path();
        this.metadata = gguf.metadata();
        this.architecture = metadata.string("general.architecture");
    }

    /** @throws CheckpointFormatException if a model has a value that is out of its range, or values that do not fit each other */
    static void check(GgufCheckpoint gguf) {
        LlamaCppCheck check = new LlamaCppCheck(gguf);
        check.checkFile();
        String type = check.metadata.string("general.type", "model");
        if (!type.equals("model")) {
            throw new CheckpointFormatException(gguf.path(), "general.type is '%s', expected 'model'; an adapter is given together with its model".formatted(type));
        }
        check.checkSizes();
        check.checkHeads();
        check.checkRope();
        check.checkWindow();
        check.checkExperts();
        LlamaCppVocabularyCheck.requireLoadable(gguf);
        check.forEachTensor(check::checkType);
    }

    /** What holds for adapters, too. */
    static void checkFile(GgufCheckpoint gguf) {
        new LlamaCppCheck(gguf).checkFile();
    }

    private void checkFile() {
        for (GgufMetadata part : gguf.partMetadata()) {
            // In C a name ends there, so that it would be another one.
            part.keys().forEach(key -> requireNoNul("the key", key));
            require(!part.contains("split.no") || part.typeName("split.no").equals("UINT16"), "key 'split.no' has the type %s; expected UINT16",
                    part.contains("split.no") ? part.typeName("split.no") : "");
            int alignment = part.integer("general.alignment", ALIGNMENT);
            require(alignment % ALIGNMENT == 0, "key 'general.alignment' is %d; expected a multiple of %d", alignment, ALIGNMENT);
        }
        forEachTensor((name, tensor) -> requireNoNul("the tensor name", name));
    }

    private void requireNoNul(String what, String name) {
        require(name.indexOf('\0') < 0, "%s '%s' has a NUL character in it", what, name.replace('\0', '\uFFFD'));
    }

    private void forEachTensor(BiConsumer<String, Tensor> action) {
        for (TensorInfo tensor : gguf.tensors()) {
            action.accept(tensor.name(), new Tensor(tensor.type().name(), tensor.shape()));
        }
        for (UnreadableTensor tensor : gguf.unreadable()) {
            action.accept(tensor.name(), new Tensor(tensor.typeName(), tensor.shape()));
        }
    }

    private record Tensor(String type, List<Long> shape) {}

    private void checkSizes() {
        requireRange("block_count", 1, MAX_LAYERS);
        requireRange("embedding_length", 1, MAX_DIM);
        requireRange("context_length", 1, Integer.MAX_VALUE);
        if (has("nextn_predict_layers")) {
            requireRange("nextn_predict_layers", 0, integer("block_count") - 1);
        }
        DIVISORS.stream().filter(this::has).forEach(name -> requireRange(name, 1, MAX_DIM));
        if (has("pooling_type")) {
            requireRange("pooling_type", 0, 4);
        }
        for (String name : EPSILONS) {
            float epsilon = metadata.number(key(name), 0);
            require(epsilon >= 0 && Float.isFinite(epsilon), "key '%s' is %s; expected a finite number of at least 0", key(name), epsilon);
        }
        if (architecture.startsWith("ernie4_5") && has("interleave_moe_layer_step")) {
            requireRange("interleave_moe_layer_step", 1, MAX_LAYERS);
        }
    }

    private void checkHeads() {
        int[] heads = perLayer("attention.head_count", 0);
        int[] keyValueHeads = has("attention.head_count_kv") ? perLayer("attention.head_count_kv", 0) : heads;
        perLayer("feed_forward_length", 0);
        for (int layer = 0; layer < heads.length; layer++) {
            boolean fits = keyValueHeads[layer] == 0 || heads[layer] % keyValueHeads[layer] == 0;
            require(fits, "layer %d has %d heads and %d of keys and values; expected a multiple", layer, heads[layer], keyValueHeads[layer]);
        }
        if (heads[0] > 0) {
            int usual = integer("embedding_length") / heads[0];
            int keyLength = metadata.integer(key("attention.key_length"), usual);
            int valueLength = metadata.integer(key("attention.value_length"), usual);
            require(keyLength > 0 && keyLength <= MAX_DIM && valueLength > 0 && valueLength <= MAX_DIM,
                    "heads of keys have %d elements and those of values %d; expected 1 to %d", keyLength, valueLength, MAX_DIM);
            require(keyLength == valueLength || !LlamaCppArchitectures.hasEqualHeads(architecture),
                    "heads of keys have %d elements and those of values %d; a model of the architecture '%s' has as many", keyLength, valueLength, architecture);
            checkRotated("rope.dimension_count", keyLength);
            if (LlamaCppArchitectures.turnsWholeHeads(architecture) && !has("attention.key_length_swa")) {
                checkRows(heads, keyValueHeads, keyLength);
            }
            checkRotated("rope.dimension_count_swa", metadata.integer(key("attention.key_length_swa"), keyLength));
        }
    }

    /** What the matrices of attention compute is cut into heads. */
    private void checkRows(int[] heads, int[] keyValueHeads, int headDim) {
        forEachTensor((name, tensor) -> {
            Matcher matcher = QUERIES.matcher(name);
            if (matcher.matches() && Integer.parseInt(matcher.group(1)) < heads.length) {
                int layer = Integer.parseInt(matcher.group(1));
                long expected = (long) headDim * (heads[layer] + (matcher.group(2).equals("qkv") ? 2L * keyValueHeads[layer] : 0));
                require(tensor.shape.getFirst() == expected, "tensor '%s' has %d rows, but layer %d has %d heads of %d elements", name, tensor.shape.getFirst(), layer,
                        heads[layer], headDim);
            }
        });
    }

    private void checkRotated(String name, int headDim) {
        int rotated = metadata.integer(key(name), headDim);
        boolean fits = rotated >= 0 && rotated <= headDim && rotated % 2 == 0;
        require(fits || !has(name) && !LlamaCppArchitectures.turnsWholeHeads(architecture),
                "key '%s' is %d, but heads have %d elements; expected an even number of at most as many", key(name), rotated, headDim);
        require(rotated == headDim || !LlamaCppArchitectures.turnsWholeHeads(architecture),
                "key '%s' is %d, but heads have %d elements; a model of the architecture '%s' turns all", key(name), rotated, headDim, architecture);
    }

    private void checkRope() {
        String scaling = metadata.string(key("rope.scaling.type"), "none");
        require(ROPE_SCALINGS.contains(scaling), "key '%s' is '%s'; expected one of %s", key("rope.scaling.type"), scaling, ROPE_SCALINGS.stream().sorted().toList());
        if (has("rope.dimension_sections")) {
            int[] sections = metadata.integers(key("rope.dimension_sections"));
            boolean positive = false;
            for (int i = 0; i < sections.length; i++) {
                require(sections[i] >= 0 && sections[i] <= MAX_DIM, "key '%s': element %d is %d; expected 0 to %d",
                        key("rope.dimension_sections"), i, sections[i], MAX_DIM);
                positive |= i < 3 && sections[i] > 0;
            }
            require(positive, "key '%s' has no positive element", key("rope.dimension_sections"));
        }
    }

    /** A model with a window must have a layer that it is for. LLaMA's own code in llama.cpp knows none. */
    private void checkWindow() {
        String pattern = key("attention.sliding_window_pattern");
        if (architecture.equals(LlamaCppPreparation.ARCHITECTURE) || !metadata.contains(pattern) || metadata.integer(key("attention.sliding_window"), 0) == 0) {
            return;
        }
        boolean some = switch (metadata.value(pattern)) {
            case Long every -> every != 1;
            case boolean[] layers -> IntStream.range(0, layers.length).anyMatch(layer -> layers[layer]);
            case int[] layers -> Arrays.stream(layers).anyMatch(layer -> layer != 0);
            case long[] layers -> Arrays.stream(layers).anyMatch(layer -> layer != 0);
            default -> false;
        };
        require(some, "key '%s' leaves no layer for the window", pattern);
    }

    private void checkExperts() {
        int experts = metadata.integer(key("expert_count"), 0);
        require(experts >= 0 && experts <= MAX_EXPERTS, "key '%s' is %d; expected 0 to %d", key("expert_count"), experts, MAX_EXPERTS);
        int most = 0;
        for (int used : perLayer("expert_used_count", 0)) {
            most = Math.max(most, used);
        }
        require(most <= experts && (most > 0 || experts == 0), "%d of %d experts are used (%s); expected 1 to %d", most, experts, key("expert_used_count"), experts);
        int groups = metadata.integer(key("expert_group_count"), 0);
        int usedGroups = metadata.integer(key("expert_group_used_count"), 0);
        boolean grouped = groups >= 0 && groups < Math.max(experts, 1) && (groups < 2 || experts % groups == 0 && usedGroups > 0 && usedGroups < groups);
        require(grouped, "%d experts are in %d groups, of which %d are used; expected a divisor, and fewer that are used", experts, groups, usedGroups);
    }

    /** A value for each layer: an array, or one for all; not negative. */
    private int[] perLayer(String name, int fallback) {
        int layers = integer("block_count");
        int[] values = new int[layers];
        if (!has(name) || !metadata.typeName(key(name)).startsWith("ARRAY")) {
            Arrays.fill(values, metadata.integer(key(name), fallback));
        } else {
            int[] stored = metadata.integers(key(name));
            require(stored.length == layers, "key '%s' has %d elements; expected %d, one for each layer", key(name), stored.length, layers);
            values = stored;
        }
        for (int value : values) {
            require(value >= 0 && value <= 1 << 26, "key '%s' is %d; expected 0 to %d", key(name), value, 1 << 26);
        }
        return values;
    }

    /** Kernels take vectors and norms as float32 only, and matrices of no whole numbers. */
    private void checkType(String name, Tensor tensor) {
        boolean parameter = name.endsWith(".weight") || name.endsWith(".bias") || name.endsWith(".scale");
        boolean vector = parameter && tensor.shape.size() == 1 || name.endsWith("_norm.weight") || name.contains("ssm_conv1d") || name.endsWith("ssm_a")
                || name.endsWith("ssm_d") || name.endsWith("shortconv.conv.weight");
        require(!vector || tensor.type.equals("F32"), "tensor '%s' is of type %s; expected F32", name, tensor.type);
        boolean table = name.contains("tid2eid"); // of ids
        require(!parameter || table || !NO_MATRIX_TYPES.contains(tensor.type), "tensor '%s' is of type %s, which no weights have", name, tensor.type);
    }

    private String key(String name) {
        return architecture + "." + name;
    }

    private boolean has(String name) {
        return metadata.contains(key(name));
    }

    private int integer(String name) {
        return metadata.integer(key(name));
    }

    private void requireRange(String name, long least, long most) {
        long value = metadata.longInteger(key(name));
        require(value >= least && value <= most, "key '%s' is %d; expected %d to %d", key(name), value, least, most);
    }

    private void require(boolean holds, String problem, Object... values) {
        if (!holds) {
            throw new CheckpointFormatException(file, problem.formatted(values) + ". The file is damaged, or not made for llama.cpp");
        }
    }
}
