package dev.yangtuo.batch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/** One column of a Parquet file, and its values in the row group that is being filled. Values are texts or whole numbers of 32 bits, and may be missing. */
final class ParquetColumn {
    static final int INT32 = 1;
    static final int BYTE_ARRAY = 6;
    private static final int PLAIN = 0;
    private static final int RLE = 3;
    private static final int GZIP = 2;

    private final String name;
    private final boolean isText;
    /** Values that are there, PLAIN: numbers as four bytes, the lowest first; texts with their lengths before them. */
    private final ByteArrayOutputStream values = new ByteArrayOutputStream();
    private final BitSet present = new BitSet();
    private int rows;

    ParquetColumn(String name, boolean isText) {
        this.name = name;
        this.isText = isText;
    }

    String name() {
        return name;
    }

    boolean isText() {
        return isText;
    }

    /** @param value null where there is none; a number's digits for a column of numbers */
    void add(@Nullable String value) {
        if (value != null) {
            present.set(rows);
            if (isText) {
                byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
                values.writeBytes(littleEndian(bytes.length));
                values.writeBytes(bytes);
            } else {
                values.writeBytes(littleEndian(Integer.parseInt(value)));
            }
        }
        rows++;
    }

    /** Bytes of the values so far. */
    int size() {
        return values.size();
    }

    static byte[] littleEndian(int value) {
        return ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
    }

    /**
     * What the footer says of a column in a row group.
     *
     * @param bytes the page with its header, as it stands in the file; empty when it is written
     * @param size how many of these there are
     * @param uncompressed how many there would be without compression
     */
    record Chunk(ParquetColumn column, int rows, byte[] bytes, int size, int uncompressed) {
        Chunk withoutBytes() {
            return new Chunk(column, rows, new byte[0], size, uncompressed);
        }

        /** @param offset where it begins in the file */
        void describe(ThriftCompact footer, long offset) {
            footer.beginElement().i64(2, offset).beginStruct(3)
                    .i32(1, column.isText ? BYTE_ARRAY : INT32)
                    .i32List(2, PLAIN, RLE)
                    .stringList(3, column.name)
                    .i32(4, GZIP)
                    .i64(5, rows)
                    .i64(6, uncompressed)
                    .i64(7, size)
                    .i64(9, offset)
                    .endStruct().endStruct();
        }
    }

    /** Ends the row group: one page with all its values. */
    Chunk toChunk() {
        ByteArrayOutputStream page = new ByteArrayOutputStream();
        page.writeBytes(levels());
        page.writeBytes(values.toByteArray());
        byte[] compressed = gzip(page.toByteArray());
        byte[] header = new ThriftCompact().i32(1, 0).i32(2, page.size()).i32(3, compressed.length)
                .beginStruct(5).i32(1, rows).i32(2, PLAIN).i32(3, RLE).i32(4, RLE).endStruct().toBytes();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(header);
        bytes.writeBytes(compressed);
        Chunk chunk = new Chunk(this, rows, bytes.toByteArray(), bytes.size(), header.length + page.size());
        values.reset();
        present.clear();
        rows = 0;
        return chunk;
    }

    /** Definition levels: 1 where there is a value. One bit-packed run, eight of them a byte, the first in the lowest bit; the length before it. */
    private byte[] levels() {
        int groups = (rows + 7) / 8;
        ByteArrayOutputStream run = new ByteArrayOutputStream();
        int rest = groups << 1 | 1;
        while ((rest & ~0x7F) != 0) {
            run.write(rest & 0x7F | 0x80);
            rest >>>= 7;
        }
        run.write(rest);
        byte[] bits = present.toByteArray();
        run.writeBytes(bits);
        run.writeBytes(new byte[groups - bits.length]);
        ByteArrayOutputStream levels = new ByteArrayOutputStream();
        levels.writeBytes(littleEndian(run.size()));
        levels.writeBytes(run.toByteArray());
        return levels.toByteArray();
    }

    private static byte[] gzip(byte[] bytes) {
        ByteArrayOutputStream compressed = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
            gzip.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory has none
        }
        return compressed.toByteArray();
    }
}
