package dev.yangtuo.batch;

import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** Requests that are objects already. */
final class MemoryRequests implements RequestReader {
    private final Iterator<BatchRequest> requests;
    private long number;

    MemoryRequests(Iterator<BatchRequest> requests) {
        this.requests = requests;
    }

    @Override
    public @Nullable InputRecord next() {
        if (!requests.hasNext()) {
            return null;
        }
        BatchRequest request = requests.next();
        number++;
        return new InputRecord(number, "request " + number, new RecordId(request.id(), false, true), 0, InputRecord.Reply.COMPLETION, request, null);
    }

    @Override
    public void close() {}
}
