package dev.yangtuo.lora;

import dev.yangtuo.checkpoint.Checkpoint;
import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.PytorchCheckpoint;
import dev.yangtuo.checkpoint.SafetensorsCheckpoint;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.tensor.FloatRows;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.SequencedSet;
import org.jspecify.annotations.Nullable;

/**
 * One opened adapter: its configuration and, for each parameter of the model that it changes, what it does to it. Everything that can be known without the
 * model has been checked when an instance exists: every tensor's name is understood, each lora_A has a lora_B of the same rank, what the configuration
 * promises is there, scales are finite. Values are checked as they are read.
 *
 * <p>The rank is the tensors' own; where the configuration says another, {@link #notes()} says so. Immutable and thread-safe until it
 * is closed; rows that a merge handed out are invalid afterwards.
 */
public final class LoraAdapter implements AutoCloseable {
    private static final String CONFIG = "adapter_config.json";
    private static final String SAFETENSORS = "adapter_model.safetensors";
    private static final String SHARD_INDEX = "adapter_model.safetensors.index.json";
    private static final String PYTORCH = "adapter_model.bin";

    /** How the adapter is stored. */
    public enum Format {
        /** A directory in PEFT's format with safetensors. */
        PEFT_SAFETENSORS("peft-safetensors"),
        /** A directory in PEFT's format with a file that PyTorch wrote. */
        PEFT_PYTORCH("peft-pytorch"),
        /** A GGUF file. */
        GGUF("gguf");

        private final String label;

        Format(String label) {
            this.label = label;
        }

        /** Its name in reports. */
        public String label() {
            return label;
        }
    }

    private final Path path;
    private final Format format;
    private final double scale;
    private final LoraConfig config;
    private final Checkpoint checkpoint;
    private final AdapterChanges changes;

    private LoraAdapter(LoraRequest request, Format format, LoraConfig config, Checkpoint checkpoint) {
        this.path = request.path();
        this.format = format;
        this.scale = request.scale();
        this.config = config;
        this.checkpoint = checkpoint;
        this.changes = checkpoint instanceof GgufCheckpoint gguf
                ? GgufAdapter.read(gguf, config, scale)
                : PeftTensors.read(config, checkpoint, scale);
    }

    /** {@link #open(LoraRequest)} with the adapter's own scale. */
    public static LoraAdapter open(Path path) {
        return open(new LoraRequest(path, 1));
    }

    /**
     * Opens a directory with {@code adapter_config.json} and {@code adapter_model.safetensors} or {@code adapter_model.bin}, as PEFT's save_pretrained writes it, or a GGUF file.
     *
     * @param request the path is also the adapter's name in messages and in the report
     * @throws AdapterException if something is missing, damaged, or not supported
     * @throws dev.yangtuo.exception.CheckpointFormatException if the file of tensors is damaged
     */
    public static LoraAdapter open(LoraRequest request) {
        Path path = request.path();
        if (!Files.exists(path)) {
            throw new AdapterException(path, "there is no such directory or file; expected the directory of a PEFT LoRA adapter, or a GGUF file");
        }
        if (!Files.isDirectory(path)) {
            return openFile(request);
        }
        Path configFile = path.resolve(CONFIG);
        if (!Files.isRegularFile(configFile)) {
            throw new AdapterException(path, "%s is missing; expected the directory of a PEFT LoRA adapter".formatted(CONFIG));
        }
        LoraConfig config = LoraConfig.read(configFile);
        if (Files.exists(path.resolve(SAFETENSORS)) || Files.exists(path.resolve(SHARD_INDEX))) {
            return of(request, Format.PEFT_SAFETENSORS, config, SafetensorsCheckpoint.openDirectory(path, "adapter_model"));
        }
        if (Files.exists(path.resolve(PYTORCH)) || Files.exists(path.resolve(PYTORCH + ".index.json"))) {
            return of(request, Format.PEFT_PYTORCH, config, PytorchCheckpoint.openDirectory(path, "adapter_model"));
        }
        throw new AdapterException(path, "%s (or %s) is missing; the download may be incomplete".formatted(SAFETENSORS, PYTORCH));
    }

