package dev.yangtuo.llamacpp;

import dev.yangtuo.bindings.llamacpp.LlamaCpp;
import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.model.LlamaCppVocabularyCheck;
import dev.yangtuo.tokenizer.ForeignModel;
import dev.yangtuo.tokenizer.Tokenizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * llama.cpp's own tokenizer of a GGUF file: its vocabulary, without weights. What is known of the pieces is copied when it is loaded; only {@link #encode} and
 * {@link #decode} call native code. Thread-safe. Whoever does not close it leaves that to the collector, which frees it when neither it nor a {@link #tokenizer()} of it
 * is in use.
 */
public final class LlamaCppTokenizer implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();

    /**
     * Words are cut by regular expressions, for which libstdc++ calls itself once for each char of a word and takes 330 bytes of the stack; here is three times as much.
     * Any thread has room for a few chars.
     */
    private static final int STACK_BYTES_PER_CHAR = 1024;
    private static final int CHARS_ON_ANY_STACK = 128;
    private static final long STACK_BYTES = 1 << 20;
    /** Ids that {@link #decode} takes, and bytes that it gives. */
    private static final int MAX_DECODED = 1 << 28;

    private final Path file;
    private final NativeVocabulary vocabulary;
    private final VocabularyCopy copy;
    private final Cleaner.Cleanable cleanable;

    private LlamaCppTokenizer(Path file, NativeVocabulary vocabulary, VocabularyCopy copy) {
        this.file = file;
        this.vocabulary = vocabulary;
        this.copy = copy;
        this.cleanable = CLEANER.register(this, vocabulary);
    }

    /**
     * Loads it.
     *
     * @param gguf a model or a vocabulary
     * @throws dev.yangtuo.exception.TokenizerFormatException if it is damaged, or of a kind that llama.cpp does not know or does not generate text with
     * @throws dev.yangtuo.exception.CheckpointFormatException if the file is damaged
     */
    public static LlamaCppTokenizer load(LlamaCppLibrary library, Path gguf) {
        try (GgufCheckpoint checkpoint = GgufCheckpoint.open(gguf)) {
            LlamaCppVocabularyCheck.requireEncoding(checkpoint);
            NativeVocabulary vocabulary = NativeVocabulary.load(library, checkpoint.path());
            try {
                VocabularyCopy copy = vocabulary.use(vocab -> VocabularyCopy.of(checkpoint.path(), checkpoint.metadata(), vocab));
                return new LlamaCppTokenizer(checkpoint.path(), vocabulary, copy);
            } catch (Throwable e) {
                vocabulary.run();
                throw e;
            }
        }
    }

    /**
     * The ids of a text, as {@code llama_tokenize} gives them. Text that it has no piece for, not even an unknown one, is left out.
     *
     * @param text at most {@value ForeignModel#MAX_PART_CHARS} chars; a half surrogate pair counts as U+FFFD
     * @param addSpecial whether the ids that the model expects around a text are added
     * @param parseSpecial whether control pieces that are written in the text become their ids
     * @throws IllegalArgumentException if the text is longer
     * @throws IllegalStateException if it is closed
     */
    public int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
        if (text.length() > ForeignModel.MAX_PART_CHARS) {
            throw new IllegalArgumentException("a text of %d chars, llama.cpp's tokenizer of %s is given at most %d at once".formatted(
                    text.length(), file, ForeignModel.MAX_PART_CHARS));
        }
        byte[] utf8 = utf8(text);
        try {
            return vocabulary.use(vocab -> {
                boolean special = addSpecial && hasWhatIsAdded(vocab);
                if (!copy.cutsByExpressions() || text.length() <= CHARS_ON_ANY_STACK) {
                    return encode(vocab, utf8, special, parseSpecial);
                }
                return onStack(STACK_BYTES + (long) STACK_BYTES_PER_CHAR * text.length(), () -> encode(vocab, utf8, special, parseSpecial));
            });
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** Without these ids it would end the process. */
    private static boolean hasWhatIsAdded(MemorySegment vocab) {
        boolean words = LlamaCpp.llama_vocab_type(vocab) == LlamaCpp.LLAMA_VOCAB_TYPE_WPM();
        boolean bos = !words && !LlamaCpp.llama_vocab_get_add_bos(vocab) || LlamaCpp.llama_vocab_bos(vocab) >= 0;
        boolean eos = !LlamaCpp.llama_vocab_get_add_eos(vocab) || LlamaCpp.llama_vocab_eos(vocab) >= 0;
        return bos && eos && (!words || LlamaCpp.llama_vocab_sep(vocab) >= 0);
    }

    private int[] encode(MemorySegment vocab, byte[] utf8, boolean addSpecial, boolean parseSpecial) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(Math.max(1, utf8.length));
            MemorySegment.copy(utf8, 0, text, ValueLayout.JAVA_BYTE, 0, utf8.length);
            int room = utf8.length + 2;
            MemorySegment ids = arena.allocate(ValueLayout.JAVA_INT, room);
            int count = LlamaCpp.llama_tokenize(vocab, text, utf8.length, ids, room, addSpecial, parseSpecial);
            if (count < 0) {
                room = requireSize(-(long) count);
                ids = arena.allocate(ValueLayout.JAVA_INT, room);
                count = LlamaCpp.llama_tokenize(vocab, text, utf8.length, ids, room, addSpecial, parseSpecial);
            }
            int size = copy.pieces().size();
            return IntStream.of(ids.asSlice(0, requireSize(count) * (long) Integer.BYTES).toArray(ValueLayout.JAVA_INT)).filter(id -> id >= 0 && id < size).toArray();
        }
    }

    private int requireSize(long count) {
        if (count < 0 || count > MAX_DECODED) {
            throw new YangtuoException("%s: llama.cpp's tokenizer returned %d; expected 0 to %d".formatted(file, count, MAX_DECODED));
        }
        return (int) count;
    }

    private static byte[] utf8(String text) {
        try {
            ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().onMalformedInput(CodingErrorAction.REPLACE)
                    .replaceWith("\uFFFD".getBytes(StandardCharsets.UTF_8)).encode(CharBuffer.wrap(text));
            byte[] utf8 = new byte[bytes.remaining()];
            bytes.get(utf8);
            return utf8;
        } catch (CharacterCodingException e) {
            throw new IllegalStateException("every char has its UTF-8", e);
        }
    }

    /** Runs something on a stack of that size, in a thread of its own. Not interruptible: it is as short as its text. */
    private static int[] onStack(long bytes, Supplier<int[]> action) {
        StackRun run = new StackRun(action);
        Thread thread = new Thread(null, run, "yangtuo-llama.cpp-tokenizer", bytes);
        thread.setDaemon(true);
        try {
            thread.start();
        } catch (OutOfMemoryError e) {
            throw new YangtuoException("there is no memory for a stack of %d bytes, which llama.cpp's tokenizer needs for a text as long as this; cut it into shorter ones"
                    .formatted(bytes), e);
        }
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return run.result();
    }

    /** What a thread came to. Read after it ended. */
    private static final class StackRun implements Runnable {
        private final Supplier<int[]> action;
        private int[] ids = {};
        private @Nullable Throwable failure;

        StackRun(Supplier<int[]> action) {
            this.action = action;
        }

        @Override
        public void run() {
            try {
                ids = action.get();
            } catch (Throwable e) {
                failure = e;
            }
        }

        int[] result() {
            if (failure != null) {
                throw new YangtuoException("llama.cpp's tokenizer failed: " + failure.getMessage(), failure);
            }
            return ids;
        }
    }

    /**
     * The text of ids, as {@code llama_detokenize} gives it: with some models it removes spaces before punctuation. What is not UTF-8 in it becomes U+FFFD.
     *
     * @param removeSpecial whether the ids that the model expects around a text are left out
     * @param unparseSpecial whether control pieces are written
     * @throws IllegalArgumentException if an id is not in the vocabulary, or the text is too long
     * @throws IllegalStateException if it is closed
     */
    public String decode(int[] ids, boolean removeSpecial, boolean unparseSpecial) {
        long bytes = 0;
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] < 0 || ids[i] >= copy.pieces().size()) {
                throw new IllegalArgumentException("id %d at index %d is outside the vocabulary of %d pieces".formatted(ids[i], i, copy.pieces().size()));
            }
            bytes += copy.bytes().get(ids[i]).length;
        }
        if (Math.max(bytes, ids.length) > MAX_DECODED) {
            throw new IllegalArgumentException("%d ids have a text of %d bytes; expected at most %d of both".formatted(ids.length, bytes, MAX_DECODED));
        }
        int room = (int) bytes;
        try {
            return vocabulary.use(vocab -> decode(vocab, ids, room, removeSpecial, unparseSpecial));
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    private String decode(MemorySegment vocab, int[] ids, int room, boolean removeSpecial, boolean unparseSpecial) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment tokens = arena.allocate(ValueLayout.JAVA_INT, Math.max(1, ids.length));
            MemorySegment.copy(ids, 0, tokens, ValueLayout.JAVA_INT, 0, ids.length);
            MemorySegment text = arena.allocate(Math.max(1, room));
            int length = LlamaCpp.llama_detokenize(vocab, tokens, ids.length, text, room, removeSpecial, unparseSpecial);
            return new String(text.asSlice(0, requireSize(length)).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        }
    }

    /** A tokenizer that encodes with this one and does all else as the others do. It keeps this one from being freed by the collector, but not from {@link #close}. */
    public Tokenizer tokenizer() {
        return Tokenizer.of(new ForeignModel(file, copy.pieces(), copy.bytes(), copy.special(), copy.rules(), text -> encode(text, false, false)));
    }

    /** Frees the vocabulary, after calls that use it; what encodes or decodes with it from then on gets an {@link IllegalStateException}. */
    @Override
    public void close() {
        cleanable.clean();
    }
}
