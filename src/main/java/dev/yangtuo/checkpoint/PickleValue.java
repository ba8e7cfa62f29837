package dev.yangtuo.checkpoint;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a pickle of weights can hold. Values that no tensor depends on are known by their kind alone: lists keep no elements, and
 * dictionaries only tensors and dictionaries under string keys, so that values that contain themselves do no harm.
 */
sealed interface PickleValue {
    /** Its kind, for messages: "a string". */
    String kind();

    /** Values without a content that matters. */
    enum Plain implements PickleValue {
        NONE("None"),
        TRUE("True"),
        FALSE("False"),
        FLOAT("a float"),
        LARGE_INTEGER("an integer beyond 64 bits"),
        BYTES("bytes"),
        LIST("a list"),
        /** The begin of what an instruction takes from the stack; never part of another value. */
        MARK("a mark");

        private final String kind;

        Plain(String kind) {
            this.kind = kind;
        }

        @Override
        public String kind() {
            return kind;
        }
    }

    /** A string. */
    record Text(String value) implements PickleValue {
        @Override
        public String kind() {
            return "the string " + Quoted.text(value);
        }
    }

    /** An integer. */
    record Whole(long value) implements PickleValue {
        @Override
        public String kind() {
            return "the integer " + value;
        }
    }

    /** A tuple; its items are never looked into further than one level, so tuples of tuples cost what the file has of them. */
    record Tuple(List<PickleValue> items) implements PickleValue {
        static final Tuple EMPTY = new Tuple(List.of());

        @Override
        public String kind() {
            return "a tuple of " + items.size();
        }
    }

    /** A dictionary or an ordered one. */
    final class Dictionary implements PickleValue {
        private Map<String, PickleValue> items = Map.of();
        /** Whether nothing was ever put into it. */
        private boolean empty = true;

        /** Keeps an item if it is or may hold a tensor; whether the key is new. */
        boolean put(String key, PickleValue value) {
            empty = false;
            if (!(value instanceof Tensor || value instanceof Dictionary)) {
                return true;
            }
            if (items.isEmpty()) {
                items = new LinkedHashMap<>(2);
            }
            return items.put(key, value) == null;
        }

        Map<String, PickleValue> items() {
            return items;
        }

        boolean isEmpty() {
            return empty;
        }

        boolean hasTensors() {
            return items.values().stream().anyMatch(Tensor.class::isInstance);
        }

        @Override
        public String kind() {
            return "a dictionary";
        }
    }

    /** The classes and functions that weights refer to. */
    enum Function implements PickleValue {
        ORDERED_DICT("collections", "OrderedDict"),
        REBUILD_TENSOR_V2("torch._utils", "_rebuild_tensor_v2"),
        REBUILD_TENSOR_V3("torch._utils", "_rebuild_tensor_v3"),
        REBUILD_PARAMETER("torch._utils", "_rebuild_parameter"),
        REBUILD_PARAMETER_WITH_STATE("torch._utils", "_rebuild_parameter_with_state"),
        UNTYPED_STORAGE("torch.storage", "UntypedStorage");

        final String module;
        final String function;

        Function(String module, String function) {
            this.module = module;
            this.function = function;
        }

        @Override
        public String kind() {
            return module + "." + function;
        }
    }

    /** The class of typed storages. */
    record StorageClass(PytorchType type) implements PickleValue {
        @Override
        public String kind() {
            return "a class of storages";
        }
    }

    /** The type of elements. */
    record ElementType(PytorchType type) implements PickleValue {
        @Override
        public String kind() {
            return "torch." + type.typeName;
        }
    }

    /**
     * The bytes that tensors are views of.
     *
     * @param type null for an untyped storage
     * @param byteOffset in the file
     * @param byteSize all inside the file
     */
    record Storage(@Nullable PytorchType type, long byteOffset, long byteSize) implements PickleValue {
        @Override
        public String kind() {
            return "a storage";
        }
    }

    /**
     * A tensor, every element of which is inside its storage, which has at least as many.
     *
     * @param byteOffset of its first element in the file
     * @param shape row-major
     * @param strides from element to element of each dimension, in elements
     */
    record Tensor(PytorchType type, long byteOffset, List<Long> shape, List<Long> strides) implements PickleValue {
        @Override
        public String kind() {
            return "a tensor";
        }

        /** Whether its elements follow each other in the order of its shape. */
        boolean isContiguous() {
            if (shape.contains(0L)) {
                return true;
            }
            long expected = 1;
            for (int d = shape.size() - 1; d >= 0; d--) {
                long size = shape.get(d);
                if (size != 1 && strides.get(d) != expected) {
                    return false;
                }
                expected *= size;
            }
            return true;
        }

        /** Bytes from its first element to the end of its last. */
        long spannedBytes() {
            if (shape.contains(0L)) {
                return 0;
            }
            long last = 0;
            for (int d = 0; d < shape.size(); d++) {
                last += (shape.get(d) - 1) * strides.get(d);
            }
            return (last + 1) * type.bytes;
        }
    }
}
