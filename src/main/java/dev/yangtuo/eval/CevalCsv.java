package dev.yangtuo.eval;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.csv.CsvFactory;
import com.fasterxml.jackson.dataformat.csv.CsvParser;
import dev.yangtuo.checkpoint.Quoted;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A file of questions: {@code id,question,A,B,C,D,answer,explanation} in UTF-8, with or without a byte order mark, lines ended by LF or CRLF. The columns may stand in any
 * order; {@code id} and all others may be missing, {@code answer} where answers are not needed.
 */
final class CevalCsv {
    /** C-Eval's largest file has 200 kilobytes. */
    private static final long MAX_BYTES = 64L << 20;

    private static final String ID = "id";
    private static final String QUESTION = "question";
    private static final String ANSWER = "answer";

    private final Path file;
    private final boolean answered;
    private final Map<String, Integer> columns = new HashMap<>();
    private final Map<String, Long> lines = new HashMap<>();
    private final List<CevalQuestion> questions = new ArrayList<>();

    private CevalCsv(Path file, boolean answered) {
        this.file = file;
        this.answered = answered;
    }

    /**
     * The questions, at least one.
     *
     * @param answered whether every question must have an answer
     * @throws YangtuoException if the file cannot be read or says something else
     */
    static List<CevalQuestion> read(Path file, boolean answered) {
        CevalCsv csv = new CevalCsv(file, answered);
        try {
            csv.read(BoundedFile.text(file, MAX_BYTES));
        } catch (NoClassDefFoundError e) {
            throw new YangtuoException("CSV files need the library com.fasterxml.jackson.dataformat:jackson-dataformat-csv, which is not there; add it to the class path", e);
        }
        return csv.questions;
    }

    private void read(String text) {
        long line = 1;
        try (CsvParser parser = new CsvFactory().createParser(text)) {
            List<String> cells = new ArrayList<>();
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                switch (token) {
                    case START_ARRAY -> cells.clear();
                    case END_ARRAY -> {
                        accept(cells, line);
                        line = parser.currentLocation().getLineNr();
                    }
                    default -> cells.add(parser.getText());
                }
            }
        } catch (JacksonException e) {
            throw problem(line, "is no CSV: %s; write quotes within a quoted cell twice, and close every quote".formatted(e.getOriginalMessage()), e);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory has none
        }
        if (columns.isEmpty()) {
            throw new YangtuoException("%s: is empty; expected the columns id,question,A,B,C,D,answer".formatted(file));
        }
        if (questions.isEmpty()) {
            throw new YangtuoException("%s: has no questions; leave the subject out".formatted(file));
        }
    }

    private void accept(List<String> record, long line) {
        if (record.stream().allMatch(String::isBlank)) {
            return; // a blank line, or one of a spreadsheet's empty rows
        }
        if (columns.isEmpty()) {
            readHeader(record, line);
        } else {
            questions.add(question(record, line));
        }
    }

    private void readHeader(List<String> record, long line) {
        for (int i = 0; i < record.size(); i++) {
            String name = record.get(i).strip();
            if (!name.isEmpty() && columns.put(name, i) != null) {
                throw problem(line, "there are two columns %s; rename one".formatted(Quoted.text(name)), null);
            }
        }
        List<String> needed = new ArrayList<>(List.of(QUESTION));
        needed.addAll(CevalQuestion.LETTERS);
        if (answered) {
            needed.add(ANSWER);
        }
        for (String name : needed) {
            if (!columns.containsKey(name)) {
                throw problem(line, "there is no column '%s'; expected id,question,A,B,C,D,answer in the first line".formatted(name), null);
            }
        }
    }

    private CevalQuestion question(List<String> record, long line) {
        String text = cell(record, QUESTION, line);
        if (text.isBlank()) {
            throw problem(line, "the question is empty; delete the line", null);
        }
        List<String> choices = CevalQuestion.LETTERS.stream().map(letter -> cell(record, letter, line)).toList();
        String id = columns.containsKey(ID) ? cell(record, ID, line).strip() : String.valueOf(questions.size());
        if (id.isEmpty()) {
            throw problem(line, "the id is empty; number the questions", null);
        }
        Long before = lines.put(id, line);
        if (before != null) {
            throw problem(line, "the id %s is that of line %d, too; number the questions".formatted(Quoted.text(id), before), null);
        }
        return new CevalQuestion(line, id, text, choices, answer(record, line));
    }

    private @Nullable String answer(List<String> record, long line) {
        String answer = columns.containsKey(ANSWER) ? cell(record, ANSWER, line).strip() : "";
        if (answer.isEmpty() && !answered) {
            return null;
        }
        if (!CevalQuestion.LETTERS.contains(answer)) {
            throw problem(line, "the answer is %s; expected A, B, C or D".formatted(Quoted.text(answer)), null);
        }
        return answer;
    }

    /** As it stands there; a line feed within it is one wherever the file was written. */
    private String cell(List<String> record, String column, long line) {
        int index = columns.getOrDefault(column, -1);
        if (index >= record.size()) {
            throw problem(line, "has %d cells, none for the column '%s'; put cells with commas into quotes".formatted(record.size(), column), null);
        }
        return record.get(index).replace("\r\n", "\n");
    }

    private YangtuoException problem(long line, String what, @Nullable Exception cause) {
        return new YangtuoException("%s, line %d: %s".formatted(file, line, what), cause);
    }
}
