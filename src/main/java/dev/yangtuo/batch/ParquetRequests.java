package dev.yangtuo.batch;

import dev.hardwood.InputFile;
import dev.hardwood.metadata.PhysicalType;
import dev.hardwood.reader.ParquetFileReader;
import dev.hardwood.reader.RowReader;
import dev.hardwood.schema.ColumnProjection;
import dev.hardwood.schema.ColumnSchema;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The rows of a Parquet file, read by an optional library. */
final class ParquetRequests implements RequestReader {
    private static final String LIBRARY = "dev.hardwood.reader.ParquetFileReader";

    private final Path path;
    private final ParquetFileReader file;
    private final RowReader rows;
    private final @Nullable ColumnSchema ids;
    private final String promptColumn;
    private final int limit;
    private final long bytes;
    private final long count;
    private long row;

    private ParquetRequests(Path path, ParquetFileReader file, @Nullable ColumnSchema ids, String promptColumn, int limit, long bytes) {
        this.path = path;
        this.file = file;
        this.ids = ids;
        this.promptColumn = promptColumn;
        this.limit = limit;
        this.bytes = bytes;
        this.count = file.getFileMetaData().numRows();
        ColumnProjection columns = ids == null ? ColumnProjection.columns(promptColumn) : ColumnProjection.columns(ids.name(), promptColumn);
        this.rows = file.buildRowReader().projection(columns).build();
    }

    /**
     * Begins with the first row.
     *
     * @param limit bytes of a prompt at most
     * @throws YangtuoException if it is no Parquet file, has no column of prompts, or the library is not there
     */
    static ParquetRequests open(Path path, String idColumn, String promptColumn, int limit) throws IOException {
        requireLibrary();
        long bytes = Files.size(path);
        ParquetFileReader file = null;
        try {
            file = ParquetFileReader.open(InputFile.of(path));
            ColumnSchema prompts = column(file, promptColumn);
            if (prompts == null || prompts.type() != PhysicalType.BYTE_ARRAY) {
                String names = file.getFileSchema().getColumns().stream().map(ColumnSchema::name).collect(Collectors.joining(", "));
                throw new YangtuoException("%s: there is no column %s of texts; the columns are %s; say which of them holds prompts"
                        .formatted(path, RequestProblem.quoted(promptColumn), RequestProblem.quoted(names)));
            }
            return new ParquetRequests(path, file, column(file, idColumn), promptColumn, limit, bytes);
        } catch (IOException | RuntimeException e) {
            if (file != null) {
                file.close();
            }
            throw e instanceof YangtuoException ours ? ours : unreadable(path, e);
        }
    }

    private static void requireLibrary() {
        try {
            Class.forName(LIBRARY);
        } catch (ClassNotFoundException e) {
            throw new YangtuoException("Parquet files need the library dev.hardwood:hardwood-core, which is not on the class path; add it to the dependencies of your program,"
                    + " or use JSON lines", e);
        }
    }

    private static YangtuoException unreadable(Path path, Exception e) {
        return new YangtuoException("%s: is damaged, no Parquet file, or compressed in a way whose library is not on the class path: %s".formatted(path, e.getMessage()), e);
    }

    /** A column of the table itself; null if there is none. */
    private static @Nullable ColumnSchema column(ParquetFileReader file, String name) {
        List<ColumnSchema> columns = file.getFileSchema().getColumns();
        return columns.stream().filter(column -> column.fieldPath().elements().equals(List.of(name)) && column.maxRepetitionLevel() == 0).findFirst().orElse(null);
    }

    @Override
    public @Nullable InputRecord next() {
        try {
            if (!rows.hasNext()) {
                return null;
            }
            rows.next();
            row++;
            return read();
        } catch (RuntimeException e) {
            throw unreadable(path, e);
        }
    }

    private InputRecord read() {
        String where = "row " + row;
        long share = bytes / Math.max(1, count) + (row == count ? bytes % count : 0);
        InputRecord record = new InputRecord(row, where, RecordId.ofLine(row), share, InputRecord.Reply.COMPLETION, null, null);
        try {
            RecordId id = id().orElse(record.id());
            record = new InputRecord(row, where, id, share, InputRecord.Reply.COMPLETION, null, null);
            String prompt = rows.isNull(promptColumn) ? null : rows.getString(promptColumn);
            if (prompt == null) {
                throw RequestProblem.invalid("has no %s", promptColumn);
            }
            if (prompt.length() > limit) {
                return record.failing(BatchError.LINE_TOO_LONG, "the prompt is longer than %,d characters; shorten it, or allow longer lines".formatted(limit));
            }
            return new InputRecord(row, where, id, share, InputRecord.Reply.COMPLETION, BatchRequest.of(id.text(), prompt), null);
        } catch (RequestProblem e) {
            return record.failing(e.error(), String.valueOf(e.getMessage()));
        }
    }

    private Optional<RecordId> id() throws RequestProblem {
        if (ids == null || rows.isNull(ids.name())) {
            return Optional.empty();
        }
        return Optional.of(switch (ids.type()) {
            case BYTE_ARRAY -> RecordId.of(rows.getString(ids.name()));
            case INT32 -> new RecordId(Integer.toString(rows.getInt(ids.name())), true, true);
            case INT64 -> new RecordId(Long.toString(rows.getLong(ids.name())), true, true);
            default -> throw RequestProblem.invalid("%s is of type %s; ids are texts or whole numbers", ids.name(), ids.type());
        });
    }

    @Override
    public void close() throws IOException {
        try (file) {
            rows.close();
        }
    }
}
