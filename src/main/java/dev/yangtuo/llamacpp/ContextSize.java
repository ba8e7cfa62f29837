package dev.yangtuo.llamacpp;

import com.sun.management.OperatingSystemMXBean;
import dev.yangtuo.exception.KernelException;
import dev.yangtuo.model.LoadSettings;
import java.lang.System.Logger.Level;
import java.lang.System.Logger;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;

/**
 * How large a context is made.
 *
 * @param contextLength positions that a sequence can have
 * @param sequences of a pass
 * @param numbers sequences that llama.cpp has in all
 * @param pages of keys and values, of all sequences together
 * @param shares whether all sequences share one memory; else each has one of a whole context
 */
record ContextSize(int contextLength, int sequences, int numbers, int pages, boolean shares) {
    private static final Logger LOGGER = System.getLogger(ContextSize.class.getName());
    /** Unless something else is asked for, keys and values may take this share of the machine's memory. */
    private static final int MEMORY_SHARE = 4;
    /** llama.cpp takes the memory for keys and values at once, so that more than one whole context has some only as far as this. */
    private static final long DEFAULT_MEMORY = 1L << 30;
    private static final int DEFAULT_CONTEXTS = 4;
    private static final int DEFAULT_SEQUENCES = 32;
    /** Without shared memory each sequence has a whole context. */
    private static final int DEFAULT_SEPARATE_SEQUENCES = 4;
    /** Sequences beside those of two passes: texts that are remembered, or computed beside the scheduler. */
    private static final int MORE_SEQUENCES = 32;
    /** Sequences that llama.cpp can have, which its {@code llama_max_parallel_sequences} says as well. */
    private static final int MAX_NUMBERS = 256;
    /** llama.cpp rounds a context up to a multiple of this. */
    private static final int CONTEXT_UNIT = 256;

    /**
     * What settings ask for.
     *
     * @param path the model, for messages
     * @param keyValueBytes of a position
     * @param trained positions that the model was trained for
     * @param reach the same, or as many as RoPE is scaled for
     */
    static ContextSize of(Path path, long keyValueBytes, int trained, int reach, LoadSettings settings, boolean shares) {
        int contextLength = contextLength(settings, keyValueBytes, trained, reach);
        int sequences = sequences(settings, shares);
        int numbers = shares ? Math.min(2 * sequences + MORE_SEQUENCES, MAX_NUMBERS) : sequences;
        long perContext = Math.ceilDiv(contextLength, SequenceMemory.PAGE_POSITIONS);
        long pages = shares ? pages(path, contextLength, keyValueBytes, settings) : numbers * perContext;
        if (pages > (Integer.MAX_VALUE - CONTEXT_UNIT) / CONTEXT_UNIT) {
            throw new KernelException("%s: %d pages of keys and values are more than llama.cpp can manage; take a shorter context, or allow less memory for them"
                    .formatted(path, pages));
        }
        return new ContextSize(contextLength, sequences, numbers, (int) pages, shares);
    }

    /** Positions that llama.cpp is asked for. */
    int cells() {
        return shares ? roundUp(pages * SequenceMemory.PAGE_POSITIONS) : numbers * roundUp(contextLength);
    }

    private static int roundUp(int positions) {
        return Math.ceilDiv(positions, CONTEXT_UNIT) * CONTEXT_UNIT;
    }

    private static int sequences(LoadSettings settings, boolean shares) {
        int asked = settings.maxSequences() > 0 ? settings.maxSequences() : shares ? DEFAULT_SEQUENCES : DEFAULT_SEPARATE_SEQUENCES;
        // Room for as many again, which take over what those have computed that have just ended.
        int most = (MAX_NUMBERS - MORE_SEQUENCES) / 2;
        if (asked > most) {
            LOGGER.log(Level.INFO, "{0} texts at the same time were asked for; llama.cpp computes {1}, the others wait", asked, most);
        }
        return Math.min(asked, most);
    }

    /** The context that was asked for, or the model's own as far as the memory for keys and values allows. */
    private static int contextLength(LoadSettings settings, long keyValueBytes, int trained, int reach) {
        if (settings.context() > 0) {
            if (settings.context() > reach) {
                LOGGER.log(Level.WARNING, "a context of {0} was asked for, but the model was trained for {1}; texts that are longer will be poor",
                        settings.context(), reach);
            }
            return settings.context();
        }
        long affordable = Math.max(1, totalMemory() / MEMORY_SHARE / Math.max(1, keyValueBytes));
        if (affordable < trained) {
            LOGGER.log(Level.WARNING, "the context is limited to {0} of the model''s {1} tokens: its keys and values would need more than a quarter of the memory",
                    affordable, trained);
        }
        return (int) Math.min(affordable, trained);
    }

    /** Pages of keys and values that all sequences share. */
    private static long pages(Path path, int contextLength, long keyValueBytes, LoadSettings settings) {
        int perContext = Math.ceilDiv(contextLength, SequenceMemory.PAGE_POSITIONS);
        long pageBytes = SequenceMemory.PAGE_POSITIONS * Math.max(1, keyValueBytes);
        long pages;
        if (settings.kvMemory() > 0) {
            pages = settings.kvMemory() / pageBytes;
            if (pages < perContext) {
                throw new KernelException(("%s: keys and values of one text of %d tokens need %d bytes, and %d are allowed for all texts; allow more memory for"
                        + " them, take a shorter context, or a smaller type of keys and values").formatted(
                                path, contextLength, perContext * pageBytes, settings.kvMemory()));
            }
        } else if (settings.maxSequences() > 0) {
            pages = (long) perContext * settings.maxSequences();
        } else {
            pages = Math.max(perContext, Math.min((long) perContext * DEFAULT_CONTEXTS, DEFAULT_MEMORY / pageBytes));
        }
        return pages;
    }

    /** Memory of the machine, or of the container, in bytes. */
    static long totalMemory() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getTotalMemorySize();
    }
}
