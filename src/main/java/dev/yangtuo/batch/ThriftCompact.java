package dev.yangtuo.batch;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Writes structs in Thrift's compact protocol, in which the headers of Parquet files are. Fields of a struct are written in ascending order of their ids.
 *
 * <p>Source: the protocol's specification, {@code doc/specs/thrift-compact-protocol.md} of Apache Thrift.
 */
final class ThriftCompact {
    private static final int I32 = 5;
    private static final int I64 = 6;
    private static final int BINARY = 8;
    private static final int LIST = 9;
    private static final int STRUCT = 12;
    /** Longer lists and wider steps between ids have a byte more. */
    private static final int SHORT = 15;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    /** The id before, of each struct that is open. */
    private final Deque<Integer> lastIds = new ArrayDeque<>();

    /** Begins with the outermost struct. */
    ThriftCompact() {
        lastIds.push(0);
    }

    private void header(int id, int type) {
        int step = id - lastIds.pop();
        if (step <= 0 || step > SHORT) {
            throw new IllegalArgumentException("field %d does not follow %d".formatted(id, id - step));
        }
        out.write(step << 4 | type);
        lastIds.push(id);
    }

    private void varint(long value) {
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            out.write((int) (rest & 0x7F | 0x80));
            rest >>>= 7;
        }
        out.write((int) rest);
    }

    private void zigzag(long value) {
        varint(value << 1 ^ value >> 63);
    }

    private void text(String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        varint(bytes.length);
        out.writeBytes(bytes);
    }

    ThriftCompact i32(int id, int value) {
        header(id, I32);
        zigzag(value);
        return this;
    }

    ThriftCompact i64(int id, long value) {
        header(id, I64);
        zigzag(value);
        return this;
    }

    ThriftCompact string(int id, String value) {
        header(id, BINARY);
        text(value);
        return this;
    }

    private void list(int id, int elementType, int size) {
        header(id, LIST);
        if (size < SHORT) {
            out.write(size << 4 | elementType);
        } else {
            out.write(SHORT << 4 | elementType);
            varint(size);
        }
    }

    ThriftCompact i32List(int id, int... values) {
        list(id, I32, values.length);
        for (int value : values) {
            zigzag(value);
        }
        return this;
    }

    ThriftCompact stringList(int id, String... values) {
        list(id, BINARY, values.length);
        for (String value : values) {
            text(value);
        }
        return this;
    }

    /** Each element is then written between {@link #beginElement} and {@link #endStruct}. */
    ThriftCompact structList(int id, int size) {
        list(id, STRUCT, size);
        return this;
    }

    ThriftCompact beginElement() {
        lastIds.push(0);
        return this;
    }

    ThriftCompact beginStruct(int id) {
        header(id, STRUCT);
        lastIds.push(0);
        return this;
    }

    ThriftCompact endStruct() {
        out.write(0);
        lastIds.pop();
        return this;
    }

    /** Ends the outermost struct. */
    byte[] toBytes() {
        endStruct();
        return out.toByteArray();
    }
}
