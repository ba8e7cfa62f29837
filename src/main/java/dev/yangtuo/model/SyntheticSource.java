package dev.yangtuo.model;

import dev.yangtuo.checkpoint.Checkpoint;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.TensorType;
import dev.yangtuo.tokenizer.SentencePieceModel;
import dev.yangtuo.tokenizer.Tokenizer;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * A model of any shape with random weights. They are scaled as freshly initialised ones, by one over the square root of a row's length, so that activations
 * keep their size from layer to layer; norms are ones.
 */
final class SyntheticSource extends ModelSource {
    private final ModelConfig config;
    private final SentencePieceModel tokenizer;
    private final long seed;

    /**
     * @param tokenizer with at most as many pieces as the vocabulary has rows
     * @param seed the same seed gives the same model
     */
    SyntheticSource(SyntheticShape shape, SentencePieceModel tokenizer, long seed) {
        super(new NoCheckpoint(Path.of("synthetic-" + shape.name())));
        this.config = shape.config();
        this.tokenizer = tokenizer;
        this.seed = seed;
    }

    @Override
    ModelConfig config() {
        return config;
    }

    @Override
    Parameter embedding() {
        return matrix(EMBEDDING, config.vocabSize(), config.dim());
    }

    @Override
    Parameter norm() {
        return ones(config.dim());
    }

    @Override
    Parameter output() {
        return matrix(OUTPUT, config.vocabSize(), config.dim());
    }

    @Override
    @Nullable Parameter layer(int layer, LayerParameter parameter) {
        if (parameter.isBias()) {
            return null;
        }
        List<Long> shape = parameter.shape(config);
        if (parameter.isVector()) {
            return ones(Math.toIntExact(shape.getFirst()));
        }
        return matrix(parameter.name(layer), shape.getFirst(), Math.toIntExact(shape.getLast()));
    }

    private Parameter matrix(String name, long rows, int columns) {
        long own = RandomRows.mix(seed * 31 + name.hashCode());
        return new Parameter(new RandomRows(rows, columns, own, 1 / Math.sqrt(columns)), TensorType.F32, null);
    }

    private static Parameter ones(int size) {
        float[] values = new float[size];
        Arrays.fill(values, 1f);
        return new Parameter(FloatRows.of(values, size), TensorType.F32, null);
    }

    @Override
    Tokenizer tokenizer() {
        return Tokenizer.of(tokenizer);
    }

    @Override
    GenerationConfig generation() {
        return GenerationConfig.DEFAULT;
    }

    /** What is not read has no files. */
    private record NoCheckpoint(Path path) implements Checkpoint {
        @Override
        public Collection<TensorInfo> tensors() {
            return List.of();
        }

        @Override
        public SequencedMap<Path, MemorySegment> contents() {
            return new LinkedHashMap<>();
        }

        @Override
        public @Nullable TensorInfo find(String name) {
            return null;
        }

        @Override
        public MemorySegment bytes(TensorInfo tensor) {
            throw new IllegalArgumentException(tensor + " is no tensor of " + path);
        }

        @Override
        public FloatRows rows(TensorInfo tensor) {
            throw new IllegalArgumentException(tensor + " is no tensor of " + path);
        }

        @Override
        public void close() {
            // nothing is open
        }
    }
}
