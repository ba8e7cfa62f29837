package dev.yangtuo.batch;

import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Which ids an input has had, in no more of the heap than a page, however many there are: a hash table of 128 bits of each id's SHA-256 in a temporary file, which has no
 * name while it is used and is gone when the program ends. Two ids are taken for one with a probability of 1e-18 for 10 billion of them. Used by one thread.
 */
final class SeenIds implements AutoCloseable {
    /** Two words for each id; both 0 where there is none. */
    private static final int ENTRY_BYTES = 16;
    private static final long FIRST_CAPACITY = 1 << 12;

    private Arena arena = Arena.ofShared();
    /** long[capacity][2], open addressing, linear probing. */
    private MemorySegment table;
    private long capacity;
    private long count;

    SeenIds() {
        capacity = FIRST_CAPACITY;
        table = map(arena, capacity);
    }

    /** Adds an id; false if it was there. */
    boolean add(RecordId id) {
        ByteBuffer digest = Digests.of(id.isNumber() ? 1 : 0, id.text());
        if (2 * (count + 1) > capacity) {
            grow();
        }
        boolean added = insert(digest.getLong(0) | 1, digest.getLong(Long.BYTES)); // never all 0
        count += added ? 1 : 0;
        return added;
    }

    private boolean insert(long first, long second) {
        long mask = capacity - 1;
        for (long slot = second & mask; ; slot = slot + 1 & mask) {
            long found = table.get(ValueLayout.JAVA_LONG, slot * ENTRY_BYTES);
            if (found == 0) {
                table.set(ValueLayout.JAVA_LONG, slot * ENTRY_BYTES, first);
                table.set(ValueLayout.JAVA_LONG, slot * ENTRY_BYTES + Long.BYTES, second);
                return true;
            }
            if (found == first && table.get(ValueLayout.JAVA_LONG, slot * ENTRY_BYTES + Long.BYTES) == second) {
                return false;
            }
        }
    }

    private void grow() {
        MemorySegment before = table;
        try (Arena _ = arena) {
            Arena next = Arena.ofShared();
            table = map(next, capacity * 2);
            arena = next;
            long slots = capacity;
            capacity *= 2;
            for (long slot = 0; slot < slots; slot++) {
                long first = before.get(ValueLayout.JAVA_LONG, slot * ENTRY_BYTES);
                if (first != 0) {
                    insert(first, before.get(ValueLayout.JAVA_LONG, slot * ENTRY_BYTES + Long.BYTES));
                }
            }
        }
    }

    private static MemorySegment map(Arena arena, long capacity) {
        try {
            Path file = Files.createTempFile("yangtuo-ids", ".tmp");
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                Files.delete(file); // what is mapped stays until it is unmapped
                // Written, not only made longer: a full disk is said here, where it can be.
                ByteBuffer zeros = ByteBuffer.allocate(1 << 16);
                for (long at = 0; at < capacity * ENTRY_BYTES; at += zeros.capacity()) {
                    zeros.clear();
                    while (zeros.hasRemaining()) {
                        channel.write(zeros, at + zeros.position());
                    }
                }
                return channel.map(FileChannel.MapMode.READ_WRITE, 0, capacity * ENTRY_BYTES, arena);
            }
        } catch (IOException e) {
            throw new YangtuoException("%s: the ids of the input cannot be remembered, %,d bytes are needed: %s; name another folder with -Djava.io.tmpdir"
                    .formatted(System.getProperty("java.io.tmpdir"), capacity * ENTRY_BYTES, e.getMessage()), e);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
