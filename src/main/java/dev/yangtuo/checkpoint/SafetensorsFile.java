package dev.yangtuo.checkpoint;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.yangtuo.checkpoint.StrictJson.UnexpectedJson;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.tensor.TensorType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One safetensors file: 8 bytes length of the header (little-endian), the header (a JSON object of tensor name to type, shape and
 * offsets), then the data. As the format demands, the tensors cover the data without gap, overlap or rest, so that a file cut
 * anywhere is refused.
 *
 * @param path the file
 * @param bytes the whole file
 * @param table its tensors
 * @param metadata the header's {@code __metadata__}, strings only
 */
record SafetensorsFile(Path path, MemorySegment bytes, TensorTable table, Map<String, String> metadata) {
    private static final String METADATA = "__metadata__";
    private static final String INCOMPLETE = "The download is probably incomplete; download the file again";
    /** The format's own limit. */
    private static final long MAX_HEADER_BYTES = 100_000_000;
    private static final int LENGTH_BYTES = Long.BYTES;
    private static final int MAX_DIMENSIONS = 64;

    /** One tensor as the header gives it; begin and end are relative to the data. */
    private record Entry(String name, SafetensorsType type, List<Long> shape, long begin, long end) {}

    /**
     * Maps and checks a file.
     *
     * @throws CheckpointFormatException if the file is missing, not safetensors, damaged or incomplete
     */
    static SafetensorsFile read(Path path, Arena arena) {
        MappedFile file = MappedFile.map(path, "a safetensors file", arena);
        return file.reading("the header", () -> new Reader(file).read());
    }

    /** The state of reading one header. */
    private static final class Reader {
        private final MappedFile file;
        private final Map<String, String> metadata = new LinkedHashMap<>();
        private final List<Entry> entries = new ArrayList<>();
        private long dataOffset;

        Reader(MappedFile file) {
            this.file = file;
        }

        SafetensorsFile read() {
            byte[] header = header();
            try (JsonParser json = StrictJson.parser(header)) {
                readHeader(json);
            } catch (UnexpectedJson e) {
                throw damaged(LENGTH_BYTES + e.byteOffset, e.getMessage() + ". The header is damaged; download the file again");
            } catch (JsonProcessingException e) {
                throw damaged(LENGTH_BYTES + Math.max(0, e.getLocation() == null ? 0 : e.getLocation().getByteOffset()),
                        "the header is not valid JSON: %s. Download the file again".formatted(e.getOriginalMessage()));
            } catch (IOException e) {
                throw new CheckpointFormatException(file.path(), "the header cannot be read: " + e.getMessage(), e);
            }
            checkCoverage();
            return new SafetensorsFile(file.path(), file.bytes(), table(), Map.copyOf(metadata));
        }

        private byte[] header() {
            long size = file.size();
            if (size < LENGTH_BYTES) {
                throw damaged(0, "the file has %d bytes; expected 8 bytes of header length. %s".formatted(size, INCOMPLETE));
            }
            FileKind kind = FileKind.of(file.bytes());
            if (kind != FileKind.SAFETENSORS && kind != FileKind.OTHER) {
                throw damaged(0, "expected a safetensors file, but this is " + kind.description);
            }
            long length = file.bytes().get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
            if (length < 2 || length > MAX_HEADER_BYTES) {
                throw damaged(0, "the header length is %s; expected 2 to %d. This is not a safetensors file, or it is damaged".formatted(
                        Long.toUnsignedString(length), MAX_HEADER_BYTES));
            }
            if (length > size - LENGTH_BYTES) {
                throw damaged(0, "the header has %d bytes, but the file has only %d after its first 8. %s".formatted(
                        length, size - LENGTH_BYTES, INCOMPLETE));
            }
            dataOffset = LENGTH_BYTES + length;
            byte[] header = file.bytes().asSlice(LENGTH_BYTES, length).toArray(ValueLayout.JAVA_BYTE);
            // A zero byte would make the parser guess UTF-16 or UTF-32.
            if (header[0] != '{' || header[1] == 0) {
                throw damaged(LENGTH_BYTES, "the header does not begin with '{'. This is not a safetensors file, or it is damaged");
            }
            return header;
        }

        private void readHeader(JsonParser json) throws IOException {
            json.nextToken();
            StrictJson.expect(json, JsonToken.START_OBJECT, "header");
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                json.nextToken();
                if (name.equals(METADATA)) {
                    readMetadata(json);
                } else {
                    entries.add(readEntry(json, name));
                    if (entries.size() > TensorTable.MAX_TENSORS) {
                        throw damaged(LENGTH_BYTES, "more than %d tensors; expected at most that".formatted(TensorTable.MAX_TENSORS));
                    }
                }
            }
            if (json.nextToken() != null) {
                throw new UnexpectedJson("header: expected nothing after the closing brace", json.currentTokenLocation().getByteOffset());
            }
        }

        /** Nothing depends on the metadata; what is not a string is left out. */
        private void readMetadata(JsonParser json) throws IOException {
            if (json.currentToken() != JsonToken.START_OBJECT) {
                json.skipChildren();
                return;
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String key = json.currentName();
                if (json.nextToken() == JsonToken.VALUE_STRING) {
                    metadata.put(key, json.getText());
                } else {
                    json.skipChildren();
                }
            }
        }

