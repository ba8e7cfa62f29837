package dev.yangtuo.checkpoint;

import dev.yangtuo.tensor.RowCodec;
import dev.yangtuo.tensor.TensorType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes GGUF files for tests: valid ones from float arrays, and broken ones by overriding single fields. Pairs and tensors are written in
 * the order of the calls; nothing is checked.
 */
public final class GgufBuilder {
    private record Tensor(String name, long[] fastestFirst, int typeId, byte[] data) {}

    private final List<byte[]> pairs = new ArrayList<>();
    private final List<Tensor> tensors = new ArrayList<>();
    private final Map<String, Long> offsets = new HashMap<>();
    private byte[] magic = "GGUF".getBytes(StandardCharsets.US_ASCII);
    private int version = 3;
    private int alignment = 32;
    private long tensorCount = -1;
    private long pairCount = -1;
    private byte[] trailing = {};
    private boolean bigEndian;

    /** Adds a pair: String, Boolean, Integer (UINT32), Long (INT64), Float, Double, String[], int[] (INT32), float[]. */
    public GgufBuilder put(String key, Object value) {
        return switch (value) {
            case String text -> pair(key, 8, string(text));
            case Boolean flag -> pair(key, 7, new byte[] {(byte) (flag ? 1 : 0)});
            case Integer number -> pair(key, 4, little(4).putInt(number).array());
            case Long number -> pair(key, 11, little(8).putLong(number).array());
            case Float number -> pair(key, 6, little(4).putFloat(number).array());
            case Double number -> pair(key, 12, little(8).putDouble(number).array());
            case String[] texts -> {
                ByteArrayOutputStream elements = new ByteArrayOutputStream();
                for (String text : texts) {
                    elements.writeBytes(string(text));
                }
                yield array(key, 8, texts.length, elements.toByteArray());
            }
            case int[] numbers -> {
                ByteBuffer elements = little(4 * numbers.length);
                for (int number : numbers) {
                    elements.putInt(number);
                }
                yield array(key, 5, numbers.length, elements.array());
            }
            case float[] numbers -> {
                ByteBuffer elements = little(4 * numbers.length);
                for (float number : numbers) {
                    elements.putFloat(number);
                }
                yield array(key, 6, numbers.length, elements.array());
            }
            default -> throw new IllegalArgumentException("no metadata type for " + value.getClass());
        };
    }

    /** Adds a pair of any type number with the bytes of its value as given. */
    public GgufBuilder pair(String key, int typeId, byte[] value) {
        byte[] name = string(key);
        return rawPair(little(name.length + 4 + value.length).put(name).putInt(typeId).put(value).array());
    }

    /** Adds the bytes of a pair as given: key, type and value. */
    public GgufBuilder rawPair(byte[] bytes) {
        pairs.add(bytes);
        return this;
    }

    /** Adds an array with any element type, length and bytes. */
    public GgufBuilder array(String key, int elementTypeId, long length, byte[] elements) {
        return pair(key, 9, little(12 + elements.length).putInt(elementTypeId).putLong(length).put(elements).array());
    }

    /** Sets the alignment and writes {@code general.alignment}. */
    public GgufBuilder alignment(int value) {
        this.alignment = value;
        return put("general.alignment", value);
    }

    /** Adds a tensor encoded from float32; the shape is slowest first. */
    public GgufBuilder tensor(String name, TensorType type, float[] values, long... shape) {
        int columns = (int) shape[shape.length - 1];
        int rows = values.length / columns;
        byte[] data = new byte[(int) (rows * type.rowBytes(columns))];
        RowCodec.encodeRows(type, values, 0, rows, columns, MemorySegment.ofArray(data), 0);
        int typeId = Arrays.stream(GgmlType.values()).filter(ggml -> ggml.readAs == type).findFirst().orElseThrow().id;
        long[] fastestFirst = new long[shape.length];
        for (int i = 0; i < shape.length; i++) {
            fastestFirst[i] = shape[shape.length - 1 - i];
        }
        return rawTensor(name, typeId, data, fastestFirst);
    }

    /** Adds a tensor of any type number, with dimensions in the order of the file (fastest first) and any bytes. */
    public GgufBuilder rawTensor(String name, int typeId, byte[] data, long... fastestFirst) {
        tensors.add(new Tensor(name, fastestFirst, typeId, data));
        return this;
    }

    /** Overrides the data offset of a tensor; its data stay where they are. */
    public GgufBuilder offset(String tensorName, long value) {
        offsets.put(tensorName, value);
        return this;
    }

    /** Overrides the first four bytes. */
    public GgufBuilder magic(String value) {
        this.magic = value.getBytes(StandardCharsets.US_ASCII);
        return this;
    }

    /** Overrides the version. */
    public GgufBuilder version(int value) {
        this.version = value;
        return this;
    }

    /** Writes version and counts big-endian. */
    public GgufBuilder bigEndian() {
        this.bigEndian = true;
        return this;
    }

    /** Overrides the number of tensors. */
    public GgufBuilder tensorCount(long value) {
        this.tensorCount = value;
        return this;
    }

    /** Overrides the number of pairs. */
    public GgufBuilder pairCount(long value) {
        this.pairCount = value;
        return this;
    }

    /** Appends bytes after the data. */
    public GgufBuilder trailing(byte... value) {
        this.trailing = value;
        return this;
    }

    /** The file. */
    public byte[] build() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(magic);
        out.writeBytes(ByteBuffer.allocate(20).order(bigEndian ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN)
                .putInt(version)
                .putLong(tensorCount < 0 ? tensors.size() : tensorCount)
                .putLong(pairCount < 0 ? pairs.size() : pairCount)
                .array());
        pairs.forEach(out::writeBytes);
        long position = 0;
        for (Tensor tensor : tensors) {
            out.writeBytes(string(tensor.name));
            out.writeBytes(little(4).putInt(tensor.fastestFirst.length).array());
            for (long dimension : tensor.fastestFirst) {
                out.writeBytes(little(8).putLong(dimension).array());
            }
            out.writeBytes(little(12)
                    .putInt(tensor.typeId)
                    .putLong(offsets.getOrDefault(tensor.name, position))
                    .array());
            position = padded(position + tensor.data.length);
        }
        for (Tensor tensor : tensors) {
            pad(out);
            out.writeBytes(tensor.data);
        }
        pad(out);
        out.writeBytes(trailing);
        return out.toByteArray();
    }

    /** Writes the file. */
    public Path write(Path file) {
        try {
            return Files.write(file, build());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The bytes of a string in GGUF: length and UTF-8. */
    public static byte[] string(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return little(8 + utf8.length).putLong(utf8.length).put(utf8).array();
    }

    /** An empty little-endian buffer. */
    public static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void pad(ByteArrayOutputStream out) {
        out.writeBytes(new byte[(int) (padded(out.size()) - out.size())]);
    }

    private long padded(long position) {
        return alignment < 1 ? position : (position + alignment - 1) / alignment * alignment;
    }
}
