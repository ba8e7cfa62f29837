package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * One GGUF file (version 2 or 3, little-endian): magic, version, counts, metadata, descriptions of the tensors, padding, data. The
 * tensors follow each other in the order of their descriptions, each padded to the alignment.
 *
 * @param path the file
 * @param bytes the whole file
 * @param version 2 or 3
 * @param metadata the key-value pairs
 * @param table its tensors
 */
record GgufFile(Path path, MemorySegment bytes, int version, GgufMetadata metadata, TensorTable table) {
    static final int MAGIC = 'G' | 'G' << 8 | 'U' << 16 | 'F' << 24;
    private static final String ALIGNMENT_KEY = "general.alignment";
    private static final int DEFAULT_ALIGNMENT = 32;
    private static final int MAX_ALIGNMENT = 1 << 30;
    private static final int MAX_DIMENSIONS = 4;
    /** GGML itself keeps 63 bytes, some of its derivatives more. */
    private static final int MAX_TENSOR_NAME_BYTES = 1024;
    /** The shortest description: a name of one character, one dimension. */
    private static final int MIN_DESCRIPTION_BYTES = Long.BYTES + 1 + Integer.BYTES + Long.BYTES + Integer.BYTES + Long.BYTES;

    /**
     * One tensor as described, before its place is known to be right.
     *
     * @param descriptionOffset where its description begins
     * @param shape slowest dimension first
     * @param dataOffset relative to the data
     */
    private record Description(long descriptionOffset, String name, GgmlType type, List<Long> shape, long byteSize, long dataOffset) {}

    /**
     * Maps and checks a file.
     *
     * @throws CheckpointFormatException if the file is missing, not GGUF, of a kind that is not supported, damaged or incomplete
     */
    static GgufFile read(Path path, Arena arena) {
        MappedFile file = MappedFile.map(path, "a GGUF file", arena);
        return file.reading("the header", () -> new Reader(file).read());
    }

    /** The state of reading one header. */
    private static final class Reader {
        private final MappedFile file;
        private final FileInput in;

        Reader(MappedFile file) {
            this.file = file;
            this.in = new FileInput(file);
        }

        GgufFile read() {
            int version = readVersion();
            int tensorCount = in.readCount("the number of tensors", MIN_DESCRIPTION_BYTES, TensorTable.MAX_TENSORS);
            int pairCount = in.readCount("the number of metadata pairs", GgufMetadataReader.MIN_PAIR_BYTES, GgufMetadataReader.MAX_PAIRS);
            GgufMetadata metadata = new GgufMetadata(file.path(), new GgufMetadataReader(in).read(pairCount));
            GgufVocabularyCheck.check(file.path(), metadata);
            int alignment = alignment(metadata);
            List<Description> descriptions = readDescriptions(tensorCount);
            return new GgufFile(file.path(), file.bytes(), version, metadata, place(descriptions, alignment));
        }

        private int readVersion() {
            int magic = in.readInt("the magic number");
            if (magic != MAGIC) {
                throw in.damaged(0, "the file does not begin with 'GGUF'; it is " + FileKind.of(file.bytes()).description);
            }
            int version = in.readInt("the version");
            if (version != 0 && (version & 0xffff) == 0) {
                throw in.damaged(4, ("the file is big-endian (version %d); only little-endian GGUF is supported."
                        + " Convert the original model again for little-endian machines").formatted(Integer.reverseBytes(version)));
            }
            if (version != 2 && version != 3) {
                throw in.damaged(4, "GGUF version %s is not supported; expected 2 or 3. Convert the original model again"
                        .formatted(Integer.toUnsignedString(version)));
            }
            return version;
        }

        private int alignment(GgufMetadata metadata) {
            int alignment = metadata.integer(ALIGNMENT_KEY, DEFAULT_ALIGNMENT);
            if (alignment < 1 || alignment > MAX_ALIGNMENT || Integer.bitCount(alignment) != 1) {
                throw new CheckpointFormatException(file.path(), "key '%s' is %d; expected a power of two from 1 to %d".formatted(
                        ALIGNMENT_KEY, alignment, MAX_ALIGNMENT));
            }
            return alignment;
        }

        private List<Description> readDescriptions(int count) {
            List<Description> descriptions = new ArrayList<>();
            Set<String> names = new HashSet<>();
            for (int i = 0; i < count; i++) {
                Description description = readDescription(i);
                if (!names.add(description.name)) {
                    throw in.damaged(description.descriptionOffset, "the tensor name %s occurs twice".formatted(Quoted.text(description.name)));
                }
                descriptions.add(description);
            }
            return descriptions;
        }