    private static LoraAdapter openFile(LoraRequest request) {
        Path file = request.path();
        byte[] magic;
        try (InputStream in = Files.newInputStream(file)) {
            magic = in.readNBytes(4);
        } catch (IOException e) {
            throw new AdapterException(file, "cannot be read: " + e, e);
        }
        if (!new String(magic, StandardCharsets.ISO_8859_1).equals("GGUF")) {
            throw new AdapterException(file, "is a file, but not GGUF; expected the directory that holds %s and %s, or a GGUF file".formatted(CONFIG, SAFETENSORS));
        }
        GgufCheckpoint checkpoint = GgufCheckpoint.open(file);
        try {
            return new LoraAdapter(request, Format.GGUF, GgufAdapter.config(checkpoint), checkpoint);
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    /**
     * An adapter in PEFT's format of tensors that were opened elsewhere.
     *
     * @param request what messages and the report call it
     * @param checkpoint its tensors; owned by the adapter from here on, closed with it, and closed if this method throws
     * @throws AdapterException if the tensors are not those of an adapter
     */
    static LoraAdapter of(LoraRequest request, Format format, LoraConfig config, Checkpoint checkpoint) {
        try {
            return new LoraAdapter(request, format, config, checkpoint);
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    /** The directory or file that it was opened from. */
    public Path path() {
        return path;
    }

    /** How it is stored. */
    public Format format() {
        return format;
    }

    /** The files that hold its tensors, whole, as they were when it was opened. */
    public SequencedMap<Path, MemorySegment> contents() {
        return checkpoint.contents();
    }

    /** What its deltas are multiplied with beside their own scale. */
    public double scale() {
        return scale;
    }

    /** Its configuration; of a GGUF file what its metadata say. */
    public LoraConfig config() {
        return config;
    }

    /** Rows of the input embedding that it brings, if it does: the size of its vocabulary. */
    public OptionalLong embeddingRows() {
        return rowsBrought(LoraMerge.EMBEDDING);
    }

    /** Rows of the output matrix ({@code lm_head}) that it brings, if it does. */
    public OptionalLong outputRows() {
        return rowsBrought(LoraMerge.OUTPUT);
    }

    private OptionalLong rowsBrought(String parameter) {
        for (ParameterChange change : changes.of(parameter)) {
            if (change instanceof Replacement replacement) {
                return OptionalLong.of(replacement.rows());
            }
        }
        return OptionalLong.empty();
    }

    /** Its own SentencePiece model, if it has one. */
    public @Nullable Path tokenizerModel() {
        Path file = path.resolve("tokenizer.model");
        return Files.isRegularFile(file) ? file : null;
    }

    /** What is odd about it but no error, in sentences for a person. */
    public List<String> notes() {
        return List.copyOf(changes.notes());
    }

    /** What it does to a parameter, in this order; empty if nothing. */
    List<ParameterChange> changes(String parameter) {
        return changes.of(parameter);
    }

    /** All parameters that it changes, each once. */
    SequencedSet<String> parameters() {
        return changes.parameters();
    }

    /** The names in the file of the tensors that change a parameter. */
    List<String> keysOf(String parameter) {
        return changes.of(parameter).stream().flatMap(change -> change.tensors().stream()).map(TensorInfo::name).toList();
    }

    FloatRows rows(TensorInfo tensor) {
        return checkpoint.rows(tensor);
    }

    /** The model that it belongs onto, for messages. */
    String trainedOn() {
        String base = config.baseModel();
        return base == null || base.isBlank() ? "the model it was trained on" : "the model it was trained on (" + AdapterKey.quote(base) + ")";
    }

    /** Closes the tensors; closing twice is harmless. */
    @Override
    public void close() {
        checkpoint.close();
    }
}
