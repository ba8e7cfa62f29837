package dev.yangtuo.checkpoint;

import dev.yangtuo.tensor.RowCodec;
import dev.yangtuo.tensor.TensorType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Writes safetensors files for tests: valid ones from float arrays, and broken ones by overriding single fields. Tensors are written in the
 * order of the calls; nothing is checked.
 */
public final class SafetensorsBuilder {
    private record Tensor(String name, String dtype, long[] shape, byte[] data) {}

    private final List<String> extraEntries = new ArrayList<>();
    private final List<Tensor> tensors = new ArrayList<>();
    private final Map<String, long[]> offsets = new HashMap<>();
    private UnaryOperator<String> headerEdit = header -> header;
    private long headerLength = -1;
    private byte[] trailing = {};

    /** Adds a string to {@code __metadata__}; call it once. */
    public SafetensorsBuilder metadata(String key, String value) {
        return entry("\"__metadata__\":{\"%s\":\"%s\"}".formatted(key, value));
    }

    /** Adds {@code "name":value} to the header as it is. */
    public SafetensorsBuilder entry(String json) {
        extraEntries.add(json);
        return this;
    }

    /** Adds a tensor encoded from float32 as F32, F16 or BF16. */
    public SafetensorsBuilder tensor(String name, TensorType type, float[] values, long... shape) {
        byte[] data = new byte[Math.toIntExact(type.rowBytes(values.length))];
        RowCodec.encodeRows(type, values, 0, 1, values.length, MemorySegment.ofArray(data), 0);
        return rawTensor(name, type.name(), data, shape);
    }

    /** Adds a tensor of any dtype and bytes. */
    public SafetensorsBuilder rawTensor(String name, String dtype, byte[] data, long... shape) {
        tensors.add(new Tensor(name, dtype, shape, data));
        return this;
    }

    /** Overrides the offsets of a tensor; its data stay where they are. */
    public SafetensorsBuilder offsets(String tensorName, long begin, long end) {
        offsets.put(tensorName, new long[] {begin, end});
        return this;
    }

    /** Rewrites the header's text before its length is taken. */
    public SafetensorsBuilder header(UnaryOperator<String> edit) {
        this.headerEdit = edit;
        return this;
    }

    /** Overrides the header length. */
    public SafetensorsBuilder headerLength(long value) {
        this.headerLength = value;
        return this;
    }

    /** Appends bytes after the data. */
    public SafetensorsBuilder trailing(byte... value) {
        this.trailing = value;
        return this;
    }

    /** The file. */
    public byte[] build() {
        List<String> entries = new ArrayList<>(extraEntries);
        long position = 0;
        for (Tensor tensor : tensors) {
            long[] range = offsets.getOrDefault(tensor.name, new long[] {position, position + tensor.data.length});
            entries.add("\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}".formatted(
                    tensor.name, tensor.dtype, Arrays.toString(tensor.shape), range[0], range[1]));
            position += tensor.data.length;
        }
        byte[] header = headerEdit.apply("{" + String.join(",", entries) + "}").getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(GgufBuilder.little(8).putLong(headerLength < 0 ? header.length : headerLength).array());
        out.writeBytes(header);
        tensors.forEach(tensor -> out.writeBytes(tensor.data));
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
}
