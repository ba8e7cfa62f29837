package dev.yangtuo.lora;

import dev.yangtuo.checkpoint.Checkpoint;
import dev.yangtuo.checkpoint.SafetensorsCheckpoint;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.checkpoint.UnreadableTensor;
import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.tensor.FloatRows;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.SequencedSet;
import org.jspecify.annotations.Nullable;

/**
 * One opened adapter: its configuration and, for each parameter of the model that it changes, the whole matrix that replaces it, the
 * LoRA that is added to it, or both. Everything that can be known without the model has been checked when an instance exists: every
 * tensor's name is understood, each lora_A has a lora_B of the same rank, scales are finite. Values are checked as they are read.
 *
 * <p>The rank is the tensors' own; where the configuration says another, {@link #notes()} says so. Immutable and thread-safe until it
 * is closed; rows that a merge handed out are invalid afterwards.
 */
public final class LoraAdapter implements AutoCloseable {
    private static final String CONFIG = "adapter_config.json";
    private static final String SAFETENSORS = "adapter_model.safetensors";
    private static final String SHARD_INDEX = "adapter_model.safetensors.index.json";
    private static final String PYTORCH = "adapter_model.bin";

    // 224 modules with two patterns for each of them take about 2 million steps; a hundred million are a second or two.
    private static final long MATCHING_STEPS = 100_000_000;

    // Beyond any model's dimension; keeps what is decoded of lora_A close to what is stored of it.
    private static final int MAX_RANK = 1 << 16;

    private final Path directory;
    private final LoraConfig config;
    private final Checkpoint checkpoint;
    private final Map<String, TensorInfo> fullMatrices = new LinkedHashMap<>();
    private final Map<String, LoraPair> pairs = new LinkedHashMap<>();
    private final List<String> notes = new ArrayList<>();

    private LoraAdapter(Path directory, LoraConfig config, Checkpoint checkpoint) {
        this.directory = directory;
        this.config = config;
        this.checkpoint = checkpoint;
        for (UnreadableTensor tensor : checkpoint.unreadable()) {
            if (AdapterKey.parse(tensor.file(), tensor.name()) != null) {
                throw new AdapterException(
                        tensor.file(),
                        "tensor %s is of type %s, which is not supported; expected F32, F16 or BF16"
                                .formatted(AdapterKey.quote(tensor.name()), tensor.typeName()));
            }
        }
        Map<String, TensorInfo> as = new LinkedHashMap<>();
        Map<String, TensorInfo> bs = new LinkedHashMap<>();
        for (TensorInfo tensor : checkpoint.tensors()) {
            AdapterKey key = AdapterKey.parse(tensor.file(), tensor.name());
            if (key == null) {
                continue;
            }
            Map<String, TensorInfo> tensors =
                    switch (key.role()) {
                        case LORA_A -> as;
                        case LORA_B -> bs;
                        case FULL -> fullMatrices;
                    };
            requireDimensions(tensor, key.role() == AdapterKey.Role.FULL ? 1 : 2);
            TensorInfo other = tensors.put(key.parameter(), tensor);
            if (other != null) {
                throw new AdapterException(
                        tensor.file(),
                        "tensors %s and %s mean the same".formatted(AdapterKey.quote(other.name()), AdapterKey.quote(tensor.name())));
            }
        }
        if (as.isEmpty() && bs.isEmpty() && fullMatrices.isEmpty()) {
            throw new AdapterException(checkpoint.path(), "holds no tensor of an adapter");
        }
        pair(as, bs);
        noteMissingModules();
    }

