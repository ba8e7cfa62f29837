package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import java.lang.reflect.Array;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The key-value pairs of a GGUF file. Immutable and thread-safe, valid after the file is closed. Every method that names a key
 * throws {@link CheckpointFormatException} if its value is of another kind, or out of the range of the result; those without a
 * fallback also if the key is missing. Any integer type is a whole number; numbers are whole numbers or floating-point. Text that is
 * not valid UTF-8 was read with U+FFFD in place of what is not.
 */
public final class GgufMetadata {
    /**
     * One value.
     *
     * @param elementType of an array, else null
     * @param byteOffset where the value begins
     * @param byteEnd where it ends
     * @param value {@code Long} (any integer; {@code BigInteger} beyond its range), {@code Double}, {@code Boolean}, {@code String},
     *     {@code int[]} (of integer types that fit),
     *     {@code long[]} (of the others), {@code float[]}, {@code double[]}, {@code boolean[]} or {@code String[]}
     */
    record Entry(GgufValueType type, @Nullable GgufValueType elementType, long byteOffset, long byteEnd, Object value) {
        String typeName() {
            return elementType == null ? type.name() : "ARRAY of " + elementType;
        }
    }

    private final Path file;
    private final Map<String, Entry> entries;

    /** @param entries in the order of the file; not copied */
    GgufMetadata(Path file, Map<String, Entry> entries) {
        this.file = file;
        this.entries = Collections.unmodifiableMap(entries);
    }

    /** All keys, in the order of the file. */
    public Set<String> keys() {
        return entries.keySet();
    }

    /** Whether the key is there, whatever its type. */
    public boolean contains(String key) {
        return entries.containsKey(key);
    }

    /** The name of the value's type in GGUF's terms, for display: {@code UINT32}, {@code ARRAY of STRING}. */
    public String typeName(String key) {
        return require(key, "any value").typeName();
    }

    /** A value with its place. */
    Entry entry(String key) {
        return require(key, "any value");
    }

    /**
     * The value of a key, whatever its type, for display: {@code Long} (any integer; {@code BigInteger} beyond its range), {@code Float},
     * {@code Double}, {@code Boolean}, {@code String}, or a new array {@code int[]}, {@code long[]}, {@code float[]}, {@code double[]},
     * {@code boolean[]} or {@code String[]}.
     */
    public Object value(String key) {
        Entry entry = require(key, "any value");
        return switch (entry.value) {
            case Double number when entry.type == GgufValueType.FLOAT32 -> number.floatValue();
            case int[] array -> array.clone();
            case long[] array -> array.clone();
            case float[] array -> array.clone();
            case double[] array -> array.clone();
            case boolean[] array -> array.clone();
            case String[] array -> array.clone();
            default -> entry.value;
        };
    }

    /** The text of a key. */
    public String string(String key) {
        return string(key, require(key, "a string"));
    }

    /** The text of a key, or the fallback if the key is missing. */
    public String string(String key, String fallback) {
        Entry entry = entries.get(key);
        return entry == null ? fallback : string(key, entry);
    }

