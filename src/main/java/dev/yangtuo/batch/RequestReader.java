package dev.yangtuo.batch;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Makes requests of an input, one after the other. Used by one thread at a time. */
interface RequestReader extends AutoCloseable {
    /** The next record, or null at the end. */
    @Nullable InputRecord next() throws IOException;

    @Override
    void close() throws IOException;
}
