package dev.yangtuo.tokenizer;

import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Lends workspaces to threads, without locks and without garbage: as many are kept as there are processors, since encoding never waits for
 * anything. Who finds none makes one.
 */
final class WorkspacePool {
    private final Encoder encoder;
    private final TokenizerModel model;
    private final AtomicReference<int @Nullable []> spareIds = new AtomicReference<>();
    private final AtomicReference<char @Nullable []> spareText = new AtomicReference<>();
    private final AtomicReferenceArray<Workspace> kept = new AtomicReferenceArray<>(Runtime.getRuntime().availableProcessors());

    WorkspacePool(Encoder encoder, TokenizerModel model) {
        this.encoder = encoder;
        this.model = model;
    }

    /** {@return a workspace that need not be given back} */
    Workspace make() {
        return new Workspace(encoder, TokenBuffer.of(model, spareIds), spareText);
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
        return make();
    }

    /** Takes a workspace back. One in which something was thrown is left to the collector instead. */
    void giveBack(Workspace workspace) {
        int home = home();
        for (int i = 0; i < kept.length(); i++) {
            int slot = (home + i) % kept.length();
            if (kept.getPlain(slot) == null) {
                workspace.trim();
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