    /** The whole number of a key, in the range of an int. */
    public int integer(String key) {
        return (int) whole(key, require(key, "a whole number"), Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    /** The whole number of a key, in the range of an int, or the fallback if the key is missing. */
    public int integer(String key, int fallback) {
        Entry entry = entries.get(key);
        return entry == null ? fallback : (int) whole(key, entry, Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    /** The whole number of a key, in the range of a long. */
    public long longInteger(String key) {
        return whole(key, require(key, "a whole number"), Long.MIN_VALUE, Long.MAX_VALUE);
    }

    /** The number of a key. */
    public float number(String key) {
        return number(key, require(key, "a number"));
    }

    /** The number of a key, or the fallback if the key is missing. */
    public float number(String key, float fallback) {
        Entry entry = entries.get(key);
        return entry == null ? fallback : number(key, entry);
    }

    /** The truth value of a key. */
    public boolean flag(String key) {
        return flag(key, require(key, "true or false"));
    }

    /** The truth value of a key, or the fallback if the key is missing. */
    public boolean flag(String key, boolean fallback) {
        Entry entry = entries.get(key);
        return entry == null ? fallback : flag(key, entry);
    }

    /** The strings of an array; a new array. */
    public String[] strings(String key) {
        Entry entry = require(key, "an array of strings");
        if (entry.value instanceof String[] strings) {
            return strings.clone();
        }
        throw wrongType(key, entry, "an array of strings");
    }

    /** The whole numbers of an array, each in the range of an int; a new array. */
    public int[] integers(String key) {
        Entry entry = require(key, "an array of whole numbers");
        if (entry.value instanceof int[] ints) {
            return ints.clone();
        }
        if (!(entry.value instanceof long[] longs)) {
            throw wrongType(key, entry, "an array of whole numbers");
        }
        int[] ints = new int[longs.length];
        for (int i = 0; i < longs.length; i++) {
            if (longs[i] != (int) longs[i]) {
                throw new CheckpointFormatException(file, "key %s at byte %d: element %d is %d; expected %d to %d".formatted(
                        Quoted.text(key), entry.byteOffset, i, longs[i], Integer.MIN_VALUE, Integer.MAX_VALUE));
            }
            ints[i] = (int) longs[i];
        }
        return ints;
    }

    /** The numbers of an array as float32; a new array. */
    public float[] floats(String key) {
        Entry entry = require(key, "an array of numbers");
        return switch (entry.value) {
            case float[] floats -> floats.clone();
            case double[] doubles -> {
                float[] floats = new float[doubles.length];
                for (int i = 0; i < doubles.length; i++) {
                    floats[i] = (float) doubles[i];
                }
                yield floats;
            }
            case int[] ints -> {
                float[] floats = new float[ints.length];
                for (int i = 0; i < ints.length; i++) {
                    floats[i] = ints[i];
                }
                yield floats;
            }
            case long[] longs -> {
                float[] floats = new float[longs.length];
                for (int i = 0; i < longs.length; i++) {
                    floats[i] = longs[i];
                }
                yield floats;
            }
            default -> throw wrongType(key, entry, "an array of numbers");
        };
    }

    /** The number of elements of an array of any type. */
    public int arrayLength(String key) {
        Entry entry = require(key, "an array");
        if (entry.type != GgufValueType.ARRAY) {
            throw wrongType(key, entry, "an array");
        }
        return Array.getLength(entry.value);
    }

    private Entry require(String key, String expected) {
        Entry entry = entries.get(key);
        if (entry == null) {
            throw new CheckpointFormatException(file, ("the metadata has no key %s; expected %s. The file is not a complete model of this"
                    + " kind; convert the original model again").formatted(Quoted.text(key), expected));
        }
        return entry;
    }

    private String string(String key, Entry entry) {
        if (entry.value instanceof String string) {
            return string;
        }
        throw wrongType(key, entry, "a string");
    }

    private float number(String key, Entry entry) {
        // A BigInteger is a whole number too, and a Double may be beyond float32: infinity says so.
        if (entry.value instanceof Number number) {
            return number.floatValue();
        }
        throw wrongType(key, entry, "a number");
    }

    private boolean flag(String key, Entry entry) {
        if (entry.value instanceof Boolean flag) {
            return flag;
        }
        throw wrongType(key, entry, "true or false");
    }

    private long whole(String key, Entry entry, long min, long max) {
        if (entry.value instanceof Long value && value >= min && value <= max) {
            return value;
        }
        if (entry.value instanceof Long || entry.value instanceof BigInteger) {
            throw new CheckpointFormatException(file, "key %s at byte %d is %s; expected %d to %d".formatted(
                    Quoted.text(key), entry.byteOffset, entry.value, min, max));
        }
        throw wrongType(key, entry, "a whole number");
    }

    private CheckpointFormatException wrongType(String key, Entry entry, String expected) {
        return new CheckpointFormatException(file, "key %s at byte %d has the type %s; expected %s".formatted(
                Quoted.text(key), entry.byteOffset, entry.typeName(), expected));
    }
}
