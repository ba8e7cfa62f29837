package dev.yangtuo.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Owns one thing of the native library: freed once, by {@link #close()} or, for those who forget, when it is no longer reachable. What belongs to a context is freed before
 * it, at the latest when that is closed. Whoever passes {@link #address()} to native code keeps this object reachable until the call is over.
 */
final class NativeHandle implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final String what;
    private final @Nullable NativeHandle owner;
    private final Destroy destroy;
    private final Cleaner.Cleanable cleanable;
    private volatile MemorySegment address;

    /**
     * A context, or something that belongs to one.
     *
     * @param what what it is, for messages
     * @param owner the context that it belongs to; null if it is one
     * @param destroy frees it
     */
    NativeHandle(String what, MemorySegment address, @Nullable NativeHandle owner, Consumer<MemorySegment> destroy) {
        this.what = what;
        this.address = address;
        this.owner = owner;
        this.destroy = new Destroy(address, owner, destroy);
        if (owner != null) {
            owner.destroy.add(this.destroy);
        }
        this.cleanable = CLEANER.register(this, this.destroy);
    }

    /** Frees one thing, and before it what belongs to it. Refers to the owner, so that it is not freed before, and not to the handle itself. */
    private static final class Destroy implements Runnable {
        private final MemorySegment address;
        private final @Nullable NativeHandle owner;
        private final Consumer<MemorySegment> destroy;
        /** Not freed yet; guarded by this, as is the freeing. */
        private final Set<Destroy> belongings = Collections.newSetFromMap(new IdentityHashMap<>());

        Destroy(MemorySegment address, @Nullable NativeHandle owner, Consumer<MemorySegment> destroy) {
            this.address = address;
            this.owner = owner;
            this.destroy = destroy;
        }

        synchronized void add(Destroy belonging) {
            belongings.add(belonging);
        }

        private synchronized void destroy(Destroy belonging) {
            if (belongings.remove(belonging)) {
                belonging.destroy.accept(belonging.address);
            }
        }

        @Override
        public void run() {
            if (owner != null) {
                owner.destroy.destroy(this);
                return;
            }
            synchronized (this) {
                List.copyOf(belongings).forEach(this::destroy);
                destroy.accept(address);
            }
        }
    }

    /** @throws IllegalStateException if it, or the context that it belongs to, is closed */
    MemorySegment address() {
        MemorySegment current = address;
        if (current.equals(MemorySegment.NULL) || owner != null && owner.address.equals(MemorySegment.NULL)) {
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
