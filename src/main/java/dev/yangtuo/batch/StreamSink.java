package dev.yangtuo.batch;

import dev.yangtuo.exception.YangtuoException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** Writes records to a stream, which stays the caller's: nothing is known of what becomes of them. */
final class StreamSink implements RecordSink {
    private static final int FULL_BYTES = 1 << 16;

    private final OutputStream out;
    private final ByteArrayOutputStream pending = new ByteArrayOutputStream();

    /** @param preamble what stands before the first record */
    StreamSink(OutputStream out, byte[] preamble) {
        this.out = out;
        pending.writeBytes(preamble);
    }

    @Override
    public void add(Finished finished, byte[] bytes) {
        pending.writeBytes(bytes);
    }

    @Override
    public boolean isFull() {
        return pending.size() >= FULL_BYTES;
    }

    @Override
    public void commit() {
        try {
            pending.writeTo(out);
            out.flush();
            pending.reset();
        } catch (IOException e) {
            throw new YangtuoException("the results cannot be written: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {}
}
