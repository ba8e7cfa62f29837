package dev.yangtuo.tokenizer;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;

/**
 * Lends workspaces to threads, without locks and without garbage: as many are kept as there are processors, since encoding never waits for
 * anything. Who finds none makes one.
 */
final class WorkspacePool {
    /** Ids that the buffer of a kept workspace may hold; that of the first one more, so that long texts in turn make no garbage either. */
    private static final int KEPT_IDS = 1 << 14;
    private static final int KEPT_IDS_OF_FIRST = 1 << 19;

    private final Supplier<Workspace> maker;
    private final AtomicReferenceArray<Workspace> kept = new AtomicReferenceArray<>(Runtime.getRuntime().availableProcessors());

    WorkspacePool(Supplier<Workspace> maker) {
        this.maker = maker;
    }

    Workspace borrow() {
        int home = home();
        for (int i = 0; i < kept.length(); i++) {
            int slot = (home + i) % kept.length();
            if (kept.getPlain(slot) != null) {
                Workspace found = kept.getAndSet(slot, null);
                if (found != null) {
                    return found;
                }
            }
        }
        return maker.get();
    }

    /** Takes a workspace back. One in which something was thrown is left to the collector instead. */
    void giveBack(Workspace workspace) {
        int home = home();
        for (int i = 0; i < kept.length(); i++) {
            int slot = (home + i) % kept.length();
            if (kept.getPlain(slot) == null) {
                workspace.trim(slot == 0 ? KEPT_IDS_OF_FIRST : KEPT_IDS);
                if (kept.compareAndSet(slot, null, workspace)) {
                    return;
                }
            }
        }
    }

    /** Where a thread looks first, so that it often finds the workspace whose caches know its texts. */
    private int home() {
        return (int) (Thread.currentThread().threadId() % kept.length());
    }
}
