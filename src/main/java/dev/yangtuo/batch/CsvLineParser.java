package dev.yangtuo.batch;

import dev.yangtuo.exception.YangtuoException;
import java.util.Arrays;
import java.util.Collections;
import java.util.Optional;

/** Records of a CSV file whose first one names the columns. Columns that nobody asked for are passed over. */
final class CsvLineParser implements LineParser {
    private final Csv csv;
    private final int columns;
    private final int idColumn;
    private final int promptColumn;

    private CsvLineParser(Csv csv, int columns, int idColumn, int promptColumn) {
        this.csv = csv;
        this.columns = columns;
        this.idColumn = idColumn;
        this.promptColumn = promptColumn;
    }

    /**
     * Reads the header.
     *
     * @param idName name of the column of ids; records have none if there is no such column
     * @param promptName name of the column of prompts
     * @throws RequestProblem if the header is none
     * @throws YangtuoException if there is no column of prompts, or two of a name
     */
    static CsvLineParser of(Csv csv, String name, byte[] header, String idName, String promptName) throws RequestProblem {
        String[] names = csv.fields(header);
        for (String wanted : new String[] {idName, promptName}) {
            if (Collections.frequency(Arrays.asList(names), wanted) > 1) {
                throw new YangtuoException("%s, line 1: there are several columns %s; give them different names".formatted(name, RequestProblem.quoted(wanted)));
            }
        }
        int prompt = Arrays.asList(names).indexOf(promptName);
        if (prompt < 0) {
            throw new YangtuoException("%s, line 1: there is no column %s; the columns are %s; say which of them holds prompts"
                    .formatted(name, RequestProblem.quoted(promptName), RequestProblem.quoted(String.join(", ", names))));
        }
        return new CsvLineParser(csv, names.length, Arrays.asList(names).indexOf(idName), prompt);
    }

    @Override
    public Parsed parse(byte[] line) throws RequestProblem {
        String[] fields = csv.fields(line);
        if (fields.length != columns) {
            throw new RequestProblem(BatchError.INVALID_CSV, "has %d fields; the header has %d".formatted(fields.length, columns));
        }
        Optional<RecordId> id = idColumn < 0 || fields[idColumn].isEmpty() ? Optional.empty() : Optional.of(RecordId.of(fields[idColumn]));
        return new Parsed(id, InputRecord.Reply.COMPLETION, name -> BatchRequest.of(name, fields[promptColumn]));
    }
}
