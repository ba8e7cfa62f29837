package dev.yangtuo.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.bindings.llamacpp.LlamaCpp;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LlamaCppLogTest {
    private static final int ERROR = LlamaCpp.GGML_LOG_LEVEL_ERROR();
    private static final int WARN = LlamaCpp.GGML_LOG_LEVEL_WARN();
    private static final int INFO = LlamaCpp.GGML_LOG_LEVEL_INFO();
    private static final int DEBUG = LlamaCpp.GGML_LOG_LEVEL_DEBUG();
    private static final int CONT = LlamaCpp.GGML_LOG_LEVEL_CONT();

    private final Logger logger = Logger.getLogger(LlamaCppLog.NAME);
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final LlamaCppLog log = new LlamaCppLog();
    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord entry) {
            lines.add(entry.getLevel() + " " + new SimpleFormatter().formatMessage(entry));
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    @BeforeEach
    void listen() {
        handler.setLevel(Level.ALL);
        logger.setLevel(Level.ALL);
        logger.setUseParentHandlers(false);
        logger.addHandler(handler);
    }

    @AfterEach
    void stopListening() {
        logger.removeHandler(handler);
        logger.setUseParentHandlers(true);
        logger.setLevel(null);
    }

    @Test
    void errorsAloneAreShownByDefault() {
        log.write(ERROR, "it failed {0}\n");
        log.write(WARN, "n_ctx is small\n");
        log.write(INFO, "layers = 4\n");
        log.write(DEBUG, "node 1\n");
        assertThat(lines).containsExactly("WARNING llama.cpp: it failed {0}", "FINE warning: n_ctx is small", "FINE layers = 4", "FINER node 1");
    }

    @Test
    void piecesOfALineAreJoined() {
        log.write(INFO, "loading ");
        log.write(CONT, ".");
        log.write(CONT, ".");
        log.write(CONT, "\n");
        log.write(INFO, "not ended");
        log.write(INFO, "next\n");
        log.write(CONT, "\n");
        assertThat(lines).containsExactly("FINE loading ..", "FINE not ended", "FINE next");
    }

    @Test
    void aLineWithoutEndIsCut() {
        log.write(INFO, "x".repeat(8000));
        log.write(CONT, "y".repeat(300));
        assertThat(lines).hasSize(1);
        assertThat(lines.getFirst()).endsWith("xy" + "y".repeat(299));
    }

    @Test
    void errorsOfACaptureAreForItsException() {
        log.write(ERROR, "before\n");
        try (LlamaCppLog.Capture capture = log.capture()) {
            log.write(ERROR, "tensor 'a' is missing\n");
            log.write(INFO, "done\n");
            log.write(ERROR, "failed to ");
            log.write(CONT, "load\n\nreally");
            assertThat(capture.text()).isEqualTo("tensor 'a' is missing; failed to load; really");
        }
        log.write(ERROR, "after\n");
        assertThat(lines.stream().filter(line -> line.startsWith("WARNING"))).containsExactly("WARNING llama.cpp: before", "WARNING llama.cpp: after");
        assertThat(lines).contains("FINE error: tensor 'a' is missing");
    }

    @Test
    void errorsOfACaptureThatNobodyAskedForAreShown() {
        try (LlamaCppLog.Capture _ = log.capture()) {
            log.write(ERROR, "one\n");
            log.write(ERROR, "two\n");
        }
        assertThat(lines).last().isEqualTo("WARNING llama.cpp: one; two");
    }

    @Test
    void aCaptureHasTheErrorsOfItsThreadAndOfThreadsWithoutOne() throws InterruptedException {
        List<String> other = new ArrayList<>();
        try (LlamaCppLog.Capture capture = log.capture()) {
            Thread loading = Thread.ofPlatform().start(() -> {
                try (LlamaCppLog.Capture theirs = log.capture()) {
                    log.write(ERROR, "theirs\n");
                    other.add(theirs.text());
                }
            });
            loading.join();
            Thread worker = Thread.ofPlatform().start(() -> log.write(ERROR, "worker's\n"));
            worker.join();
            log.write(ERROR, "ours\n");
            assertThat(capture.text()).isEqualTo("worker's; ours");
        }
        assertThat(other).containsExactly("theirs");
    }

    @Test
    void aFloodOfErrorsIsCutOff() {
        try (LlamaCppLog.Capture capture = log.capture()) {
            for (int i = 0; i < 1000; i++) {
                log.write(ERROR, "error " + i + "\n");
            }
            assertThat(capture.text()).startsWith("error 0; error 1; ").endsWith("error 15 and 984 more");
        }
    }
}
