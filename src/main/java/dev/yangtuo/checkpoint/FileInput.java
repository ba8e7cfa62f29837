package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;

/**
 * A position in a mapped file, or in a part of it, that moves as little-endian values are read; nothing is read or allocated beyond the end.
 * Positions count from the beginning of the file.
 */
final class FileInput {
    /**
     * Values are taken from a copy of so many bytes. A model's vocabulary is some hundred thousand of them, read once, mostly before the JVM has compiled
     * anything, and until then a value of an array takes a tenth of the time that one of a segment takes.
     */
    private static final int WINDOW_BYTES = 1 << 16;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path file;
    /** The whole file. */
    private final MemorySegment bytes;
    private final long end;
    /** What ends at {@code end}, for messages. */
    private final String whole;
    private long byteOffset;
    /** The bytes of the file from {@code windowBegin} on. */
    private byte[] window = new byte[0];
    private long windowBegin;

    FileInput(MappedFile file) {
        this(file, 0, file.size(), "the file");
    }

    /**
     * A part of a file.
     *
     * @param begin its first byte
     * @param end the byte after its last; at most the file's size
     * @param whole what the part is, for messages
     */
    FileInput(MappedFile file, long begin, long end, String whole) {
        this.file = file.path();
        this.bytes = file.bytes();
        this.byteOffset = begin;
        this.end = Objects.checkIndex(end, file.size() + 1);
        this.whole = whole;
    }

    long byteOffset() {
        return byteOffset;
    }

    long remaining() {
        return end - byteOffset;
    }

    byte readByte(String what) {
        int at = inWindow(Byte.BYTES, what);
        return window[at];
    }

    short readShort(String what) {
        int at = inWindow(Short.BYTES, what);
        return (short) (window[at] & 0xFF | window[at + 1] << 8);
    }

    int readInt(String what) {
        return intAt(inWindow(Integer.BYTES, what));
    }

    long readLong(String what) {
        int at = inWindow(Long.BYTES, what);
        return Integer.toUnsignedLong(intAt(at)) | (long) intAt(at + Integer.BYTES) << 32;
    }

    /**
     * Reads an unsigned 64-bit count of things that follow.
     *
     * @param minBytes the fewest bytes that one of them can take, so that a count that the file cannot hold is refused
     * @param limit the most that are accepted, at most {@link Integer#MAX_VALUE}
     */
    int readCount(String what, int minBytes, int limit) {
        long at = byteOffset;
        long count = readLong(what);
        if (count < 0 || count > remaining() / minBytes) {
            throw damaged(at, "%s: %s announces %s, but the %d bytes that follow hold at most %d. It is damaged or incomplete".formatted(
                    what, whole, Long.toUnsignedString(count), remaining(), remaining() / minBytes));
        }
        if (count > limit) {
            throw damaged(at, "%s: %s announces %d; at most %d are accepted. It is damaged".formatted(what, whole, count, limit));
        }
        return (int) count;
    }

    /** Reads a length and that many bytes of UTF-8; what is not UTF-8 becomes U+FFFD. */
    String readText(String what, int maxBytes) {
        int length = readCount(what, 1, maxBytes);
        if (length > WINDOW_BYTES) {
            return new String(readBytes(what, length), StandardCharsets.UTF_8);
        }
        int at = inWindow(length, what);
        return new String(window, at, length, StandardCharsets.UTF_8);
    }

    /** Reads so many texts; throws what {@link #readText} throws. In one loop, which is compiled while it runs: vocabularies have a hundred thousand. */
    String[] readTexts(String what, int count, int maxBytes) {
        String[] texts = new String[count];
        for (int i = 0; i < count; i++) {
            long left = windowBegin + window.length - byteOffset;
            int at = (int) (byteOffset - windowBegin);
            int length = left < Long.BYTES || byteOffset < windowBegin || intAt(at + Integer.BYTES) != 0 ? -1 : intAt(at);
            if (length < 0 || length > left - Long.BYTES || length > maxBytes) {
                texts[i] = readText(what, maxBytes);
            } else {
                texts[i] = new String(window, at + Long.BYTES, length, StandardCharsets.UTF_8);
                byteOffset += Long.BYTES + length;
            }
        }
        return texts;
    }

    /** Reads so many values of 32 bits. */
    int[] readInts(String what, int count) {
        int[] values = new int[count];
        MemorySegment.copy(bytes, INT, advance((long) Integer.BYTES * count, what), values, 0, count);
        return values;
    }

    /** Reads so many float32. */
    float[] readFloats(String what, int count) {
        float[] values = new float[count];
        MemorySegment.copy(bytes, FLOAT, advance((long) Float.BYTES * count, what), values, 0, count);
        return values;
    }

    /** Reads a key or a name: not empty, and valid UTF-8. */
    String readName(String what, int maxBytes) {
        long at = byteOffset;
        byte[] utf8 = readLengthAndBytes(what, maxBytes);
        if (utf8.length == 0) {
            throw damaged(at, what + " is empty");
        }
        return decode(utf8, at, what);
    }

    /** Reads so many bytes of valid UTF-8. */
    String readUtf8(String what, int length) {
        long at = byteOffset;
        return decode(readBytes(what, length), at, what);
    }

    private String decode(byte[] utf8, long at, String what) {
        try {
            return StandardCharsets.UTF_8.newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(utf8))
                    .toString();
        } catch (CharacterCodingException e) {
            throw damaged(at, what + " is not valid UTF-8. The file is damaged");
        }
    }

    private byte[] readLengthAndBytes(String what, int maxBytes) {
        return readBytes(what, readCount(what, 1, maxBytes));
    }

    private byte[] readBytes(String what, int length) {
        return bytes.asSlice(advance(length, what), length).toArray(ValueLayout.JAVA_BYTE);
    }

    /** Moves on without reading; a length that is negative is beyond the end. */
    void skip(String what, long length) {
        advance(length, what);
    }

    CheckpointFormatException damaged(long atByteOffset, String problem) {
        return new CheckpointFormatException(file, "at byte %d: %s".formatted(atByteOffset, problem));
    }

    /** Moves on by at most {@link #WINDOW_BYTES}, and returns where in the window the bytes begin. */
    private int inWindow(int length, String what) {
        long at = advance(length, what);
        if (at < windowBegin || at + length > windowBegin + window.length) {
            window = bytes.asSlice(at, Math.min(WINDOW_BYTES, end - at)).toArray(ValueLayout.JAVA_BYTE);
            windowBegin = at;
        }
        return (int) (at - windowBegin);
    }

    private int intAt(int at) {
        return window[at] & 0xFF | (window[at + 1] & 0xFF) << 8 | (window[at + 2] & 0xFF) << 16 | window[at + 3] << 24;
    }

    /** Moves on and returns where the value begins. */
    private long advance(long size, String what) {
        long at = byteOffset;
        if (size < 0 || size > remaining()) {
            throw damaged(at, "%s ends within %s (%s bytes needed, %d left). The download is probably incomplete; download it again"
                    .formatted(whole, what, Long.toUnsignedString(size), remaining()));
        }
        byteOffset += size;
        return at;
    }
}
