package dev.yangtuo.model;

import dev.yangtuo.checkpoint.Checkpoint;
import dev.yangtuo.checkpoint.Checkpoints;
import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.Llama2cCheckpoint;
import dev.yangtuo.checkpoint.MetaCheckpoint;
import dev.yangtuo.checkpoint.PytorchCheckpoint;
import dev.yangtuo.checkpoint.SafetensorsCheckpoint;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint seen as the parameters of a LLaMA model, under Hugging Face's names and in its order of rows, whatever the format: so that
 * adapters, which use these names and this order, fit all of them. Complete and of the right shapes when an instance exists. Thread-safe.
 */
abstract sealed class ModelSource implements AutoCloseable permits HuggingFaceSource, GgufSource, Llama2cSource, MetaSource, SyntheticSource {
    static final String EMBEDDING = "model.embed_tokens.weight";
    static final String NORM = "model.norm.weight";
    static final String OUTPUT = "lm_head.weight";

    static final String GGUF_EMBEDDING = "token_embd.weight";
    static final String GGUF_NORM = "output_norm.weight";
    static final String GGUF_OUTPUT = "output.weight";

    private final Checkpoint checkpoint;

    ModelSource(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    /** Opens a model of any kind that {@link Checkpoints} knows. */
    static ModelSource open(Path path) {
        return of(Checkpoints.open(path));
    }

    /** The same of a checkpoint; closed with the result, and when this fails. */
    static ModelSource of(Checkpoint checkpoint) {
        try {
            return switch (checkpoint) {
                case GgufCheckpoint gguf -> new GgufSource(gguf);
                case SafetensorsCheckpoint safetensors -> new HuggingFaceSource(safetensors);
                case PytorchCheckpoint pytorch -> new HuggingFaceSource(pytorch);
                case MetaCheckpoint meta -> new MetaSource(meta);
                case Llama2cCheckpoint llama2c -> new Llama2cSource(llama2c);
                default -> throw new CheckpointFormatException(checkpoint.path(), "this kind of checkpoint holds no LLaMA model");
            };
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    /** GGUF's name of the embedding, the last norm or the output matrix. */
    static String ggufName(String name) {
        return switch (name) {
            case EMBEDDING -> GGUF_EMBEDDING;
            case NORM -> GGUF_NORM;
            case OUTPUT -> GGUF_OUTPUT;
            default -> throw new IllegalArgumentException(name + " is a parameter of a layer");
        };
    }

    /** The file or directory that was opened. */
    Path path() {
        return checkpoint.path();
    }

    /** The hyper-parameters; {@code vocabSize} is the number of rows of the embedding. */
    abstract ModelConfig config();

    /** The embedding. */
    abstract Parameter embedding();

    /** The last norm. */
    abstract Parameter norm();

    /** The output matrix, or null if it is the embedding. */
    abstract @Nullable Parameter output();

    /** A parameter of a layer; null for a bias that the model does not have. */
    abstract @Nullable Parameter layer(int layer, LayerParameter parameter);

    /** The tokenizer that the model brings. */
    abstract Tokenizer tokenizer();

    /** What the model recommends for generation. */
    abstract GenerationConfig generation();

    /** The tensor of this name and shape, as it is stored. */
    final TensorInfo require(String name, List<Long> shape) {
        TensorInfo tensor = checkpoint.find(name);
        if (tensor == null) {
            throw new CheckpointFormatException(path(), "tensor '%s' is missing; the model is incomplete, or not a LLaMA model".formatted(name));
        }
        if (!tensor.shape().equals(shape)) {
            throw new CheckpointFormatException(tensor.file(), "tensor '%s' has shape %s, but the configuration asks for %s"
                    .formatted(name, tensor.shape(), shape));
        }
        return tensor;
    }

    /** A stored tensor whose rows are in the order in which they are asked for. */
    final Parameter plain(TensorInfo tensor) {
        return new Parameter(checkpoint.rows(tensor), tensor.type(), checkpoint.storesRows(tensor) ? checkpoint.stored(tensor) : null);
    }

    final Checkpoint checkpoint() {
        return checkpoint;
    }

    @Override
    public void close() {
        checkpoint.close();
    }
}
