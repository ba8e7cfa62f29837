package dev.yangtuo.checkpoint;

import dev.yangtuo.tensor.TensorType;
import org.jspecify.annotations.Nullable;

/** PyTorch's element types: by the name of the typed storage that old files mention, and by the name of the type. */
enum PytorchType {
    FLOAT32("FloatStorage", "float32", 4, TensorType.F32),
    FLOAT16("HalfStorage", "float16", 2, TensorType.F16),
    BFLOAT16("BFloat16Storage", "bfloat16", 2, TensorType.BF16),
    FLOAT64("DoubleStorage", "float64", 8, null),
    INT64("LongStorage", "int64", 8, null),
    INT32("IntStorage", "int32", 4, null),
    INT16("ShortStorage", "int16", 2, null),
    INT8("CharStorage", "int8", 1, null),
    UINT8("ByteStorage", "uint8", 1, null),
    BOOL("BoolStorage", "bool", 1, null),
    COMPLEX64("ComplexFloatStorage", "complex64", 8, null),
    COMPLEX128("ComplexDoubleStorage", "complex128", 16, null),
    // These have no typed storage.
    UINT16("", "uint16", 2, null),
    UINT32("", "uint32", 4, null),
    UINT64("", "uint64", 8, null),
    FLOAT8_E4M3FN("", "float8_e4m3fn", 1, null),
    FLOAT8_E5M2("", "float8_e5m2", 1, null),
    FLOAT8_E4M3FNUZ("", "float8_e4m3fnuz", 1, null),
    FLOAT8_E5M2FNUZ("", "float8_e5m2fnuz", 1, null),
    FLOAT8_E8M0FNU("", "float8_e8m0fnu", 1, null);

    private final String storageName;
    /** Its name in the module {@code torch}. */
    final String typeName;
    final int bytes;
    /** How it is read, or null if it cannot be. */
    final @Nullable TensorType readAs;

    PytorchType(String storageName, String typeName, int bytes, @Nullable TensorType readAs) {
        this.storageName = storageName;
        this.typeName = typeName;
        this.bytes = bytes;
        this.readAs = readAs;
    }

    /** The type of the storages of this class in the module {@code torch}, or null. */
    static @Nullable PytorchType ofStorage(String name) {
        for (PytorchType type : values()) {
            if (!name.isEmpty() && type.storageName.equals(name)) {
                return type;
            }
        }
        return null;
    }

    /** The type of this name in the module {@code torch}, or null. */
    static @Nullable PytorchType named(String name) {
        for (PytorchType type : values()) {
            if (type.typeName.equals(name)) {
                return type;
            }
        }
        return null;
    }
}
