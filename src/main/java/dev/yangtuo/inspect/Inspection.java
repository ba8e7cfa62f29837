package dev.yangtuo.inspect;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * What is in a model, an adapter or a tokenizer. Values of metadata and of hyper-parameters are {@code String}, {@code Boolean}, {@code Number},
 * an array of strings or of numbers or truth values, or a {@link com.fasterxml.jackson.databind.JsonNode}.
 *
 * @param path what was looked at
 * @param kind what it is
 * @param format the formats of its files, for a person: {@code GGUF version 3}
 * @param architecture what kind of model it says it is, null where it does not say
 * @param files the files that hold tensors
 * @param hyperParameters by names that are the same for all formats, null where a file does not say; empty for what is no model
 * @param tensors in the order of the files
 * @param tokenizer null where there is none
 * @param adapter null for what is no adapter
 * @param metadata for each file (or part of one) that has any: its keys and values, in their order
 * @param obstacle why it cannot be loaded, null if nothing of what was looked at is in the way
 */
public record Inspection(
        Path path,
        Kind kind,
        String format,
        @Nullable String architecture,
        List<StoredFile> files,
        SequencedMap<String, @Nullable Object> hyperParameters,
        List<StoredTensor> tensors,
        @Nullable TokenizerFacts tokenizer,
        @Nullable AdapterFacts adapter,
        SequencedMap<String, SequencedMap<String, Object>> metadata,
        @Nullable String obstacle) {
    /** What a path is. */
    public enum Kind {
        /** A GGUF file with a model. */
        GGUF,
        /** A LoRA adapter in a GGUF file. */
        GGUF_ADAPTER,
        /** A directory with a model in Hugging Face's layout. */
        HUGGING_FACE,
        /** A directory with an adapter in PEFT's layout. */
        PEFT_ADAPTER,
        /** A directory with a model as Meta publishes it. */
        META,
        /** A single safetensors file. */
        SAFETENSORS,
        /** A single file of PyTorch weights. */
        PYTORCH,
        /** A model file of llama2.c. */
        LLAMA2_C,
        /** A tokenizer without weights. */
        TOKENIZER
    }

    /** A file that holds tensors, with its size. */
    public record StoredFile(Path file, long bytes) {}

    /**
     * A tensor.
     *
     * @param type the name of its type in the terms of its format
     * @param readable whether this version can decode the type
     * @param shape row-major, slowest dimension first; empty for a scalar
     * @param bytes how many it takes in the file
     * @param file where it is
     * @param byteOffset where it begins there
     */
    public record StoredTensor(String name, String type, boolean readable, List<Long> shape, long bytes, Path file, long byteOffset) {
        /** Number of elements. */
        public long elements() {
            return shape.stream().reduce(1L, Math::multiplyExact);
        }
    }

    /** All tensors of a type. */
    public record TypeTotal(String type, boolean readable, int tensors, long elements, long bytes) {}

    /** Number of elements of all tensors. */
    public long parameters() {
        return tensors.stream().mapToLong(StoredTensor::elements).sum();
    }

    /** Bytes of all tensors. */
    public long tensorBytes() {
        return tensors.stream().mapToLong(StoredTensor::bytes).sum();
    }

    /** Bits that an element takes on average; NaN without tensors. */
    public double bitsPerWeight() {
        return 8.0 * tensorBytes() / parameters();
    }

    /** The types that occur, the one with the most bytes first. */
    public List<TypeTotal> types() {
        Map<String, TypeTotal> totals = new LinkedHashMap<>();
        for (StoredTensor tensor : tensors) {
            totals.merge(
                    tensor.type(),
                    new TypeTotal(tensor.type(), tensor.readable(), 1, tensor.elements(), tensor.bytes()),
                    (a, b) -> new TypeTotal(a.type(), a.readable(), a.tensors() + 1, a.elements() + b.elements(), a.bytes() + b.bytes()));
        }
        List<TypeTotal> sorted = new ArrayList<>(totals.values());
        sorted.sort(Comparator.comparingLong(TypeTotal::bytes).reversed());
        return sorted;
    }
}