        private Description readDescription(int index) {
            long at = in.byteOffset();
            String name = in.readName("the name of tensor %d".formatted(index), MAX_TENSOR_NAME_BYTES);
            String what = "tensor " + Quoted.text(name);
            int dimensions = in.readInt(what + ", its number of dimensions");
            if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
                throw in.damaged(at, "%s has %s dimensions; expected 1 to %d".formatted(
                        what, Integer.toUnsignedString(dimensions), MAX_DIMENSIONS));
            }
            List<Long> fastestFirst = new ArrayList<>();
            for (int i = 0; i < dimensions; i++) {
                long dimension = in.readLong(what + ", its dimensions");
                if (dimension < 1) {
                    throw in.damaged(at, "%s has a dimension of %s; expected 1 to %d".formatted(
                            what, Long.toUnsignedString(dimension), Long.MAX_VALUE));
                }
                fastestFirst.add(dimension);
            }
            int typeId = in.readInt(what + ", its type");
            GgmlType type = GgmlType.ofId(typeId);
            if (type == null) {
                throw in.damaged(at, "%s has the type number %s, which is unknown or was removed from GGML. Convert the original model again"
                        .formatted(what, Integer.toUnsignedString(typeId)));
            }
            long byteSize = byteSize(at, what, type, fastestFirst);
            long dataOffset = in.readLong(what + ", its offset");
            return new Description(at, name, type, fastestFirst.reversed(), byteSize, dataOffset);
        }

        private long byteSize(long at, String what, GgmlType type, List<Long> fastestFirst) {
            long columns = fastestFirst.getFirst();
            if (columns % type.blockElements != 0) {
                throw in.damaged(at, "%s has rows of %d elements; type %s needs a multiple of %d".formatted(
                        what, columns, type, type.blockElements));
            }
            try {
                long elements = 1;
                for (long dimension : fastestFirst) {
                    elements = Math.multiplyExact(elements, dimension);
                }
                return Math.multiplyExact(elements / type.blockElements, (long) type.blockBytes);
            } catch (ArithmeticException e) {
                throw in.damaged(at, "%s: the size of its dimensions %s (fastest first) overflows 64 bits".formatted(what, fastestFirst));
            }
        }

        /** Checks that the data of the tensors follow each other inside the file. */
        private TensorTable place(List<Description> descriptions, int alignment) {
            TensorTable table = new TensorTable();
            long dataStart = padded(in.byteOffset(), alignment);
            long dataBytes = Math.max(0, file.size() - dataStart);
            long position = 0;
            for (Description tensor : descriptions) {
                String what = "tensor " + Quoted.text(tensor.name);
                if (tensor.dataOffset != position) {
                    throw in.damaged(tensor.descriptionOffset, ("%s has the data offset %s; expected %d, where the tensor before it ends"
                            + " (aligned to %d). The header is damaged").formatted(
                                    what, Long.toUnsignedString(tensor.dataOffset), position, alignment));
                }
                if (position > dataBytes || tensor.byteSize > dataBytes - position) {
                    throw in.damaged(tensor.descriptionOffset, ("%s needs the bytes %d to %s, but the file ends at %d. The download is probably"
                            + " incomplete; download it again").formatted(what, dataStart + position,
                                    Long.toUnsignedString(dataStart + position + tensor.byteSize), file.size()));
                }
                add(table, tensor, dataStart + position);
                position = padded(position + tensor.byteSize, alignment);
            }
            if (dataBytes > position) {
                throw in.damaged(dataStart + position, "%d bytes follow the last tensor; expected the end of the file. The file is damaged"
                        .formatted(dataBytes - position));
            }
            return table;
        }

        private void add(TensorTable table, Description tensor, long byteOffset) {
            TensorType readAs = tensor.type.readAs;
            if (readAs != null) {
                table.add(new TensorInfo(tensor.name, readAs, tensor.shape, file.path(), byteOffset, tensor.byteSize));
            } else {
                table.add(new UnreadableTensor(
                        tensor.name, tensor.type.name(), tensor.shape, file.path(), byteOffset, tensor.byteSize));
            }
        }

        /** Rounds up to the alignment, a power of two; positions are at most a file's size, so nothing overflows. */
        private static long padded(long byteOffset, int alignment) {
            return byteOffset + alignment - 1 & -(long) alignment;
        }
    }
}
