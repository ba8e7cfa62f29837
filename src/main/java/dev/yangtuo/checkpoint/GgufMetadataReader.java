package dev.yangtuo.checkpoint;

import dev.yangtuo.checkpoint.GgufMetadata.Entry;
import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads the key-value pairs of a GGUF file. */
final class GgufMetadataReader {
    /** The shortest pair: a key of one character, the type, a value of one byte. */
    static final int MIN_PAIR_BYTES = Long.BYTES + 1 + Integer.BYTES + 1;
    /** More pairs are taken for damage: models have some fifty. */
    static final int MAX_PAIRS = 100_000;

    /** The format's own limit for keys. */
    private static final int MAX_KEY_BYTES = 65_535;
    /** Chat templates and licences are the longest strings, some ten thousand bytes. */
    private static final int MAX_STRING_BYTES = 64 << 20;
    /** Merges of large vocabularies are the longest arrays, some hundred thousand elements. */
    private static final int MAX_ARRAY_ELEMENTS = 16 << 20;

    private final FileInput in;

    GgufMetadataReader(FileInput in) {
        this.in = in;
    }

    /** Reads {@code count} pairs, in their order. */
    Map<String, Entry> read(int count) {
        Map<String, Entry> entries = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            long at = in.byteOffset();
            String key = in.readName("metadata key %d".formatted(i), MAX_KEY_BYTES);
            if (entries.put(key, readEntry("key " + Quoted.text(key))) != null) {
                throw in.damaged(at, "the metadata key %s occurs twice".formatted(Quoted.text(key)));
            }
        }
        return entries;
    }

    private Entry readEntry(String what) {
        GgufValueType type = readType(what);
        if (type != GgufValueType.ARRAY) {
            long at = in.byteOffset();
            Object value = readScalar(type, what);
            return new Entry(type, null, at, in.byteOffset(), value);
        }
        GgufValueType elementType = readType(what + ", its elements");
        if (elementType == GgufValueType.ARRAY) {
            throw in.damaged(in.byteOffset() - Integer.BYTES, what + " is an array of arrays, which is not accepted");
        }
        long at = in.byteOffset();
        int length = in.readCount(what + ", the array's length", elementType.minBytes, MAX_ARRAY_ELEMENTS);
        Object value = readArray(elementType, length, what);
        return new Entry(type, elementType, at, in.byteOffset(), value);
    }

    private GgufValueType readType(String what) {
        long at = in.byteOffset();
        int id = in.readInt("the type of " + what);
        GgufValueType[] types = GgufValueType.values();
        if (id < 0 || id >= types.length) {
            throw in.damaged(at, "%s has the unknown type %s; expected 0 to %d".formatted(
                    what, Integer.toUnsignedString(id), types.length - 1));
        }
        return types[id];
    }

    private Object readScalar(GgufValueType type, String what) {
        return switch (type) {
            case STRING -> in.readText(what, MAX_STRING_BYTES);
            case BOOL -> readFlag(what);
            case FLOAT32 -> (double) Float.intBitsToFloat(in.readInt(what));
            case FLOAT64 -> Double.longBitsToDouble(in.readLong(what));
            case UINT64 -> {
                long value = in.readLong(what);
                yield value >= 0 ? (Object) value : new BigInteger(Long.toUnsignedString(value));
            }
            default -> readWhole(type, what);
        };
    }

    private Object readArray(GgufValueType elementType, int length, String what) {
        return switch (elementType) {
            case STRING -> in.readTexts(what, length, MAX_STRING_BYTES);
            case BOOL -> {
                boolean[] flags = new boolean[length];
                for (int i = 0; i < length; i++) {
                    flags[i] = readFlag(what);
                }
                yield flags;
            }
            case FLOAT32 -> in.readFloats(what, length);
            case INT32 -> in.readInts(what, length);
            case FLOAT64 -> {
                double[] doubles = new double[length];
                for (int i = 0; i < length; i++) {
                    doubles[i] = Double.longBitsToDouble(in.readLong(what));
                }
                yield doubles;
            }
            case UINT8, INT8, UINT16, INT16 -> {
                int[] ints = new int[length];
                for (int i = 0; i < length; i++) {
                    ints[i] = (int) readWhole(elementType, what);
                }
                yield ints;
            }
            default -> {
                long[] longs = new long[length];
                for (int i = 0; i < length; i++) {
                    longs[i] = readWhole(elementType, what);
                }
                yield longs;
            }
        };
    }

    private long readWhole(GgufValueType type, String what) {
        return switch (type) {
            case UINT8 -> Byte.toUnsignedLong(in.readByte(what));
            case INT8 -> in.readByte(what);
            case UINT16 -> Short.toUnsignedLong(in.readShort(what));
            case INT16 -> in.readShort(what);
            case UINT32 -> Integer.toUnsignedLong(in.readInt(what));
            case INT32 -> in.readInt(what);
            case INT64 -> in.readLong(what);
            case UINT64 -> {
                long at = in.byteOffset();
                long value = in.readLong(what);
                if (value < 0) {
                    throw in.damaged(at, "%s has the element %s; expected at most %d".formatted(
                            what, Long.toUnsignedString(value), Long.MAX_VALUE));
                }
                yield value;
            }
            case FLOAT32, FLOAT64, BOOL, STRING, ARRAY -> throw new IllegalArgumentException(type + " is not a whole number");
        };
    }

    private boolean readFlag(String what) {
        long at = in.byteOffset();
        byte value = in.readByte(what);
        if (value != 0 && value != 1) {
            throw in.damaged(at, "%s is %d; expected 0 (false) or 1 (true)".formatted(what, value));
        }
        return value == 1;
    }
}
