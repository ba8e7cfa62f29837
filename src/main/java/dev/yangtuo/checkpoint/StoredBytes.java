package dev.yangtuo.checkpoint;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/** The stored bytes of a tensor, to be copied out of its file. */
public final class StoredBytes {
    private final TensorInfo tensor;
    private final MemorySegment mapped;

    /** @param mapped the tensor's bytes in a mapping of its file */
    StoredBytes(TensorInfo tensor, MemorySegment mapped) {
        this.tensor = tensor;
        this.mapped = mapped;
    }

    /** Begins to copy, by one thread. */
    public Reader open() {
        return new Reader();
    }

    /**
     * Copies by reading the file, which is faster than touching every page of a mapping; where it cannot be read, as in a thread that was interrupted, from the
     * mapping.
     */
    public final class Reader implements AutoCloseable {
        private @Nullable FileChannel channel;

        private Reader() {
            try {
                channel = FileChannel.open(tensor.file(), StandardOpenOption.READ);
            } catch (IOException e) {
                channel = null; // the mapping is there
            }
        }

        /**
         * Copies bytes.
         *
         * @param first the first of the tensor's bytes
         * @param target off-heap memory, filled completely
         * @throws dev.yangtuo.exception.CheckpointFormatException if the file has become shorter meanwhile
         */
        public void read(long first, MemorySegment target) {
            if (!readFile(first, target)) {
                try {
                    MemorySegment.copy(mapped, first, target, 0, target.byteSize());
                } catch (InternalError e) {
                    throw MappedFile.lostPages(tensor.file(), "tensor " + Quoted.text(tensor.name()), e);
                }
            }
        }

        private boolean readFile(long first, MemorySegment target) {
            ByteBuffer buffer = target.asByteBuffer();
            try {
                while (channel != null && buffer.hasRemaining()) {
                    if (channel.read(buffer, tensor.byteOffset() + first + buffer.position()) < 0) {
                        return false; // the mapping says what is missing
                    }
                }
                return channel != null;
            } catch (ClosedByInterruptException e) {
                channel = null; // the thread stays interrupted
                return false;
            } catch (IOException e) {
                close();
                return false;
            }
        }

        @Override
        public void close() {
            if (channel != null) {
                try {
                    channel.close();
                } catch (IOException e) {
                    // It was only read.
                }
                channel = null;
            }
        }
    }
}
