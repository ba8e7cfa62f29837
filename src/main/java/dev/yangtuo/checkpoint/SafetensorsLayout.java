package dev.yangtuo.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.tensor.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Lays out a safetensors file: the length of the header, the header in JSON, the data without gaps. */
public final class SafetensorsLayout {
    /** The data begins at a multiple of it; the header is filled up with blanks. */
    private static final int ALIGNMENT = 8;

    private SafetensorsLayout() {}

    /**
     * Lays the tensors out in their order.
     *
     * @throws IllegalArgumentException if the format has no such type
     */
    public static TensorLayout of(List<PlannedTensor> tensors) {
        ObjectNode header = new ObjectMapper().createObjectNode();
        // Without it Hugging Face's own library does not say that the tensors are PyTorch's, and refuses the file.
        header.putObject("__metadata__").put("format", "pt");
        List<Long> offsets = new ArrayList<>();
        long end = 0;
        for (PlannedTensor tensor : tensors) {
            ObjectNode entry = header.putObject(tensor.name());
            entry.put("dtype", typeName(tensor.type()));
            tensor.shape().forEach(entry.putArray("shape")::add);
            offsets.add(end);
            end = Math.addExact(end, tensor.byteSize());
            entry.putArray("data_offsets").add(offsets.getLast()).add(end);
        }
        byte[] json = bytes(header);
        int length = (json.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        byte[] padded = Arrays.copyOf(json, length);
        Arrays.fill(padded, json.length, length, (byte) ' ');
        byte[] head = ByteBuffer.allocate(Long.BYTES + length).order(ByteOrder.LITTLE_ENDIAN).putLong(length).put(padded).array();
        return new TensorLayout(head, offsets.stream().map(offset -> head.length + offset).toList(), head.length + end);
    }

    private static byte[] bytes(ObjectNode header) {
        try {
            return new ObjectMapper().writeValueAsBytes(header);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a header of names and numbers is written as JSON", e);
        }
    }

    private static String typeName(TensorType type) {
        for (SafetensorsType candidate : SafetensorsType.values()) {
            if (candidate.readAs == type) {
                return candidate.name();
            }
        }
        throw new IllegalArgumentException("safetensors has no type for " + type);
    }
}
