package dev.yangtuo.chat;

import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Generation;
import dev.yangtuo.Llama;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A conversation with a model: remembers what was said, and asks the model with all of it. What the model has computed of the conversation is taken
 * over for the next answer, as it is for every text with a common beginning; an answer is the one that {@link Llama#chat} gives to the same messages,
 * options and seed.
 *
 * <p>When the conversation outgrows the context, the model is no longer told its oldest turns ({@link Llama#fitting}); {@link #history()} keeps them.
 *
 * {@snippet :
 * try (Session session = llama.openSession(SessionOptions.defaults().system("你是一个乐于助人的助手。"))) {
 *     session.say("羊驼住在哪里？", GenerateOptions.defaults()).forEach(System.out::print);
 *     session.say("它们吃什么？", GenerateOptions.defaults()).forEach(System.out::print);
 * }
 * }
 *
 * <p>Its methods may be called by any thread, one at a time: whatever is asked of a session whose answer is still being generated waits for that
 * answer, but {@link #close()}, which cancels it. Does not own the model.
 */
public final class Session implements AutoCloseable {
    private final Llama llama;
    private final ChatTemplate template;
    /** What was said, without the system message; questions and answers in turn unless it began otherwise. */
    private final List<ChatMessage> said = new ArrayList<>();
    private String system;
    /** The answer to the last message of {@link #said}, which is not there yet. */
    private volatile @Nullable Generation answer;
    private volatile boolean closed;
    private int forgottenMessages;

    private Session(Llama llama, SessionOptions options) {
        this.llama = llama;
        this.template = options.template().orElseGet(llama::chatTemplate);
        this.system = options.system();
        said.addAll(options.messages());
    }

    /**
     * Opens one; {@link Llama#openSession} is the same.
     *
     * @throws dev.yangtuo.exception.ChatTemplateException if the model's template cannot be read
     */
    public static Session open(Llama llama, SessionOptions options) {
        return new Session(llama, options);
    }

    /**
     * Says something to the model. The answer belongs to the conversation as far as it was generated, also if it is cancelled; spaces and line feeds
     * at its ends do not. If nothing was generated, or the answer failed, the question counts as not said.
     *
     * @return the answer, computed as it is read
     * @throws dev.yangtuo.exception.ChatTemplateException if the template fails; nothing was said then
     * @throws dev.yangtuo.exception.ContextLengthException if the text alone does not fit the context; nothing was said then
     * @throws IllegalStateException if the session or the model is closed
     */
    public synchronized Generation say(String text, GenerateOptions options) {
        settle();
        List<ChatMessage> messages = messages();
        messages.add(ChatMessage.user(text));
        List<ChatMessage> fitting = llama.fitting(template, messages, options);
        Generation generation = llama.chat(template, fitting, options);
        forgottenMessages = messages.size() - fitting.size();
        said.add(ChatMessage.user(text));
        answer = generation;
        if (closed) { // meanwhile, by another thread
            generation.close();
        }
        return generation;
    }

    /** Waits for the answer that is being generated, and remembers it. */
    private void settle() {
        if (closed) {
            throw new IllegalStateException("the session is closed");
        }
        Generation generation = answer;
        if (generation == null) {
            return;
        }
        String text = "";
        try {
            text = generation.result().text().strip();
        } catch (WrongThreadException e) {
            throw e; // asked by a listener: the answer goes on
        } catch (RuntimeException e) {
            // Whoever reads the answer is told; the question counts as not said.
        }
        answer = null;
        if (text.isEmpty()) {
            said.removeLast();
        } else {
            said.add(ChatMessage.assistant(text));
        }
    }

    private List<ChatMessage> messages() {
        List<ChatMessage> messages = new ArrayList<>();
        if (!system.isEmpty()) {
            messages.add(ChatMessage.system(system));
        }
        messages.addAll(said);
        return messages;
    }

    /** All messages so far, the system message first if there is one. */
    public synchronized List<ChatMessage> history() {
        settle();
        return List.copyOf(messages());
    }

    /** How many of the oldest messages the model was not told for the last answer, because they do not fit its context. */
    public synchronized int forgottenMessages() {
        return forgottenMessages;
    }

    /** The system message; empty for none. */
    public synchronized String system() {
        return system;
    }

    /** Changes the system message, for all answers from now on; empty for none. */
    public synchronized void system(String text) {
        settle();
        system = text;
    }

    /** Forgets what was said; the system message stays. */
    public synchronized void reset() {
        settle();
        said.clear();
        forgottenMessages = 0;
    }

    /**
     * Forgets the last question and what was answered.
     *
     * @return whether there was one
     */
    public synchronized boolean undo() {
        settle();
        for (int i = said.size() - 1; i >= 0; i--) {
            if (said.get(i).is(ChatMessage.USER)) {
                said.subList(i, said.size()).clear();
                return true;
            }
        }
        return false;
    }

    /** How messages are written down. */
    public ChatTemplate template() {
        return template;
    }

    /** Ends the conversation, and cancels the answer that is being generated. Closing twice is harmless. */
    @Override
    public void close() {
        closed = true;
        Generation generation = answer;
        if (generation != null) {
            generation.close();
        }
    }
}
