package dev.yangtuo.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.function.Consumer;

/**
 * Owns one thing of the native library: freed once, by {@link #close()} or, for those who forget, when it is no longer reachable. Whoever
 * passes {@link #address()} to native code keeps this object reachable until the call is over.
 */
final class NativeHandle implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final String what;
    private final Cleaner.Cleanable cleanable;
    private volatile MemorySegment address;

    /**
     * @param what what it is, for messages
     * @param keepAlive what must not be freed before it: its context
     * @param destroy frees it
     */
    NativeHandle(String what, MemorySegment address, Object keepAlive, Consumer<MemorySegment> destroy) {
        this.what = what;
        this.address = address;
        this.cleanable = CLEANER.register(this, new Destroy(address, keepAlive, destroy));
    }

    private record Destroy(MemorySegment address, Object keepAlive, Consumer<MemorySegment> destroy) implements Runnable {
        @Override
        public void run() {
            destroy.accept(address);
        }
    }

    /** @throws IllegalStateException if it is closed */
    MemorySegment address() {
        MemorySegment current = address;
        if (current.equals(MemorySegment.NULL)) {
            throw new IllegalStateException("the %s is closed".formatted(what));
        }
        return current;
    }

    @Override
    public void close() {
        address = MemorySegment.NULL;
        cleanable.clean();
    }
}
