package dev.yangtuo.inspect;

import com.fasterxml.jackson.databind.JsonNode;
import dev.yangtuo.checkpoint.Checkpoint;
import dev.yangtuo.checkpoint.Checkpoints;
import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.checkpoint.JsonFile;
import dev.yangtuo.checkpoint.Llama2cCheckpoint;
import dev.yangtuo.checkpoint.MetaCheckpoint;
import dev.yangtuo.checkpoint.PytorchCheckpoint;
import dev.yangtuo.checkpoint.SafetensorsCheckpoint;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.inspect.Inspection.Kind;
import dev.yangtuo.inspect.Inspection.StoredFile;
import dev.yangtuo.inspect.Inspection.StoredTensor;
import dev.yangtuo.lora.LoraAdapter;
import dev.yangtuo.model.CheckedModel;
import dev.yangtuo.model.ModelLoader;
import dev.yangtuo.tokenizer.TokenizerModel;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Describes a path: opens its tensors by their headers, reads the small files beside them, and asks the loaders for what is in the way of loading
 * it. Only damaged files are failures; what is merely not supported is part of the description.
 */
public final class Inspector {
    private static final String CONFIG = "config.json";
    private static final String PARAMS = "params.json";
    private static final String ADAPTER_CONFIG = "adapter_config.json";
    private static final String TOKENIZER = "tokenizer.model";
    /** Small files of a directory that are shown whole. */
    private static final List<String> SHOWN_FILES = List.of(CONFIG, PARAMS, ADAPTER_CONFIG, "generation_config.json");
    /** Field 1, length-delimited: the first piece, with which every writer begins. */
    private static final int SENTENCEPIECE_START = 0x0A;
    private static final String EMBEDDING = "token_embd.weight";
    private static final String OUTPUT = "output.weight";

    private final Path path;
    private final SequencedMap<String, SequencedMap<String, Object>> metadata = new LinkedHashMap<>();
    private List<StoredTensor> tensors = List.of();
    /** Files that hold parts of tensors only. */
    private final List<Path> files = new ArrayList<>();
    private SequencedMap<String, @Nullable Object> hyperParameters = new LinkedHashMap<>();
    private @Nullable String architecture;
    private @Nullable String obstacle;

    private Inspector(Path path) {
        this.path = path;
    }

    /**
     * Describes a path.
     *
     * @param path a model of any kind that {@link Checkpoints} opens, an adapter, a single file of tensors, a {@code tokenizer.model}, or a
     *     directory with one of these
     * @throws YangtuoException if there is no such path, it is none of these, or a file of it is damaged
     */
    public static Inspection inspect(Path path) {
        if (!Files.exists(path)) {
            throw new CheckpointFormatException(path, "there is no such file or directory; expected a model, an adapter or a tokenizer");
        }
        Inspector inspector = new Inspector(path);
        return Files.isDirectory(path) ? inspector.directory() : inspector.file();
    }

    private Inspection directory() {
        boolean model = Files.exists(path.resolve(CONFIG));
        boolean adapter = !model && Files.exists(path.resolve(ADAPTER_CONFIG));
        boolean meta = false;
        String format = "no tensors";
        try (Checkpoint checkpoint = Checkpoints.openTensors(path)) {
            if (checkpoint != null) {
                format = read(checkpoint);
                meta = checkpoint instanceof MetaCheckpoint;
            } else if (!model && !adapter) {
                return tokenizerDirectory();
            }
        }
        for (String name : SHOWN_FILES) {
            Path file = path.resolve(name);
            if (Files.exists(file)) {
                metadata.put(name, valuesOf(JsonFile.readObject(file)));
            }
        }
        if (adapter || !model && AdapterReader.holdsLora(tensors)) {
            AdapterFacts facts = AdapterReader.ofPeft(json(ADAPTER_CONFIG), tensors, adapterNotes());
            return inspection(Kind.PEFT_ADAPTER, format, TokenizerReader.ofDirectory(path), facts);
        }
        JsonNode config = json(meta ? PARAMS : CONFIG);
        if (config != null) {
            hyperParameters = HyperParameters.of(config);
            architecture = meta ? "llama" : config.path("model_type").isTextual() ? config.path("model_type").textValue() : null;
        }
        TokenizerModel loadable = checkModel();
        TokenizerReader.Found tokenizer = loadable == null
                ? TokenizerReader.ofDirectory(path)
                : new TokenizerReader.Found(TokenizerReader.ofModel(loadable, path), null);
        return inspection(meta ? Kind.META : Kind.HUGGING_FACE, format, tokenizer, null);
    }