    /**
     * Opens a directory with {@code adapter_config.json} and {@code adapter_model.safetensors}, as PEFT's save_pretrained writes it.
     *
     * @param directory also its name in messages and in the report
     * @throws AdapterException if something is missing, damaged, or not supported
     * @throws dev.yangtuo.exception.CheckpointFormatException if the file of tensors is damaged
     */
    public static LoraAdapter open(Path directory) {
        if (!Files.exists(directory)) {
            throw new AdapterException(directory, "there is no such directory; expected the directory of a PEFT LoRA adapter");
        }
        if (!Files.isDirectory(directory)) {
            throw new AdapterException(
                    directory, "is a file; expected the directory that holds %s and %s".formatted(CONFIG, SAFETENSORS));
        }
        Path configFile = directory.resolve(CONFIG);
        if (!Files.isRegularFile(configFile)) {
            throw new AdapterException(
                    directory, "%s is missing; expected the directory of a PEFT LoRA adapter".formatted(CONFIG));
        }
        LoraConfig config = LoraConfig.read(configFile);
        if (Files.exists(directory.resolve(SAFETENSORS)) || Files.exists(directory.resolve(SHARD_INDEX))) {
            return of(directory, config, SafetensorsCheckpoint.openDirectory(directory, "adapter_model"));
        }
        Path pytorch = directory.resolve(PYTORCH);
        if (Files.exists(pytorch)) {
            throw new AdapterException(
                    pytorch,
                    ("adapters in PyTorch's .bin format are not supported by this version; save it as %s "
                                    + "(PEFT: save_pretrained(directory, safe_serialization=True))")
                            .formatted(SAFETENSORS));
        }
        throw new AdapterException(directory, "%s is missing; the download may be incomplete".formatted(SAFETENSORS));
    }

