package dev.yangtuo.tokenizer;

import dev.yangtuo.exception.TokenizerFormatException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Reads the protobuf wire format, one message at a time, without a schema: the caller asks for the next tag and says what it expects
 * there. Nothing is allocated before its length has been compared with the bytes that are left. Every error names the byte offset
 * in the file.
 */
final class ProtoReader {
    static final int VARINT = 0;
    static final int FIXED64 = 1;
    static final int LENGTH_DELIMITED = 2;
    static final int START_GROUP = 3;
    static final int END_GROUP = 4;
    static final int FIXED32 = 5;

    /** Groups inside groups deeper than this are refused; protobuf's own limit. */
    private static final int MAX_GROUP_DEPTH = 100;

    private final Path file;
    private final byte[] data;
    private final String message;
    private final int end;
    private int position;
    private int tagOffset;
    private int field;
    private int wireType;
    private String plainText = "";
    private float plainScore;
    private int plainType;

    /** Reads a whole file, whose bytes are one message with that name. */
    ProtoReader(Path file, byte[] data, String message) {
        this(file, data, 0, data.length, message);
    }

    private ProtoReader(Path file, byte[] data, int start, int end, String message) {
        this.file = file;
        this.data = data;
        this.position = start;
        this.end = end;
        this.message = message;
    }

    /** Moves to the next field. {@return false at the end of the message} */
    boolean next() {
        if (position == end) {
            return false;
        }
        readTag();
        return true;
    }

    /**
     * Passes over a field of the form that trainers write for nearly every piece: number 1, in it a string 1 of less than 128 bytes, a fixed32 2
     * and perhaps a varint 3 below 128, in this order and nothing else. It is much faster than reading it field by field.
     *
     * @return whether it did; {@link #offset} and the methods that begin with "plain" then tell of it. Everything else is left to {@link #next}
     */
    boolean nextPlainPiece() {
        int at = position;
        if (end - at < 9 || data[at] != (1 << 3 | LENGTH_DELIMITED) || data[at + 2] != (1 << 3 | LENGTH_DELIMITED)) {
            return false;
        }
        int length = data[at + 1];
        int textLength = data[at + 3];
        int scoreAt = at + 4 + textLength;
        int pieceEnd = at + 2 + length;
        // A length of two bytes or more is negative here.
        if (textLength < 0 || pieceEnd > end || length != textLength + 7 && length != textLength + 9
                || data[scoreAt] != (2 << 3 | FIXED32)) {
            return false;
        }
        boolean hasType = length == textLength + 9;
        if (hasType && (data[scoreAt + 5] != (3 << 3 | VARINT) || data[scoreAt + 6] < 0)) {
            return false;
        }
        String text = new String(data, at + 4, textLength, StandardCharsets.UTF_8);
        if (mayBeInvalid(text)) {
            return false;
        }
        tagOffset = at;
        plainText = text;
        plainScore = floatAt(scoreAt + 1);
        plainType = hasType ? data[scoreAt + 6] : 1;
        position = pieceEnd;
        return true;
    }

    /** Whether bytes may have been invalid that were read as this text: they became U+FFFD. */
    private static boolean mayBeInvalid(String text) {
        return text.indexOf('\uFFFD') >= 0;
    }

    /** {@return the string of the plain piece} */
    String plainText() {
        return plainText;
    }

    /** {@return the fixed32 of the plain piece} */
    float plainScore() {
        return plainScore;
    }

    /** {@return the varint of the plain piece, 1 where there is none} */
    int plainType() {
        return plainType;
    }

    /** {@return number of the current field, at least 1} */
    int field() {
        return field;
    }

    /** {@return byte offset in the file of the current field's tag} */
    int offset() {
        return tagOffset;
    }

    /** {@return byte offset in the file of what is read next} */
    int position() {
        return position;
    }