        private Entry readEntry(JsonParser json, String name) throws IOException {
            String quoted = "tensor " + Quoted.text(name);
            long at = json.currentTokenLocation().getByteOffset();
            StrictJson.expect(json, JsonToken.START_OBJECT, quoted);
            @Nullable SafetensorsType type = null;
            @Nullable List<Long> shape = null;
            @Nullable List<Long> offsets = null;
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String field = json.currentName();
                json.nextToken();
                switch (field) {
                    case "dtype" -> type = readType(json, quoted);
                    case "shape" -> shape = readNumbers(json, quoted + ", shape", MAX_DIMENSIONS);
                    case "data_offsets" -> offsets = readNumbers(json, quoted + ", data_offsets", 2);
                    default -> json.skipChildren();
                }
            }
            if (type == null || shape == null || offsets == null) {
                throw new UnexpectedJson("%s: expected dtype, shape and data_offsets, %s is missing".formatted(
                        quoted, type == null ? "dtype" : shape == null ? "shape" : "data_offsets"), at);
            }
            if (offsets.size() != 2) {
                throw new UnexpectedJson("%s, data_offsets: expected 2 numbers, found %d".formatted(quoted, offsets.size()), at);
            }
            Entry entry = new Entry(name, type, shape, offsets.get(0), offsets.get(1));
            checkEntry(entry, LENGTH_BYTES + at);
            return entry;
        }

        private static SafetensorsType readType(JsonParser json, String quoted) throws IOException {
            StrictJson.expect(json, JsonToken.VALUE_STRING, quoted + ", dtype");
            String name = json.getText();
            SafetensorsType type = SafetensorsType.named(name);
            if (type == null) {
                throw new UnexpectedJson("%s: dtype %s is unknown".formatted(quoted, Quoted.text(name)),
                        json.currentTokenLocation().getByteOffset());
            }
            return type;
        }

        private static List<Long> readNumbers(JsonParser json, String what, int limit) throws IOException {
            StrictJson.expect(json, JsonToken.START_ARRAY, what);
            List<Long> numbers = new ArrayList<>();
            while (json.nextToken() != JsonToken.END_ARRAY) {
                StrictJson.expect(json, JsonToken.VALUE_NUMBER_INT, what);
                if (json.getNumberType() == JsonParser.NumberType.BIG_INTEGER || json.getLongValue() < 0) {
                    throw new UnexpectedJson("%s: expected 0 to %d, found %s".formatted(what, Long.MAX_VALUE, json.getText()),
                            json.currentTokenLocation().getByteOffset());
                }
                numbers.add(json.getLongValue());
                if (numbers.size() > limit) {
                    throw new UnexpectedJson("%s: expected at most %d numbers".formatted(what, limit),
                            json.currentTokenLocation().getByteOffset());
                }
            }
            return numbers;
        }

        private void checkEntry(Entry entry, long byteOffset) {
            String quoted = "tensor " + Quoted.text(entry.name);
            if (entry.begin > entry.end) {
                throw damaged(byteOffset, "%s: data_offsets [%d, %d] end before they begin".formatted(quoted, entry.begin, entry.end));
            }
            long dataBytes = file.size() - dataOffset;
            if (entry.end > dataBytes) {
                throw damaged(byteOffset, "%s: data_offsets [%d, %d] end outside the file, which has %d bytes of data. %s".formatted(
                        quoted, entry.begin, entry.end, dataBytes, INCOMPLETE));
            }
            long bits;
            try {
                bits = entry.type.bits;
                for (long dimension : entry.shape) {
                    bits = Math.multiplyExact(bits, dimension);
                }
            } catch (ArithmeticException e) {
                throw damaged(byteOffset, "%s: the size of shape %s overflows 64 bits".formatted(quoted, entry.shape));
            }
            if (bits % 8 != 0 || bits / 8 != entry.end - entry.begin) {
                throw damaged(byteOffset, "%s: %s of shape %s needs %s bytes, but data_offsets [%d, %d] give it %d".formatted(quoted,
                        entry.type, entry.shape, bits % 8 == 0 ? bits / 8 : bits + "/8", entry.begin, entry.end, entry.end - entry.begin));
            }
        }

        /** The tensors, ordered by place, must follow each other from the first byte of the data to the last. */
        private void checkCoverage() {
            entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
            long position = 0;
            for (Entry entry : entries) {
                if (entry.begin != position) {
                    throw damaged(dataOffset + entry.begin, "tensor %s begins at %d of the data, but the one before it ends at %d: they %s"
                            .formatted(Quoted.text(entry.name), entry.begin, position, entry.begin < position
                                    ? "overlap. The header is damaged" : "leave a gap. The header is damaged"));
                }
                position = entry.end;
            }
            long dataBytes = file.size() - dataOffset;
            if (position != dataBytes) {
                throw damaged(dataOffset + position, "the tensors end at %d of the data, but the file has %d bytes of data. The file is damaged"
                        .formatted(position, dataBytes));
            }
        }

        private TensorTable table() {
            TensorTable table = new TensorTable();
            for (Entry entry : entries) {
                long byteOffset = dataOffset + entry.begin;
                long byteSize = entry.end - entry.begin;
                TensorType readAs = entry.type.readAs;
                if (readAs != null) {
                    table.add(new TensorInfo(entry.name, readAs, entry.shape, file.path(), byteOffset, byteSize));
                } else {
                    table.add(new UnreadableTensor(entry.name, entry.type.name(), entry.shape, file.path(), byteOffset, byteSize));
                }
            }
            return table;
        }

        private CheckpointFormatException damaged(long byteOffset, String problem) {
            return new CheckpointFormatException(file.path(), "at byte %d: %s".formatted(byteOffset, problem));
        }
    }
}
