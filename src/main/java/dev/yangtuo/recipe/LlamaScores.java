package dev.yangtuo.recipe;

import dev.yangtuo.Llama;
import dev.yangtuo.Score;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;

/** Scores that one can stop waiting for; what is being computed then goes on to its end, or to that of the model. May be shared by threads. */
final class LlamaScores {
    private final Llama llama;
    private final Set<CompletableFuture<double[]>> waiting = ConcurrentHashMap.newKeySet();

    LlamaScores(Llama llama) {
        this.llama = llama;
    }

    /**
     * Log-probabilities of texts after a prompt; {@link Llama#score(String, List)} has the rest.
     *
     * @throws CancellationException if they are not waited for any more
     */
    double[] sums(String prompt, List<String> continuations) {
        CompletableFuture<double[]> sums = new CompletableFuture<>();
        waiting.add(sums);
        Thread.startVirtualThread(() -> {
            try {
                sums.complete(llama.score(prompt, continuations).stream().mapToDouble(Score::sum).toArray());
            } catch (RuntimeException | Error e) {
                sums.completeExceptionally(e);
            }
        });
        try {
            return sums.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException failure ? failure : new IllegalStateException(e.getCause());
        } finally {
            waiting.remove(sums);
        }
    }

    /** Whoever waits gets a {@link CancellationException}; whoever comes later waits again. */
    void cancel() {
        waiting.forEach(sums -> sums.cancel(false));
    }
}