    private void readTag() {
        tagOffset = position;
        long tag = varint();
        if (tag >>> 32 != 0 || tag >>> 3 == 0) {
            throw error(tagOffset, "the tag %s has no valid field number".formatted(Long.toUnsignedString(tag)));
        }
        field = (int) (tag >>> 3);
        wireType = (int) tag & 7;
    }

    /** {@return the value of the current field, a varint} */
    long readVarint(String name) {
        expect(VARINT, name);
        return varint();
    }

    boolean readBool(String name) {
        return readVarint(name) != 0;
    }

    float readFloat(String name) {
        expect(FIXED32, name);
        return floatAt(take(4, name));
    }

    private float floatAt(int start) {
        return Float.intBitsToFloat(data[start] & 0xFF | (data[start + 1] & 0xFF) << 8 | (data[start + 2] & 0xFF) << 16
                | (data[start + 3] & 0xFF) << 24);
    }

    /** {@return a reader of the message in the current field} */
    ProtoReader readMessage(String name) {
        expect(LENGTH_DELIMITED, name);
        int length = length(name);
        int start = take(length, name);
        return new ProtoReader(file, data, start, start + length, name);
    }

    byte[] readBytes(String name) {
        expect(LENGTH_DELIMITED, name);
        int length = length(name);
        byte[] bytes = new byte[length];
        System.arraycopy(data, take(length, name), bytes, 0, length);
        return bytes;
    }

    String readString(String name) {
        expect(LENGTH_DELIMITED, name);
        int length = length(name);
        int start = take(length, name);
        String text = new String(data, start, length, StandardCharsets.UTF_8);
        if (mayBeInvalid(text) && !Utf8.isValid(data, start, start + length)) {
            throw error(start, "%s is not valid UTF-8".formatted(name));
        }
        return text;
    }

    /** Passes over the current field, whatever it is. */
    void skip() {
        int depth = 0;
        do {
            switch (wireType) {
                case VARINT -> varint();
                case FIXED64 -> take(8, "field " + field);
                case LENGTH_DELIMITED -> take(length("field " + field), "field " + field);
                case FIXED32 -> take(4, "field " + field);
                case START_GROUP -> depth++;
                case END_GROUP -> depth--;
                default -> throw error(tagOffset, "field %d has the unknown wire type %d".formatted(field, wireType));
            }
            if (depth < 0) {
                throw error(tagOffset, "a group ends that did not begin");
            }
            if (depth > MAX_GROUP_DEPTH) {
                throw error(tagOffset, "groups are nested deeper than %d".formatted(MAX_GROUP_DEPTH));
            }
            if (depth > 0) {
                if (position == end) {
                    throw error(position, "%s ends inside a group".formatted(message));
                }
                readTag();
            }
        } while (depth > 0);
    }

    private void expect(int expected, String name) {
        if (wireType != expected) {
            throw error(tagOffset, "%s has wire type %d, expected %d".formatted(name, wireType, expected));
        }
    }

    private long varint() {
        int start = position;
        long value = 0;
        for (int shift = 0; shift < 70; shift += 7) {
            if (position == end) {
                throw error(start, "%s ends inside a number; the file may be truncated".formatted(message));
            }
            byte b = data[position++];
            value |= (long) (b & 0x7F) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw error(start, "a number is longer than 10 bytes");
    }

    private int length(String name) {
        int start = position;
        long length = varint();
        if (length < 0 || length > end - position) {
            throw error(start, "%s claims %s bytes, but only %d are left in %s; the file may be truncated".formatted(
                    name, Long.toUnsignedString(length), end - position, message));
        }
        return (int) length;
    }

    /** Passes over that many bytes. {@return the offset of the first} */
    private int take(int length, String name) {
        if (length > end - position) {
            throw error(position, "%s needs %d bytes, but only %d are left in %s; the file may be truncated".formatted(
                    name, length, end - position, message));
        }
        int start = position;
        position += length;
        return start;
    }

    TokenizerFormatException error(int byteOffset, String problem) {
        return new TokenizerFormatException(file, "at byte %d: %s".formatted(byteOffset, problem));
    }
}
