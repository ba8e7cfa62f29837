package dev.yangtuo.batch;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.dataformat.csv.CsvFactory;
import com.fasterxml.jackson.dataformat.csv.CsvGenerator;
import com.fasterxml.jackson.dataformat.csv.CsvMapper;
import com.fasterxml.jackson.dataformat.csv.CsvParser;
import com.fasterxml.jackson.dataformat.csv.CsvSchema;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Records of CSV files, by an optional library. */
final class Csv {
    private static final String LIBRARY = "com.fasterxml.jackson.dataformat.csv.CsvMapper";

    private final ObjectReader reader;
    private final ObjectWriter writer;

    private Csv() {
        CsvMapper mapper = new CsvMapper(CsvFactory.builder()
                .streamReadConstraints(StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
                .build());
        mapper.enable(CsvParser.Feature.WRAP_AS_ARRAY);
        mapper.enable(CsvGenerator.Feature.STRICT_CHECK_FOR_QUOTING); // quotes where they are needed, not where a text is long
        this.reader = mapper.readerFor(String[].class);
        this.writer = mapper.writerFor(Object[].class).with(CsvSchema.emptySchema().withLineSeparator("\n"));
    }

    /**
     * The library.
     *
     * @throws YangtuoException if it is not there
     */
    static Csv open() {
        try {
            Class.forName(LIBRARY);
        } catch (ClassNotFoundException e) {
            throw new YangtuoException("CSV files need the library com.fasterxml.jackson.dataformat:jackson-dataformat-csv, which is not on the class path; add it to the "
                    + "dependencies of your program, or use JSON lines", e);
        }
        return new Csv();
    }

    /** The fields of one record. */
    String[] fields(byte[] record) throws RequestProblem {
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(record)).toString();
            MappingIterator<String[]> records = reader.readValues(text);
            String[] fields = records.nextValue();
            if (records.hasNextValue()) {
                throw new RequestProblem(BatchError.INVALID_CSV, "has a carriage return outside of quotes; end lines with line feeds, or put the field in quotes");
            }
            return fields;
        } catch (JacksonException e) {
            throw new RequestProblem(BatchError.INVALID_CSV, "is no record of a CSV file: " + e.getOriginalMessage().lines().findFirst().orElse(""));
        } catch (IOException e) {
            throw new RequestProblem(BatchError.INVALID_CSV, "is not UTF-8");
        }
    }

    /** A record with its line feed. */
    byte[] record(Object... fields) {
        try {
            return writer.writeValueAsBytes(fields);
        } catch (IOException e) {
            throw new AssertionError("texts and numbers can be written", e);
        }
    }
}
