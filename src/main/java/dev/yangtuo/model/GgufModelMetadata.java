package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufPairs;
import dev.yangtuo.checkpoint.PlannedTensor;
import dev.yangtuo.tensor.TensorType;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Makes the metadata of a GGUF file of the architecture {@code llama}. */
final class GgufModelMetadata {
    private static final String GENERAL = "general.";
    private static final String NAME = "general.name";
    private static final String FILE_TYPE = "general.file_type";
    /** What a GGUF base says about itself that is said anew, or holds no longer. */
    private static final Set<String> OWN = Set.of("general.architecture", "general.alignment", "general.quantization_version", FILE_TYPE, NAME);
    /** Of GGML's present block formats. */
    private static final int QUANTIZATION_VERSION = 2;

    private final MergedModel model;
    private final GgufPairs pairs = new GgufPairs();

    private GgufModelMetadata(MergedModel model) {
        this.model = model;
    }

    /**
     * Makes them.
     *
     * @param tensors of the file
     * @param mix that their types were chosen by; null if they are as stored
     */
    static GgufPairs of(MergedModel model, List<PlannedTensor> tensors, @Nullable TypeMix mix) {
        GgufModelMetadata metadata = new GgufModelMetadata(model);
        metadata.putGeneral(fileType(tensors, mix));
        metadata.putModel();
        GgufVocabulary.put(model, metadata.pairs);
        return metadata.pairs;
    }

    private void putGeneral(int fileType) {
        pairs.put("general.architecture", "llama").put("general.type", "model").put(NAME, name());
        if (model.source() instanceof GgufSource source) {
            GgufCheckpoint gguf = source.gguf();
            boolean sameSampling = model.generation().equals(source.generation());
            gguf.metadata().keys().stream()
                    .filter(key -> key.startsWith(GENERAL) && !OWN.contains(key) && (sameSampling || !key.startsWith(GgufSampling.PREFIX)))
                    .forEach(key -> pairs.copy(gguf, key));
        }
        if (!model.generation().equals(GenerationConfig.DEFAULT)) {
            GgufSampling.write(pairs, model.generation().sampling());
        }
        pairs.put(FILE_TYPE, fileType).put("general.quantization_version", QUANTIZATION_VERSION);
    }

    /** The base's name and those of the adapters. */
    private String name() {
        String base = model.source() instanceof GgufSource source ? source.gguf().metadata().string(NAME, "") : "";
        String own = base.isEmpty() ? fileName(model.path()).replaceFirst("(?i)(-[0-9]{5}-of-[0-9]{5})?\\.(gguf|bin)$", "") : base;
        return Stream.concat(Stream.of(own), model.adapterPaths().stream().map(GgufModelMetadata::fileName)).collect(Collectors.joining(" + "));
    }

    private static String fileName(Path path) {
        Path name = path.toAbsolutePath().normalize().getFileName();
        return name == null ? "model" : name.toString();
    }

    private void putModel() {
        ModelConfig config = model.config();
        pairs.put("llama.vocab_size", config.vocabSize())
                .put("llama.context_length", config.contextLength())
                .put("llama.embedding_length", config.dim())
                .put("llama.block_count", config.nLayers())
                .put("llama.feed_forward_length", config.hiddenDim())
                .put("llama.rope.dimension_count", config.headDim())
                .put("llama.attention.head_count", config.nHeads())
                .put("llama.attention.head_count_kv", config.nKvHeads())
                .put("llama.attention.layer_norm_rms_epsilon", config.normEps());
        GgufRope.put(pairs, config);
        if ((long) config.headDim() * config.nHeads() != config.dim()) {
            pairs.put("llama.attention.key_length", config.headDim()).put("llama.attention.value_length", config.headDim());
        }
    }

    /** llama.cpp's number ({@code llama_ftype}) of a mix, or of the type that most elements are of. */
    static int fileType(List<PlannedTensor> tensors, @Nullable TypeMix mix) {
        return mix == null ? number(mostFrequent(tensors), TypeMix.Size.MEDIUM) : number(mix.base(), mix.size());
    }

    private static TensorType mostFrequent(List<PlannedTensor> tensors) {
        Map<TensorType, Long> bytes = new EnumMap<>(TensorType.class);
        tensors.forEach(tensor -> bytes.merge(tensor.type(), tensor.byteSize(), Long::sum));
        return bytes.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow().getKey();
    }

    private static int number(TensorType type, TypeMix.Size size) {
        boolean small = size == TypeMix.Size.SMALL;
        return switch (type) {
            case F32 -> 0;
            case F16 -> 1;
            case Q4_0 -> 2;
            case Q4_1 -> 3;
            case Q8_0 -> 7;
            case Q5_0 -> 8;
            case Q5_1 -> 9;
            case Q2_K -> 10;
            case Q3_K -> 12;
            case Q4_K -> small ? 14 : 15;
            case Q5_K -> small ? 16 : 17;
            case Q6_K -> 18;
            case IQ4_NL -> 25;
            case IQ4_XS -> 30;
            case BF16 -> 32;
            case MXFP4 -> 38;
        };
    }
}
