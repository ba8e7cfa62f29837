package dev.yangtuo.batch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A Parquet file cannot be appended to: its index is at its end. So results are kept as JSON lines beside it, from which a run can be resumed, until all are there; then they
 * become the file.
 */
final class ParquetOutput {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private ParquetOutput() {}

    /** Where results are until all are there. */
    static Path records(Path output) {
        return output.resolveSibling(output.getFileName() + ".records");
    }

    /**
     * Writes the file of all results.
     *
     * @param prompts whether they have prompts
     */
    static void write(Path output, boolean prompts) throws IOException {
        Path records = records(output);
        List<ParquetColumn> columns = new ArrayList<>();
        columns.add(new ParquetColumn("id", true));
        if (prompts) {
            columns.add(new ParquetColumn("prompt", true));
        }
        columns.add(new ParquetColumn("text", true));
        columns.add(new ParquetColumn("finish_reason", true));
        columns.add(new ParquetColumn("prompt_tokens", false));
        columns.add(new ParquetColumn("completion_tokens", false));
        columns.add(new ParquetColumn("error", true));
        try (InputLines lines = new InputLines(Files.newInputStream(records), Integer.MAX_VALUE - 8, false);
                ParquetFile file = ParquetFile.create(output, Files.size(records), columns)) {
            while (lines.advance()) {
                JsonNode record = MAPPER.readTree(lines.line());
                List<@Nullable String> values = new ArrayList<>();
                columns.forEach(column -> values.add(record.hasNonNull(column.name()) ? record.get(column.name()).asText() : null));
                file.addRow(values);
            }
            file.complete();
        }
    }

    /** Deletes what is no longer needed. */
    static void deleteRecords(Path output) {
        try {
            Files.deleteIfExists(OutputLog.journal(records(output)));
            Files.deleteIfExists(records(output));
        } catch (IOException e) {
            throw new YangtuoException("%s: cannot be deleted: %s".formatted(records(output), e.getMessage()), e);
        }
    }
}
