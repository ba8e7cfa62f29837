package dev.yangtuo.batch;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Refuses requests whose id an earlier one has; line numbers, which stand in where there is no id, are no ids. */
final class UniqueIds implements RequestReader {
    private final RequestReader reader;
    private final SeenIds seen = new SeenIds();

    /** @param reader is closed with this */
    UniqueIds(RequestReader reader) {
        this.reader = reader;
    }

    @Override
    public @Nullable InputRecord next() throws IOException {
        InputRecord record = reader.next();
        if (record == null || !record.id().isOwn() || seen.add(record.id())) {
            return record;
        }
        return record.failing(BatchError.DUPLICATE_ID, "an earlier request has the id %s; ids must differ".formatted(RequestProblem.quoted(record.id().text())));
    }

    @Override
    public void close() throws IOException {
        try (seen) {
            reader.close();
        }
    }
}
