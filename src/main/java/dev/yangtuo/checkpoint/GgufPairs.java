package dev.yangtuo.checkpoint;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** The metadata of a GGUF file that is being made, in the order in which keys were first put; a key that is put again has the later value. */
public final class GgufPairs {
    /** Type and value as the file has them, by key. */
    private final Map<String, byte[]> values = new LinkedHashMap<>();

    /** Whether there is a value. */
    public boolean contains(String key) {
        return values.containsKey(key);
    }

    int size() {
        return values.size();
    }

    void forEach(BiConsumer<String, byte[]> action) {
        values.forEach(action);
    }

    /** A text. */
    public GgufPairs put(String key, String value) {
        return put(key, GgufValueType.STRING, out -> writeString(out, value));
    }

    /** A number from 0 on, UINT32. */
    public GgufPairs put(String key, int value) {
        if (value < 0) {
            throw new IllegalArgumentException("%s is %d, must not be negative".formatted(key, value));
        }
        return put(key, GgufValueType.UINT32, out -> writeInt(out, value));
    }

    /** A number, FLOAT32. */
    public GgufPairs put(String key, float value) {
        return put(key, GgufValueType.FLOAT32, out -> writeInt(out, Float.floatToRawIntBits(value)));
    }

    /** Yes or no. */
    public GgufPairs put(String key, boolean value) {
        return put(key, GgufValueType.BOOL, out -> out.write(value ? 1 : 0));
    }

    /** Texts. */
    public GgufPairs put(String key, List<String> texts) {
        return putArray(key, GgufValueType.STRING, texts.size(), out -> texts.forEach(text -> writeString(out, text)));
    }

    /** Numbers, INT32. */
    public GgufPairs put(String key, int[] numbers) {
        return putArray(key, GgufValueType.INT32, numbers.length, out -> {
            for (int number : numbers) {
                writeInt(out, number);
            }
        });
    }

    /** Numbers, FLOAT32. */
    public GgufPairs put(String key, float[] numbers) {
        return putArray(key, GgufValueType.FLOAT32, numbers.length, out -> {
            for (float number : numbers) {
                writeInt(out, Float.floatToRawIntBits(number));
            }
        });
    }

    /** Yes or no for each, BOOL. */
    public GgufPairs put(String key, boolean[] flags) {
        return putArray(key, GgufValueType.BOOL, flags.length, out -> {
            for (boolean flag : flags) {
                out.write(flag ? 1 : 0);
            }
        });
    }

    /** Bytes, UINT8. */
    public GgufPairs put(String key, byte[] bytes) {
        return putArray(key, GgufValueType.UINT8, bytes.length, out -> out.writeBytes(bytes));
    }

    /** A value as another file has it, byte for byte. */
    public GgufPairs copy(GgufCheckpoint from, String key) {
        values.put(key, from.value(key));
        return this;
    }

    /** An array of texts as another file has it, byte for byte, also where it is no UTF-8, with more behind it. */
    public GgufPairs copyStrings(GgufCheckpoint from, String key, List<String> more) {
        byte[] value = from.value(key);
        ByteBuffer head = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
        if (head.getInt(0) != GgufValueType.ARRAY.ordinal() || head.getInt(Integer.BYTES) != GgufValueType.STRING.ordinal()) {
            throw new IllegalArgumentException(key + " is no array of strings");
        }
        int countAt = 2 * Integer.BYTES;
        head.putLong(countAt, head.getLong(countAt) + more.size());
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(value);
        more.forEach(text -> writeString(out, text));
        values.put(key, out.toByteArray());
        return this;
    }

    private GgufPairs putArray(String key, GgufValueType elementType, int length, Consumer<ByteArrayOutputStream> elements) {
        return put(key, GgufValueType.ARRAY, out -> {
            writeInt(out, elementType.ordinal());
            writeLong(out, length);
            elements.accept(out);
        });
    }

    private GgufPairs put(String key, GgufValueType type, Consumer<ByteArrayOutputStream> value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        writeInt(out, type.ordinal());
        value.accept(out);
        values.put(key, out.toByteArray());
        return this;
    }

    static void writeString(ByteArrayOutputStream out, String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        writeLong(out, utf8.length);
        out.writeBytes(utf8);
    }

    static void writeInt(ByteArrayOutputStream out, int value) {
        for (int shift = 0; shift < Integer.SIZE; shift += 8) {
            out.write(value >>> shift);
        }
    }

    static void writeLong(ByteArrayOutputStream out, long value) {
        writeInt(out, (int) value);
        writeInt(out, (int) (value >>> 32));
    }
}
