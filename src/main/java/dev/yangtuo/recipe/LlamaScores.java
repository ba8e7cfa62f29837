package dev.yangtuo.recipe;

import dev.yangtuo.Llama;
import dev.yangtuo.Score;
import dev.yangtuo.chat.ChatMessage;
import dev.yangtuo.chat.ChatTemplate;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Scores that one can stop waiting for; what is being computed then goes on to its end, or to that of the model. May be shared by threads. */
final class LlamaScores {
    private final Llama llama;
    private final @Nullable ChatTemplate chat;
    private final Set<CompletableFuture<double[]>> waiting = ConcurrentHashMap.newKeySet();

    /** @param chat the form in which prompts become messages of the user; null: they are taken as they are */
    LlamaScores(Llama llama, @Nullable ChatTemplate chat) {
        this.llama = llama;
        this.chat = chat;
    }

    /**
     * Log-probabilities of words after a prompt, up to a number that is the same for all of them; {@link Llama#score(String, List)} has the rest.
     *
     * @param lead with which each answer begins, before the word
     * @throws CancellationException if they are not waited for any more
     */
    double[] sums(String prompt, String lead, List<String> words) {
        CompletableFuture<double[]> sums = new CompletableFuture<>();
        waiting.add(sums);
        Thread.startVirtualThread(() -> {
            try {
                sums.complete(scores(prompt, lead, words).stream().mapToDouble(Score::sum).toArray());
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

    private List<Score> scores(String prompt, String lead, List<String> words) {
        if (chat == null) {
            return llama.score(prompt + lead, words);
        }
        int[] ids = llama.chatPrompt(chat, List.of(ChatMessage.user(prompt)));
        return llama.score(ids, words.stream().map(word -> llama.tokenizer().encodeContinuation(lead + word)).toList());
    }

    /** Whoever waits gets a {@link CancellationException}; whoever comes later waits again. */
    void cancel() {
        waiting.forEach(sums -> sums.cancel(false));
    }
}