    /** A directory that holds neither weights nor a configuration. */
    private Inspection tokenizerDirectory() {
        TokenizerReader.Found tokenizer = TokenizerReader.ofDirectory(path);
        if (tokenizer.facts() == null) {
            Checkpoints.open(path).close(); // says what is missing
        }
        return inspection(Kind.TOKENIZER, "no tensors", tokenizer, null);
    }

    private Inspection file() {
        try (Checkpoint checkpoint = Checkpoints.openTensors(path)) {
            if (checkpoint == null) {
                return tokenizerFile();
            }
            String format = read(checkpoint);
            if (checkpoint instanceof GgufCheckpoint gguf) {
                return gguf(format, gguf.metadata());
            }
            if (checkpoint instanceof Llama2cCheckpoint llama) {
                return llama2c(format, llama.header());
            }
            boolean adapter = AdapterReader.holdsLora(tensors);
            if (!adapter) {
                checkModel();
            }
            return inspection(checkpoint instanceof PytorchCheckpoint ? Kind.PYTORCH : Kind.SAFETENSORS, format, TokenizerReader.Found.NOTHING,
                    adapter ? AdapterReader.ofPeft(null, tensors, adapterNotes()) : null);
        }
    }

    private Inspection gguf(String format, GgufMetadata values) {
        architecture = textOf(values, "general.architecture");
        if (values.contains("adapter.type") || "adapter".equals(textOf(values, "general.type")) || AdapterReader.holdsLora(tensors)) {
            AdapterFacts facts = AdapterReader.ofGguf(values, tensors, adapterNotes());
            return inspection(Kind.GGUF_ADAPTER, format, new TokenizerReader.Found(TokenizerReader.ofGguf(path, values, null), null), facts);
        }
        if (architecture != null) {
            hyperParameters = HyperParameters.of(values, architecture, holds(EMBEDDING) ? !holds(OUTPUT) : null);
        }
        TokenizerModel loadable = checkModel();
        return inspection(Kind.GGUF, format, new TokenizerReader.Found(TokenizerReader.ofGguf(path, values, loadable), null), null);
    }

    private boolean holds(String name) {
        return tensors.stream().anyMatch(tensor -> tensor.name().equals(name));
    }

    private Inspection llama2c(String format, Llama2cCheckpoint.Header header) {
        hyperParameters = HyperParameters.of(header);
        architecture = "llama";
        TokenizerModel loadable = checkModel();
        TokenizerFacts tokenizer = loadable == null ? null : TokenizerReader.ofModel(loadable, path.resolveSibling(""));
        return inspection(Kind.LLAMA2_C, format, new TokenizerReader.Found(tokenizer, null), null);
    }

    private Inspection tokenizerFile() {
        try {
            return inspection(Kind.TOKENIZER, "SentencePiece", new TokenizerReader.Found(TokenizerReader.ofFile(path), null), null);
        } catch (TokenizerFormatException e) {
            if (beginsLikeSentencePiece()) {
                throw e;
            }
            throw new CheckpointFormatException(path, "is no kind of file that is known here; expected a model (a GGUF file, a directory of Hugging"
                    + " Face or Meta, a file of safetensors or PyTorch weights, a model of llama2.c), an adapter, or a " + TOKENIZER, e);
        }
    }

