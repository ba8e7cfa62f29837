package dev.yangtuo.batch;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The requests of an input that has one a line. Blank lines are none. */
final class LineRequests implements RequestReader {
    private final InputLines lines;
    private final int limit;
    private final LineParser parser;
    private long taken;

    /**
     * Begins.
     *
     * @param lines is closed with this
     * @param limit bytes of a line at most, for messages
     */
    LineRequests(InputLines lines, int limit, LineParser parser) {
        this.lines = lines;
        this.limit = limit;
        this.parser = parser;
        this.taken = lines.position();
    }

    @Override
    public @Nullable InputRecord next() throws IOException {
        while (lines.advance()) {
            if (lines.isTooLong() || !lines.isBlank()) {
                long bytes = lines.position() - taken;
                taken = lines.position();
                return read(lines.number(), bytes);
            }
        }
        return null;
    }

    private InputRecord read(long number, long bytes) {
        String where = "line " + number;
        InputRecord record = new InputRecord(number, where, RecordId.ofLine(number), bytes, InputRecord.Reply.COMPLETION, null, null);
        if (lines.isTooLong()) {
            return record.failing(BatchError.LINE_TOO_LONG, "is longer than %,d bytes; shorten it, or allow longer lines".formatted(limit));
        }
        try {
            LineParser.Parsed parsed = parser.parse(lines.line());
            record = new InputRecord(number, where, parsed.id().orElse(record.id()), bytes, parsed.reply(), null, null);
            BatchRequest request = parsed.request().make(record.id().text());
            return new InputRecord(number, where, record.id(), bytes, parsed.reply(), request, null);
        } catch (RequestProblem e) {
            return record.failing(e.error(), String.valueOf(e.getMessage()));
        }
    }

    @Override
    public void close() throws IOException {
        lines.close();
    }
}
