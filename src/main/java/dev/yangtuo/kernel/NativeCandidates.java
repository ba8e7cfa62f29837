package dev.yangtuo.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.yangtuo.bindings.YangtuoNative;
import dev.yangtuo.bindings.yt_candidates;
import dev.yangtuo.bindings.yt_edit;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Candidates in device buffers, which grow with what is asked for. */
final class NativeCandidates extends Candidates {
    private final NativeBackend backend;
    private final MemorySegment struct = yt_candidates.allocate(Arena.ofAuto());
    private final GrowingBuffer idsBuffer = new GrowingBuffer();
    private final GrowingBuffer logitsBuffer = new GrowingBuffer();
    private final GrowingBuffer editsBuffer = new GrowingBuffer();
    private final GrowingBuffer endsBuffer = new GrowingBuffer();
    private MemorySegment staging = MemorySegment.NULL;
    private boolean closed;

    NativeCandidates(NativeBackend backend) {
        this.backend = backend;
    }

    /** A buffer that is replaced when it is too small. */
    private final class GrowingBuffer {
        private @Nullable NativeHandle handle;
        private long byteSize;

        MemorySegment atLeast(long bytes) {
            if (handle == null || byteSize < bytes) {
                close();
                byteSize = Math.max(1024, Long.highestOneBit(bytes) * 2);
                handle = backend.createBuffer(byteSize);
            }
            return handle.address();
        }

        void close() {
            if (handle != null) {
                handle.close();
                handle = null;
            }
        }
    }

    /** Sends the edits; the struct is then what the stage takes. */
    MemorySegment upload() {
        if (closed) {
            throw new IllegalStateException("the candidates are closed");
        }
        makeRoom();
        long results = (long) outputCount() * count() * Integer.BYTES;
        long edits = editCount() * yt_edit.layout().byteSize();
        if (staging.byteSize() < Math.max(results, edits)) {
            staging = Arena.ofAuto().allocate(Math.max(results, edits) * 2, Integer.BYTES);
        }
        yt_candidates.count(struct, count());
        yt_candidates.n_choices(struct, choices());
        yt_candidates.ids(struct, idsBuffer.atLeast(results));
        yt_candidates.values(struct, logitsBuffer.atLeast(results));
        if (editCount() == 0) {
            yt_candidates.edits(struct, MemorySegment.NULL);
            yt_candidates.edit_ends(struct, MemorySegment.NULL);
            return struct;
        }
        for (int i = 0; i < editCount(); i++) {
            long at = i * yt_edit.layout().byteSize(); // a slice of the segment would be garbage
            staging.set(JAVA_INT, at + yt_edit.id$offset(), editIds[i]);
            staging.set(JAVA_FLOAT, at + yt_edit.divisor$offset(), editDivisors[i]);
            staging.set(JAVA_FLOAT, at + yt_edit.addend$offset(), editAddends[i]);
        }
        MemorySegment buffer = editsBuffer.atLeast(edits);
        NativeStatus.check(YangtuoNative.yt_buffer_upload(buffer, 0, staging, edits));
        yt_candidates.edits(struct, buffer);
        long ends = (long) outputCount() * Integer.BYTES;
        MemorySegment endsTarget = endsBuffer.atLeast(ends);
        MemorySegment.copy(editEnds, 0, staging, JAVA_INT, 0, outputCount());
        NativeStatus.check(YangtuoNative.yt_buffer_upload(endsTarget, 0, staging, ends));
        yt_candidates.edit_ends(struct, endsTarget);
        return struct;
    }

    /** Fetches what was chosen. */
    void download() {
        int results = outputCount() * count();
        NativeStatus.check(YangtuoNative.yt_buffer_download(idsBuffer.atLeast(1), 0, staging, (long) results * Integer.BYTES));
        MemorySegment.copy(staging, JAVA_INT, 0, ids, 0, results);
        NativeStatus.check(YangtuoNative.yt_buffer_download(logitsBuffer.atLeast(1), 0, staging, (long) results * Float.BYTES));
        MemorySegment.copy(staging, JAVA_FLOAT, 0, logits, 0, results);
    }

    @Override
    public void close() {
        closed = true;
        idsBuffer.close();
        logitsBuffer.close();
        editsBuffer.close();
        endsBuffer.close();
    }
}
