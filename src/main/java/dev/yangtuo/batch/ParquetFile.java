package dev.yangtuo.batch;

import dev.yangtuo.checkpoint.OutputFile;
import dev.yangtuo.checkpoint.PendingFile;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes a Parquet file of texts and numbers, row by row; it has its name when it is complete. Plain values, compressed with gzip, row groups of some megabytes, one page
 * for each column of them: what every reader understands, so that no library is needed for it.
 *
 * <p>Source: {@code parquet.thrift} and {@code Encodings.md} of Apache Parquet's format.
 */
final class ParquetFile implements AutoCloseable {
    private static final byte[] MAGIC = "PAR1".getBytes(StandardCharsets.US_ASCII);
    private static final int GROUP_BYTES = 8 << 20;
    private static final int GROUP_ROWS = 1 << 20;
    private static final int OPTIONAL = 1;
    private static final int UTF8 = 0;

    private final PendingFile file;
    private final List<ParquetColumn> columns;
    private final List<Group> groups = new ArrayList<>();
    private int rows;
    private long allRows;
    private long end;

    /**
     * A row group that is in the file.
     *
     * @param described its columns, as the footer has them
     */
    private record Group(List<Described> described, long bytes, int rows) {}

    /** A column of it, without its bytes. */
    private record Described(ParquetColumn.Chunk chunk, long offset) {}

    private ParquetFile(PendingFile file, List<ParquetColumn> columns) {
        this.file = file;
        this.columns = columns;
        write(MAGIC);
    }

    /**
     * Begins a file.
     *
     * @param bytes that it will have at most
     */
    static ParquetFile create(Path path, long bytes, List<ParquetColumn> columns) {
        return new ParquetFile(PendingFile.create(path, bytes), columns);
    }

    private void write(byte[] bytes) {
        OutputFile out = file.out();
        out.write(end, MemorySegment.ofArray(bytes));
        end += bytes.length;
    }

    /** @param values one for each column, null where there is none */
    void addRow(List<@Nullable String> values) {
        for (int i = 0; i < values.size(); i++) {
            columns.get(i).add(values.get(i));
        }
        rows++;
        if (rows == GROUP_ROWS || columns.stream().mapToLong(ParquetColumn::size).sum() >= GROUP_BYTES) {
            endGroup();
        }
    }

    private void endGroup() {
        List<Described> described = new ArrayList<>();
        long bytes = 0;
        for (ParquetColumn column : columns) {
            ParquetColumn.Chunk chunk = column.toChunk();
            described.add(new Described(chunk.withoutBytes(), end));
            bytes += chunk.uncompressed();
            write(chunk.bytes());
        }
        groups.add(new Group(described, bytes, rows));
        allRows += rows;
        rows = 0;
    }

    /** Ends the file and gives it its name. */
    void complete() {
        if (rows > 0) {
            endGroup();
        }
        byte[] footer = footer();
        write(footer);
        write(ParquetColumn.littleEndian(footer.length));
        write(MAGIC);
        file.complete();
    }

    private byte[] footer() {
        ThriftCompact footer = new ThriftCompact().i32(1, 1).structList(2, columns.size() + 1);
        footer.beginElement().string(4, "results").i32(5, columns.size()).endStruct();
        for (ParquetColumn column : columns) {
            footer.beginElement().i32(1, column.isText() ? ParquetColumn.BYTE_ARRAY : ParquetColumn.INT32).i32(3, OPTIONAL).string(4, column.name());
            if (column.isText()) {
                footer.i32(6, UTF8).beginStruct(10).beginStruct(1).endStruct().endStruct();
            }
            footer.endStruct();
        }
        footer.i64(3, allRows).structList(4, groups.size());
        for (Group group : groups) {
            footer.beginElement().structList(1, group.described().size());
            group.described().forEach(each -> each.chunk().describe(footer, each.offset()));
            footer.i64(2, group.bytes()).i64(3, group.rows()).endStruct();
        }
        return footer.string(6, "yangtuo").toBytes();
    }

    /** Deletes what is not complete. */
    @Override
    public void close() {
        file.close();
    }
}
