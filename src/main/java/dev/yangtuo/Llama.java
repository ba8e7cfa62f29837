package dev.yangtuo;

import dev.yangtuo.exception.ContextLengthException;
import dev.yangtuo.model.GenerationConfig;
import dev.yangtuo.model.LoadedModel;
import dev.yangtuo.model.Model;
import dev.yangtuo.model.ModelExport;
import dev.yangtuo.model.ModelLoader;
import dev.yangtuo.model.Sequence;
import dev.yangtuo.model.TokenizerFiles;
import dev.yangtuo.sampling.Sampler;
import dev.yangtuo.sampling.SamplingOptions;
import dev.yangtuo.scheduler.DraftModel;
import dev.yangtuo.scheduler.Drafter;
import dev.yangtuo.scheduler.Scheduler;
import dev.yangtuo.scheduler.SchedulerOptions;
import dev.yangtuo.tokenizer.Tokenizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A loaded LLaMA model. Owns its weights and threads until it is closed. May be shared by threads: any number of texts can be in the making at the
 * same time; they are computed together, in common forward passes, and what common beginnings give is computed once. A text does not depend on which others are
 * computed beside it: the same options and seed give the same text, bit for bit.
 *
 * {@snippet :
 * try (Llama llama = Llama.load(Path.of("model"), LoadOptions.defaults().lora(Path.of("chinese-lora")))) {
 *     llama.generate("《静夜思》李白\n", GenerateOptions.defaults()).forEach(System.out::print);
 * }
 * }
 */
