package dev.yangtuo.checkpoint;

/** The types of metadata values, in GGUF's numbering. */
enum GgufValueType {
    UINT8(1),
    INT8(1),
    UINT16(2),
    INT16(2),
    UINT32(4),
    INT32(4),
    FLOAT32(4),
    BOOL(1),
    STRING(8),
    ARRAY(12),
    UINT64(8),
    INT64(8),
    FLOAT64(8);

    /** The fewest bytes that a value takes: of a string its length, of an array its element type and length. */
    final int minBytes;

    GgufValueType(int minBytes) {
        this.minBytes = minBytes;
    }
}