    /**
     * An adapter of tensors that were opened elsewhere.
     *
     * @param directory what messages and the report call it
     * @param checkpoint its tensors; owned by the adapter from here on, closed with it, and closed if this method throws
     * @throws AdapterException if the tensors are not those of an adapter
     */
    public static LoraAdapter of(Path directory, LoraConfig config, Checkpoint checkpoint) {
        try {
            return new LoraAdapter(directory, config, checkpoint);
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    private static void requireDimensions(TensorInfo tensor, int least) {
        int dimensions = tensor.shape().size();
        if (dimensions < least || dimensions > 2) {
            throw new AdapterException(
                    tensor.file(), "tensor %s has shape %s, expected a matrix".formatted(AdapterKey.quote(tensor.name()), tensor.shape()));
        }
        for (long dimension : tensor.shape()) {
            if (dimension < 1 || dimension > Integer.MAX_VALUE) {
                throw new AdapterException(
                        tensor.file(),
                        "tensor %s has shape %s, expected sizes from 1 to %d"
                                .formatted(AdapterKey.quote(tensor.name()), tensor.shape(), Integer.MAX_VALUE));
            }
        }
    }

    private void pair(Map<String, TensorInfo> as, Map<String, TensorInfo> bs) {
        ModulePattern.Budget budget = new ModulePattern.Budget(MATCHING_STEPS);
        SequencedSet<String> parameters = new LinkedHashSet<>(as.keySet());
        parameters.addAll(bs.keySet());
        int otherRanks = 0;
        String example = "";
        for (String parameter : parameters) {
            TensorInfo a = as.get(parameter);
            TensorInfo b = bs.get(parameter);
            if (a == null || b == null) {
                TensorInfo present = a == null ? Objects.requireNonNull(b) : a;
                throw new AdapterException(
                        present.file(),
                        "tensor %s has no %s beside it".formatted(AdapterKey.quote(present.name()), a == null ? "lora_A" : "lora_B"));
            }
            if (!a.shape().getFirst().equals(b.shape().getLast())) {
                throw new AdapterException(
                        a.file(),
                        "the ranks of %s %s and %s %s differ"
                                .formatted(AdapterKey.quote(a.name()), a.shape(), AdapterKey.quote(b.name()), b.shape()));
            }
            if (a.shape().getFirst() > MAX_RANK) {
                throw new AdapterException(
                        a.file(),
                        "tensor %s has shape %s: a rank of more than %d".formatted(AdapterKey.quote(a.name()), a.shape(), MAX_RANK));
            }
            int rank = Math.toIntExact(a.shape().getFirst());
            String module = parameter.substring(0, parameter.length() - ".weight".length());
            try {
                int configured = config.rankOf(module, budget);
                if (configured != rank && otherRanks++ == 0) {
                    example = "%s: rank %d instead of %d".formatted(AdapterKey.quote(module), rank, configured);
                }
                float scale = (float) config.scale(module, rank, budget);
                if (!Float.isFinite(scale)) {
                    throw new AdapterException(config.file(), "the scale of %s is out of range".formatted(AdapterKey.quote(module)));
                }
                pairs.put(parameter, new LoraPair(a, b, scale, config.fanInFanOut()));
            } catch (ModulePattern.BudgetExceededException e) {
                throw new AdapterException(config.file(), "rank_pattern and alpha_pattern take too long to match; use plain module names", e);
            }
        }
        if (otherRanks > 0) {
            notes.add("%d of %d matrices have another rank than %s says (%s); the matrices' own is used"
                    .formatted(otherRanks, pairs.size(), CONFIG, example));
        }
    }

    private void noteMissingModules() {
        for (String module : config.modulesToSave()) {
            boolean found = fullMatrices.keySet().stream()
                    .anyMatch(parameter -> parameter.equals(module + ".weight")
                            || parameter.endsWith("." + module + ".weight")
                            || parameter.contains("." + module + "."));
            if (!found) {
                notes.add("modules_to_save of %s names %s, but no tensor of it is there".formatted(CONFIG, AdapterKey.quote(module)));
            }
        }
    }

    /** The directory it was opened from. */
    public Path directory() {
        return directory;
    }

    /** Its configuration. */
    public LoraConfig config() {
        return config;
    }

    /** Rows of the input embedding that it brings, if it does: the size of its vocabulary. */
    public OptionalLong embeddingRows() {
        return fullRows(LoraMerge.EMBEDDING);
    }

    /** Rows of the output matrix ({@code lm_head}) that it brings, if it does. */
    public OptionalLong outputRows() {
        return fullRows(LoraMerge.OUTPUT);
    }

    /** Its own SentencePiece model, if the directory has one. */
    public @Nullable Path tokenizerModel() {
        Path file = directory.resolve("tokenizer.model");
        return Files.isRegularFile(file) ? file : null;
    }

    /** What is odd about it but no error, in sentences for a person. */
    public List<String> notes() {
        return List.copyOf(notes);
    }

    private OptionalLong fullRows(String parameter) {
        TensorInfo full = fullMatrices.get(parameter);
        return full == null ? OptionalLong.empty() : OptionalLong.of(rowsOf(full));
    }

    static long rowsOf(TensorInfo full) {
        return full.shape().size() == 1 ? 1 : full.shape().getFirst();
    }

    /** The whole matrix that replaces a parameter, or null. */
    @Nullable TensorInfo fullMatrix(String parameter) {
        return fullMatrices.get(parameter);
    }

    /** The LoRA that is added to a parameter, or null. */
    @Nullable LoraPair pair(String parameter) {
        return pairs.get(parameter);
    }

    /** All parameters that it changes, each once. */
    SequencedSet<String> parameters() {
        SequencedSet<String> parameters = new LinkedHashSet<>(pairs.keySet());
        parameters.addAll(fullMatrices.keySet());
        return parameters;
    }

    /** The names in the file of the tensors that change a parameter. */
    List<String> keysOf(String parameter) {
        List<String> keys = new ArrayList<>();
        TensorInfo full = fullMatrices.get(parameter);
        if (full != null) {
            keys.add(full.name());
        }
        LoraPair pair = pairs.get(parameter);
        if (pair != null) {
            keys.add(pair.a().name());
            keys.add(pair.b().name());
        }
        return keys;
    }

    FloatRows rows(TensorInfo tensor) {
        return checkpoint.rows(tensor);
    }

    /** Closes the tensors; closing twice is harmless. */
    @Override
    public void close() {
        checkpoint.close();
    }
}