    private boolean beginsLikeSentencePiece() {
        try (InputStream in = Files.newInputStream(path)) {
            return in.read() == SENTENCEPIECE_START;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + path + ": " + e.getMessage(), e);
        }
    }

    /** Takes the tensors and the metadata of a checkpoint, and says in which format it is. */
    private String read(Checkpoint checkpoint) {
        tensors = new ArrayList<>();
        checkpoint.tensors().forEach(tensor -> tensors.add(new StoredTensor(
                tensor.name(), tensor.type().name(), true, tensor.shape(), tensor.byteSize(), tensor.file(), tensor.byteOffset())));
        checkpoint.unreadable().forEach(tensor -> tensors.add(new StoredTensor(
                tensor.name(), tensor.typeName(), false, tensor.shape(), tensor.byteSize(), tensor.file(), tensor.byteOffset())));
        return switch (checkpoint) {
            case GgufCheckpoint gguf -> {
                SequencedMap<String, Object> values = new LinkedHashMap<>();
                gguf.metadata().keys().forEach(key -> values.put(key, gguf.metadata().value(key)));
                metadata.put("gguf", values);
                yield "GGUF version " + gguf.version();
            }
            case SafetensorsCheckpoint safetensors -> {
                if (!safetensors.metadata().isEmpty()) {
                    metadata.put("safetensors", new LinkedHashMap<>(safetensors.metadata()));
                }
                yield "safetensors";
            }
            case PytorchCheckpoint pytorch -> "PyTorch";
            case MetaCheckpoint shards -> {
                files.addAll(shards.files());
                yield "PyTorch, %d shards of Meta".formatted(shards.files().size());
            }
            case Llama2cCheckpoint llama -> "llama2.c version " + llama.header().version();
            default -> checkpoint.getClass().getSimpleName();
        };
    }

    /** Asks whether the model can be loaded; the tokenizer that it would have then, else null. */
    private @Nullable TokenizerModel checkModel() {
        CheckedModel model = asking(() -> ModelLoader.check(path));
        if (model == null) {
            return null;
        }
        HyperParameters.put(hyperParameters, model.config());
        return model.tokenizer();
    }

    private List<String> adapterNotes() {
        List<String> notes = asking(() -> {
            try (LoraAdapter adapter = LoraAdapter.open(path)) {
                return adapter.notes();
            }
        });
        return notes == null ? List.of() : notes;
    }

    /** The answer of a loader; what it refuses is noted. */
    private <T> @Nullable T asking(Supplier<T> loader) {
        try {
            return loader.get();
        } catch (YangtuoException e) {
            obstacle = e.getMessage();
            return null;
        }
    }

    private @Nullable JsonNode json(String name) {
        Path file = path.resolve(name);
        return Files.exists(file) ? JsonFile.readObject(file) : null;
    }

    private static SequencedMap<String, Object> valuesOf(JsonNode object) {
        SequencedMap<String, Object> values = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : object.properties()) {
            values.put(entry.getKey(), entry.getValue());
        }
        return values;
    }

    private static @Nullable String textOf(GgufMetadata values, String key) {
        return values.contains(key) && values.value(key) instanceof String text ? text : null;
    }

    private Inspection inspection(Kind kind, String format, TokenizerReader.Found tokenizer, @Nullable AdapterFacts adapter) {
        return new Inspection(path, kind, format, architecture, files(), hyperParameters, tensors, tokenizer.facts(), adapter, metadata,
                obstacle == null ? tokenizer.problem() : obstacle);
    }

    private List<StoredFile> files() {
        LinkedHashSet<Path> distinct = new LinkedHashSet<>(files);
        tensors.forEach(tensor -> distinct.add(tensor.file()));
        List<StoredFile> stored = new ArrayList<>();
        for (Path file : distinct) {
            try {
                stored.add(new StoredFile(file, Files.size(file)));
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
            }
        }
        return stored;
    }
}
