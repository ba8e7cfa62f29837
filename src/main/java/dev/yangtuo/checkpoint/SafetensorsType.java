package dev.yangtuo.checkpoint;

import dev.yangtuo.tensor.TensorType;
import org.jspecify.annotations.Nullable;

/** The element types of safetensors with their sizes in bits; the names are the format's. */
enum SafetensorsType {
    F32(32, TensorType.F32),
    F16(16, TensorType.F16),
    BF16(16, TensorType.BF16),
    BOOL(8, null),
    F4(4, null),
    F6_E2M3(6, null),
    F6_E3M2(6, null),
    U8(8, null),
    I8(8, null),
    F8_E5M2(8, null),
    F8_E4M3(8, null),
    F8_E5M2FNUZ(8, null),
    F8_E4M3FNUZ(8, null),
    F8_E8M0(8, null),
    I16(16, null),
    U16(16, null),
    I32(32, null),
    U32(32, null),
    I64(64, null),
    U64(64, null),
    F64(64, null),
    C64(64, null);

    final int bits;
    /** How it is read, or null if it cannot be. */
    final @Nullable TensorType readAs;

    SafetensorsType(int bits, @Nullable TensorType readAs) {
        this.bits = bits;
        this.readAs = readAs;
    }

    /** The type of this name, or null. */
    static @Nullable SafetensorsType named(String name) {
        for (SafetensorsType type : values()) {
            if (type.name().equals(name)) {
                return type;
            }
        }
        return null;
    }
}