public final class Llama implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final Tokenizer tokenizer;
    private final GenerationConfig recommended;
    private final LoadReport report;
    private final Model model;
    private final Scheduler scheduler;
    private final Cleaner.Cleanable cleanable;

    private Llama(LoadedModel loaded) {
        this.tokenizer = loaded.tokenizer();
        this.recommended = loaded.generation();
        this.report = LoadReport.of(loaded);
        this.model = loaded.model();
        this.scheduler = new Scheduler(model, SchedulerOptions.DEFAULT);
        this.cleanable = CLEANER.register(this, closing(scheduler, model));
    }

    /** Static, so that it does not keep the Llama that it waits for. */
    private static Runnable closing(Scheduler scheduler, Model model) {
        return () -> {
            scheduler.close();
            model.close();
        };
    }

    /** Loads a model without adapters; see {@link #load(Path, LoadOptions)}. */
    public static Llama load(Path model) {
        return load(model, LoadOptions.defaults());
    }

    /**
     * Loads a model and merges its adapters.
     *
     * @param model a Hugging Face directory ({@code config.json}, {@code *.safetensors}, {@code tokenizer.model}) or a GGUF file
     * @throws dev.yangtuo.exception.CheckpointFormatException if a file of the model is missing, damaged or not understood
     * @throws dev.yangtuo.exception.TokenizerFormatException the same for its tokenizer
     * @throws dev.yangtuo.exception.AdapterException if an adapter is, or if it does not fit the model
     * @throws dev.yangtuo.exception.KernelException if the memory does not suffice
     * @throws dev.yangtuo.exception.NativeLibraryException if the native library was asked for and cannot be loaded
     */
    public static Llama load(Path model, LoadOptions options) {
        return new Llama(ModelLoader.load(model, options.settings()));
    }

    /** Writes a model; see {@link #convert(Path, Path, LoadOptions, ConvertOptions)}. */
    public static ConvertReport convert(Path model, Path output, LoadOptions options) {
        return convert(model, output, options, ConvertOptions.defaults());
    }

    /**
     * Writes a model with its adapters merged, as a model of its own. It appears under its name when it is complete; until then, and if the program
     * is interrupted, nothing is there but what was before. An interrupt of the calling thread ends it, as does a progress listener that throws.
     *
     * @param model as for {@link #load(Path, LoadOptions)}
     * @param output a GGUF file if its name ends in {@code .gguf}, which replaces one that is there; else a Hugging Face directory
     *     ({@code config.json}, {@code *.safetensors}, the tokenizer), whose weights can only be F32, F16 or BF16
     * @param options of these the adapters, the type of the weights, the threads and the listener count
     * @throws IllegalArgumentException if the output cannot have this type
     * @throws dev.yangtuo.exception.YangtuoException if it cannot be written, beside what {@link #load(Path, LoadOptions)} throws
     */
    public static ConvertReport convert(Path model, Path output, LoadOptions options, ConvertOptions convert) {
        return ConvertReport.of(ModelExport.run(model, output, convert.settings(options)));
    }

    /**
     * Loads the tokenizer of a model without its weights.
     *
     * @param path a {@code tokenizer.model} file, a directory that holds one, with the tokens that {@code added_tokens.json},
     *     {@code tokenizer_config.json} and {@code special_tokens_map.json} add there, or a GGUF file
     * @throws dev.yangtuo.exception.TokenizerFormatException if there is none, or it is damaged or of a kind that is not supported
     */
    public static Tokenizer loadTokenizer(Path path) {
        return TokenizerFiles.load(path);
    }

    /** What was loaded and merged. */
    public LoadReport report() {
        return report;
    }

    /** The tokenizer: the last adapter's that has one, else the model's. */
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /** Number of logits of each token: rows of the output matrix. */
    public int vocabSize() {
        return model.config().vocabSize();
    }

    /** Tokens that a text can have, prompt included. */
    public int contextLength() {
        return model.contextLength();
    }

    /**
     * Starts a text.
     *
     * @param prompt what the text begins with; may be empty if a beginning-of-sequence token is added
     * @return the continuation, computed as it is read
     * @throws ContextLengthException if the prompt is longer than the context
     * @throws IllegalStateException if the model is closed
     */
    public Generation generate(String prompt, GenerateOptions options) {
        return generate(options.bos() ? withBos(prompt) : tokenizer.encode(prompt), options);
    }

    /** The ids of a text, behind a beginning-of-sequence token if there is one. */
    private int[] withBos(String text) {
        int[] ids = tokenizer.encode(text);
        if (tokenizer.bosId() < 0) {
            return ids;
        }
        int[] withBos = new int[ids.length + 1];
        withBos[0] = tokenizer.bosId();
        System.arraycopy(ids, 0, withBos, 1, ids.length);
        return withBos;
    }

    /**
     * Starts a text from token ids; nothing is added to them.
     *
     * @param prompt ids, at least one
     * @throws ContextLengthException if there are more than the context takes
     * @throws IllegalStateException if the model is closed
     */
    public Generation generate(int[] prompt, GenerateOptions options) {
        requireIds(prompt);
        SamplingOptions sampling = options.sampling(recommended.sampling());
        long seed = options.seed().orElseGet(() -> ThreadLocalRandom.current().nextLong(1L << 32));
        int maxTokens = options.maxTokens() == 0 ? recommended.maxTokens() : options.maxTokens();
        // Rows beyond the tokenizer's pieces are padding: they stand for no text, so they are never chosen.
        int choices = Math.min(vocabSize(), tokenizer.vocabSize());
        return new Generation(
                this,
                scheduler,
                new Generation.Request(prompt.clone(), maxTokens, endIds(), seed, options.priority()),
                new Sampler(sampling, seed, choices),
                options.newDrafter(this),
                tokenizer.continuationDecoder(prompt),
                new StopText(options.stops()));
    }

    /**
     * Computes the logits of each of the given tokens: those of the token that follows it. Nothing is added to them.
     *
     * @param ids at least one
     * @throws ContextLengthException if there are more than the context takes
     */
    public void logits(int[] ids, LogitsConsumer consumer) {
        requireIds(ids);
        int step = Math.min(model.maxOutputColumns(), ids.length);
        float[] logits = new float[Math.multiplyExact(step, vocabSize())];
        try (Sequence sequence = model.newSequence()) {
            sequence.ropeLength(ids.length);
            for (int done = 0; done < ids.length; ) {
                int count = Math.min(step, ids.length - done);
                model.forwardAll(sequence, ids, done, count, logits);
                for (int i = 0; i < count; i++) {
                    consumer.accept(done + i, logits, i * vocabSize());
                }
                done += count;
            }
        }
    }

    /**
     * Measures how well the model predicts a text.
     *
     * @param text any; a half surrogate pair counts as U+FFFD
     * @throws IllegalArgumentException if the windows that were asked for are longer than the model's context
     * @throws dev.yangtuo.exception.YangtuoException if the text is empty, or too short for the method
     * @throws IllegalStateException if the model is closed, or as many sequences are open as it was loaded for
     */
    public Perplexity perplexity(CharSequence text, PerplexityOptions options) {
        try {
            return perplexity(new ByteArrayInputStream(text.toString().replaceAll("\\p{Cs}", "\uFFFD").getBytes(StandardCharsets.UTF_8)), options);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory has none
        }
    }

    /**
     * Measures how well the model predicts a text of any length, which is read while it is computed; {@link #perplexity(CharSequence, PerplexityOptions)} has
     * the rest. The forward passes of other texts may run between its windows.
     *
     * @param utf8 the text; every byte that is not part of a valid character counts as U+FFFD. Read to its end, not closed
     * @throws IOException if it cannot be read
     */
    public Perplexity perplexity(InputStream utf8, PerplexityOptions options) throws IOException {
        model.requireOpen();
        try {
            return new PerplexityMeter(model, tokenizer, options).measure(utf8);
        } finally {
            Reference.reachabilityFence(this); // else the cleaner could close the model that is in use
        }
    }

    private void requireIds(int[] ids) {
        model.requireOpen();
        if (ids.length == 0) {
            throw new IllegalArgumentException("there is no token to begin with; give a prompt, or let a beginning-of-sequence token be added");
        }
        if (ids.length > contextLength()) {
            throw new ContextLengthException(ids.length, contextLength());
        }
        for (int id : ids) {
            if (id < 0 || id >= vocabSize()) {
                throw new IllegalArgumentException("token id %d is outside the vocabulary of %d".formatted(id, vocabSize()));
            }
        }
    }

    /** This model as the one that guesses for another. */
    Drafter newDraft(Llama larger, int tokens) {
        int size = tokenizer.vocabSize();
        if (size != larger.tokenizer.vocabSize()) {
            throw new IllegalArgumentException("the model that guesses has a vocabulary of %d pieces, the other of %d; they must be the same"
                    .formatted(size, larger.tokenizer.vocabSize()));
        }
        for (int id = 0; id < size; id++) {
            if (!tokenizer.piece(id).equals(larger.tokenizer.piece(id))) {
                throw new IllegalArgumentException("piece %d is '%s' for the model that guesses and '%s' for the other; their vocabularies must be the same"
                        .formatted(id, tokenizer.piece(id), larger.tokenizer.piece(id)));
            }
        }
        return new DraftModel(model, Math.min(size, vocabSize()), tokens);
    }

    /**
     * Saves what the model has computed of a text's beginning (its keys and values), and computes what is missing, so that {@link #restoreContext} gives it to texts with
     * the same beginning, in another process, too. In pages of 64 tokens: what is left over is not in the file.
     *
     * @param prompt as for {@link #generate(String, GenerateOptions)}, with the model's beginning-of-sequence token
     * @param file replaces one that is there when it is complete
     * @return how many tokens are in it
     * @throws ContextLengthException if the text is longer than the context
     * @throws IllegalStateException if the model is closed, or the memory for keys and values does not suffice
     * @throws dev.yangtuo.exception.YangtuoException if the file cannot be written
     */
    public int saveContext(String prompt, Path file) {
        int[] ids = withBos(prompt);
        requireIds(ids);
        return model.saveContext(ids, file);
    }

    /**
     * Remembers what {@link #saveContext} saved.
     *
     * @return how many tokens texts need not compute that begin like the one that was saved
     * @throws dev.yangtuo.exception.CheckpointFormatException if the file is damaged, or was saved with another model, adapter or type of weights
     * @throws IllegalStateException if the model is closed, or the memory for keys and values does not suffice
     */
    public int restoreContext(Path file) {
        return model.restoreContext(file);
    }

    /** What the texts of this model have taken together. */
    public TextStatistics statistics() {
        return TextStatistics.of(scheduler.statistics());
    }

    private int[] endIds() {
        Set<Integer> ids = new LinkedHashSet<>(recommended.eosIds());
        ids.addAll(model.config().eosIds());
        if (tokenizer.eosId() >= 0) {
            ids.add(tokenizer.eosId());
        }
        return ids.stream().mapToInt(Integer::intValue).toArray();
    }

    /**
     * Frees the weights and ends the threads; waits for the forward pass that is running. Texts in the making then fail with an
     * {@link IllegalStateException}. Closing twice is harmless.
     */
    @Override
    public void close() {
        cleanable.clean();
    }
}
