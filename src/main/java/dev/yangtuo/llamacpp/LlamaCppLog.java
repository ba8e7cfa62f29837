package dev.yangtuo.llamacpp;

import dev.yangtuo.bindings.llamacpp.LlamaCpp;
import dev.yangtuo.bindings.llamacpp.ggml_log_callback;
import java.lang.System.Logger.Level;
import java.lang.System.Logger;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Pattern;

/**
 * What llama.cpp says. All of it goes to the {@link Logger} {@value #NAME}: errors as WARNING, its warnings and information, of which there are hundreds of lines for
 * each model and which nobody can act on, as DEBUG, the rest as TRACE. Errors while a {@link Capture} is open are kept for its exception instead.
 *
 * <p>Thread-safe; llama.cpp writes from threads of its own as well.
 */
public final class LlamaCppLog {
    /** The logger's name. */
    public static final String NAME = "dev.yangtuo.llamacpp";

    private static final Logger LOGGER = System.getLogger(NAME);
    /** Characters of a line that is continued again and again; more of it becomes another line. */
    private static final int MAX_LINE = 8192;
    /** Error lines that a capture keeps; the first ones tell the cause. */
    private static final int MAX_ERRORS = 16;

    private static final Pattern LINE_BREAKS = Pattern.compile("\\s*\\R\\s*");

    private final List<Capture> captures = new CopyOnWriteArrayList<>();
    private final ThreadLocal<PendingLine> pending = ThreadLocal.withInitial(PendingLine::new);

    /** A line whose end has not come yet; a thread has one. */
    private static final class PendingLine {
        final StringBuilder text = new StringBuilder();
        int level = LlamaCpp.GGML_LOG_LEVEL_INFO();
    }

    LlamaCppLog() {}

    /** Makes llama.cpp write here, for as long as the process lives. */
    void install() {
        // The global arena: native code may log whenever it runs, and there is no point after which it certainly does not.
        LlamaCpp.llama_log_set(ggml_log_callback.allocate((level, text, _) -> accept(level, text), Arena.global()), MemorySegment.NULL);
    }

    /** Called by native code, so that nothing may be thrown out of it. */
    private void accept(int level, MemorySegment text) {
        try {
            write(level, text.reinterpret(Long.MAX_VALUE).getString(0));
        } catch (Throwable e) {
            // A logger that fails must not end the process, and there is nobody to tell.
        }
    }

    /** A piece of the log as llama.cpp writes it: of a line, several pieces may come, several lines at once as well. */
    void write(int level, String text) {
        PendingLine line = pending.get();
        if (level != LlamaCpp.GGML_LOG_LEVEL_CONT()) {
            finish(line);
            line.level = level;
        }
        line.text.append(text);
        if (text.endsWith("\n") || line.text.length() > MAX_LINE) {
            finish(line);
        }
    }

    private void finish(PendingLine line) {
        String text = line.text.toString().strip();
        line.text.setLength(0);
        if (text.isEmpty()) {
            return;
        }
        if (line.level == LlamaCpp.GGML_LOG_LEVEL_ERROR() && capture(text)) {
            LOGGER.log(Level.DEBUG, "error: {0}", text);
        } else {
            log(line.level, text);
        }
    }

    private static void log(int level, String text) {
        if (level == LlamaCpp.GGML_LOG_LEVEL_ERROR()) {
            LOGGER.log(Level.WARNING, "llama.cpp: {0}", text);
        } else if (level == LlamaCpp.GGML_LOG_LEVEL_WARN()) {
            LOGGER.log(Level.DEBUG, "warning: {0}", text);
        } else {
            LOGGER.log(level == LlamaCpp.GGML_LOG_LEVEL_INFO() ? Level.DEBUG : Level.TRACE, "{0}", text);
        }
    }

    /** Writes an error that no exception tells. */
    void error(String text) {
        log(LlamaCpp.GGML_LOG_LEVEL_ERROR(), text);
    }

    /** Gives an error to the captures of this thread, or, when a thread without any has it, to all. False if there are none. */
    private boolean capture(String text) {
        Thread thread = Thread.currentThread();
        boolean ours = captures.stream().anyMatch(capture -> capture.owner == thread);
        boolean taken = false;
        for (Capture capture : captures) {
            if (!ours || capture.owner == thread) {
                capture.add(text);
                taken = true;
            }
        }
        return taken;
    }

    /**
     * Keeps the errors that llama.cpp writes from now on until it is closed: those of this thread, and those of its own threads. Close it on the same thread.
     *
     * {@snippet :
     * try (LlamaCppLog.Capture errors = library.log().capture()) {
     *     MemorySegment model = LlamaCpp.llama_model_load_from_file(path, parameters);
     *     if (model.equals(MemorySegment.NULL)) {
     *         throw new CheckpointFormatException(file, errors.text());
     *     }
     * }
     * }
     */
    public Capture capture() {
        Capture capture = new Capture(Thread.currentThread());
        captures.add(capture);
        return capture;
    }

    /** Errors between two points. Those that nobody asked for are written to the logger when it is closed. */
    public final class Capture implements AutoCloseable {
        private final Thread owner;
        private final StringBuilder errors = new StringBuilder();
        private int count;
        private boolean taken;

        private Capture(Thread owner) {
            this.owner = owner;
        }

        private synchronized void add(String text) {
            count++;
            if (count <= MAX_ERRORS) {
                errors.append(errors.isEmpty() ? "" : "; ").append(LINE_BREAKS.matcher(text).replaceAll("; "));
            }
        }

        /** The errors so far, in their order, on one line, for an exception; empty if there are none. */
        public synchronized String text() {
            finish(pending.get());
            taken = true;
            return joined();
        }

        private String joined() {
            return count <= MAX_ERRORS ? errors.toString() : "%s and %d more".formatted(errors, count - MAX_ERRORS);
        }

        @Override
        public void close() {
            finish(pending.get());
            captures.remove(this);
            synchronized (this) {
                if (!taken && count > 0) {
                    error(joined());
                }
            }
        }
    }
}
