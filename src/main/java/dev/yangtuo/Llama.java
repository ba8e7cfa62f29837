package dev.yangtuo;

import dev.yangtuo.chat.ChatMessage;
import dev.yangtuo.chat.ChatTemplate;
import dev.yangtuo.chat.Session;
import dev.yangtuo.chat.SessionOptions;
import dev.yangtuo.engine.Engines;
import dev.yangtuo.exception.ContextLengthException;
import dev.yangtuo.llamacpp.LlamaCppLibrary;
import dev.yangtuo.llamacpp.LlamaCppTokenizers;
import dev.yangtuo.model.ChatTemplateSource;
import dev.yangtuo.model.GenerationConfig;
import dev.yangtuo.model.LoadedModel;
import dev.yangtuo.model.Model;
import dev.yangtuo.model.ModelExport;
import dev.yangtuo.model.Sequence;
import dev.yangtuo.model.TokenizerFiles;
import dev.yangtuo.sampling.Sampler;
import dev.yangtuo.sampling.SamplerVocabulary;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A loaded LLaMA model. Owns its weights and threads until it is closed. May be shared by threads: any number of texts can be in the making at the
 * same time; they are computed together, in common forward passes, and what common beginnings give is computed once. A text does not depend on which others are
 * computed beside it: the same options and seed give the same text, bit for bit, with Yangtuo's own engine. With llama.cpp
 * ({@link Engine}) the last bits may depend on them.
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
    private final @Nullable ChatTemplateSource ownTemplate;
    /** Parsed when it is first asked for: whoever does not chat need not care whether it can be. */
    private volatile @Nullable ChatTemplate chatTemplate;
    private final Model model;
    private final Scheduler scheduler;
    private final SamplerVocabulary samplerVocabulary;
    private final Cleaner.Cleanable cleanable;

    private Llama(LoadedModel loaded) {
        this.tokenizer = loaded.tokenizer();
        this.recommended = loaded.generation();
        this.report = LoadReport.of(loaded);
        this.ownTemplate = loaded.chatTemplate();
        this.model = loaded.model();
        this.scheduler = new Scheduler(model, SchedulerOptions.DEFAULT);
        this.samplerVocabulary = new SamplerVocabulary(tokenizer, choices(), endIds());
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
        return new Llama(Engines.load(model, options));
    }

    /**
     * Says what memory a model would take, without loading it: reads headers only.
     *
     * @param model as for {@link #load(Path, LoadOptions)}
     * @param options the same that it would be loaded with
     * @throws dev.yangtuo.exception.YangtuoException what {@link #load(Path, LoadOptions)} would throw before it reads the first tensor
     */
    public static MemoryPlan plan(Path model, LoadOptions options) {
        return MemoryPlan.of(Engines.plan(model, options));
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
        return loadTokenizer(path, LoadOptions.defaults());
    }

    /**
     * Loads the tokenizer of a model without its weights: Yangtuo's own, or llama.cpp's. Models have Yangtuo's own with both engines, as far as it knows their kind; llama.cpp's
     * is for the others, and for comparison.
     *
     * @param path as for {@link #loadTokenizer(Path)}
     * @param options of these the engine and where llama.cpp's library is count: {@link Engine#YANGTUO} for its own, {@link Engine#LLAMA_CPP} for llama.cpp's, which takes a
     *     GGUF file, {@link Engine#AUTO} for its own unless it does not know the kind
     * @throws dev.yangtuo.exception.TokenizerFormatException if there is none, or it is damaged or of a kind that is not supported
     * @throws dev.yangtuo.exception.NativeLibraryException if llama.cpp's library is asked for and cannot be loaded
     */
    public static Tokenizer loadTokenizer(Path path, LoadOptions options) {
        return switch (options.engine()) {
            case YANGTUO -> TokenizerFiles.load(path);
            case LLAMA_CPP -> LlamaCppTokenizers.own(LlamaCppLibrary.load(options.llamaCpp().library().orElse(null)), path);
            case AUTO -> LlamaCppTokenizers.known(path, options.llamaCpp().library().orElse(null));
        };
    }

    /** What was loaded and merged. */
    public LoadReport report() {
        return report;
    }

    /** The tokenizer: the last adapter's that has one, else the model's. */
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    /**
     * How {@link #chat(List, GenerateOptions)} writes down messages: the Jinja template that the model, or the adapter that brings its tokenizer, has in {@code chat_template.jinja},
     * {@code tokenizer_config.json} or its GGUF file. A model without one is a base model, or was trained before there were such templates, as Chinese-Alpaca was: then Alpaca's form.
     *
     * @throws dev.yangtuo.exception.ChatTemplateException if the model's template cannot be read
     */
    public ChatTemplate chatTemplate() {
        ChatTemplate known = chatTemplate;
        if (known == null) {
            known = ownTemplate == null ? ChatTemplate.named("alpaca") : ChatTemplate.jinja(ownTemplate.text(), ownTemplate.file().toString());
            chatTemplate = known;
        }
        return known;
    }

    /** Whether the model brings a chat template; without one it is most likely a base model, which goes on with a text rather than to answer. */
    public boolean hasChatTemplate() {
        return ownTemplate != null;
    }

    /** Number of logits of each token: rows of the output matrix. */
    public int vocabSize() {
        return model.vocabSize();
    }

    /** Ids that stand for text: rows beyond the tokenizer's pieces are padding, so they are never chosen. */
    private int choices() {
        return Math.min(vocabSize(), tokenizer.vocabSize());
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
     * @throws IllegalArgumentException if a token of the options is not in the vocabulary, or more tokens are wanted at least than at most
     * @throws dev.yangtuo.exception.GrammarException if the options have a grammar that the vocabulary cannot follow
     * @throws IllegalStateException if the model is closed
     */
    public Generation generate(String prompt, GenerateOptions options) {
        return generate(options.bos() ? withBos(prompt) : tokenizer.encode(prompt), options);
    }

    /** The ids of a text, behind a beginning-of-sequence token if the model expects one; an empty text begins with one if there is any. */
    private int[] withBos(String text) {
        int[] ids = tokenizer.encode(text);
        if (tokenizer.bosId() < 0 || ids.length > 0 && !tokenizer.model().special().addBos()) {
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
     * @throws IllegalArgumentException if a token of the options is not in the vocabulary, or more tokens are wanted at least than at most
     * @throws IllegalStateException if the model is closed
     */
    public Generation generate(int[] prompt, GenerateOptions options) {
        return generate(prompt, options, endIds(), options.stops());
    }

    private Generation generate(int[] prompt, GenerateOptions options, int[] endIds, List<String> stops) {
        requireIds(prompt);
        SamplingOptions sampling = options.sampling(recommended.sampling());
        long seed = options.seed().orElseGet(() -> ThreadLocalRandom.current().nextLong(1L << 32));
        int maxTokens = maxTokens(options);
        if (sampling.rules().minTokens() > maxTokens) {
            throw new IllegalArgumentException("minTokens is %d, must be at most maxTokens, which is %d".formatted(sampling.rules().minTokens(), maxTokens));
        }
        return new Generation(
                this,
                scheduler,
                new Generation.Request(prompt.clone(), maxTokens, endIds, seed, options.priority(), options.logProbabilities(), options.promptListener()),
                new Sampler(sampling, seed, samplerVocabulary.withEndIds(endIds), options.newConstraint(tokenizer, endIds, prompt), options.newCustomStep()),
                options.newDrafter(this),
                tokenizer.continuationDecoder(prompt),
                new StopText(stops));
    }

    private int maxTokens(GenerateOptions options) {
        return options.maxTokens() == 0 ? recommended.maxTokens() : options.maxTokens();
    }

    /** The same with the model's own template; {@link #chat(ChatTemplate, List, GenerateOptions)} has the rest. */
    public Generation chat(List<ChatMessage> messages, GenerateOptions options) {
        return chat(chatTemplate(), messages, options);
    }

    /**
     * Starts the answer to messages. Special tokens come from the template alone: no message can hold one. What the template writes behind an answer ends it.
     *
     * <p>Where they do not fit the context, the oldest turns are left out: {@link #fitting}.
     *
     * @param template how messages are written down
     * @param messages at least one, with roles and in an order that the template takes
     * @param options {@link GenerateOptions#bos} adds a beginning-of-sequence token only where the model expects one and the template does not write it
     * @return the answer, computed as it is read
     * @throws dev.yangtuo.exception.ChatTemplateException if the template does not take such messages, or fails
     * @throws ContextLengthException if the last turn alone is longer than the context
     * @throws IllegalStateException if the model is closed
     */
    public Generation chat(ChatTemplate template, List<ChatMessage> messages, GenerateOptions options) {
        ChatEncoding encoding = new ChatEncoding(template, tokenizer, options.bos());
        int[] ids = encoding.encode(fitting(encoding, messages, options));
        ChatEnd end = encoding.end();
        int[] endIds = IntStream.concat(IntStream.of(endIds()), end.ids().stream().mapToInt(Integer::intValue)).distinct().toArray();
        return generate(ids, options, endIds, Stream.concat(options.stops().stream(), end.stops().stream()).distinct().toList());
    }

    /**
     * Leaves out of a conversation what its next answer would not know: the oldest turns, as few as it takes, so that the rest and
     * {@link GenerateOptions#maxTokens(int)} of an answer, at most a quarter of the context, fit together. A turn is a message of the user with what follows it up to the next one; system
     * messages before the first turn stay, and the last turn.
     *
     * @return the messages themselves if all fit
     * @throws dev.yangtuo.exception.ChatTemplateException if the template does not take such messages, or fails
     * @throws ContextLengthException if the last turn alone is longer than the context
     */
    public List<ChatMessage> fitting(ChatTemplate template, List<ChatMessage> messages, GenerateOptions options) {
        return fitting(new ChatEncoding(template, tokenizer, options.bos()), messages, options);
    }

    /**
     * The ids of messages and of what introduces the answer to them, as {@link #chat(ChatTemplate, List, GenerateOptions)} gives them to the model, but for what it leaves out:
     * for {@link #score(int[], List)}.
     *
     * @throws dev.yangtuo.exception.ChatTemplateException if the template does not take such messages, or fails
     */
    public int[] chatPrompt(ChatTemplate template, List<ChatMessage> messages) {
        return new ChatEncoding(template, tokenizer, true).encode(messages);
    }

    /** Opens a conversation; {@link Session} has the rest. */
    public Session openSession(SessionOptions options) {
        return Session.open(this, options);
    }

    private List<ChatMessage> fitting(ChatEncoding encoding, List<ChatMessage> messages, GenerateOptions options) {
        int answer = Math.min(maxTokens(options), contextLength() / 4);
        return encoding.fit(messages, contextLength() - answer, contextLength());
    }

    /**
     * Starts a text at once and returns without waiting for it.
     *
     * @param prompt as for {@link #generate(String, GenerateOptions)}
     * @return completed with the result, by a thread of its {@linkplain CompletableFuture#defaultExecutor() default executor}; with an {@link IllegalStateException} if
     *     the model is closed before. Cancelling it, or completing it in any other way with an exception (a timeout), ends the text at once
     * @throws ContextLengthException if the prompt is longer than the context
     * @throws IllegalStateException if the model is closed
     */
    public CompletableFuture<GenerationResult> generateAsync(String prompt, GenerateOptions options) {
        return generate(prompt, options).begin();
    }

    /**
     * Generates texts, all of them at the same time; what their prompts have in common at the beginning is computed once. Each is the text that it would be alone with
     * the same options. For more texts than fit the memory, or files of them, there is {@code dev.yangtuo.batch}.
     *
     * @param prompts any number
     * @param options of each of them, the seed, if there is one, included
     * @return the results in the order of the prompts
     * @throws ContextLengthException if a prompt is longer than the context; nothing is computed then
     * @throws IllegalStateException if the model is closed
     */
    public List<GenerationResult> generateBatch(List<String> prompts, GenerateOptions options) {
        List<Generation> generations = new ArrayList<>();
        for (String prompt : prompts) {
            int[] ids = options.bos() ? withBos(prompt) : tokenizer.encode(prompt);
            requireIds("prompt %d".formatted(generations.size() + 1), ids);
            generations.add(generate(ids, options));
        }
        try {
            Generation.beginAll(generations, scheduler);
            return generations.stream().map(Generation::result).toList();
        } finally {
            generations.forEach(Generation::close);
        }
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
     * Computes how probable continuations are after a prompt, for evaluation and for ranking. What they have in common is computed once, and all of them together with
     * whatever else the model has to do; no score depends on that, to the last bit.
     *
     * <p>Tokens: where the ids of prompt and continuation, encoded as one text, begin with those of the prompt encoded alone, the continuation's are those that follow.
     * Otherwise, where a token would cross the boundary, the prompt keeps its own and the continuation is encoded by itself, as a text that goes on
     * ({@link Tokenizer#encodeContinuation}). A space between them belongs to the continuation: {@code score("The sky is", List.of(" blue", " green"))}.
     *
     * @param prompt what is before them, behind a beginning-of-sequence token if the model expects one; may be empty if the tokenizer has one
     * @param continuations not empty
     * @return a score for each, in their order
     * @throws ContextLengthException if the prompt and a continuation are longer than the context takes; its last token need not fit
     * @throws IllegalArgumentException if a continuation has no tokens
     * @throws IllegalStateException if the model is closed
     */
    public List<Score> score(String prompt, List<String> continuations) {
        int[] promptIds = withBos(prompt);
        int[] alone = tokenizer.encode(prompt);
        return score(promptIds, continuations.stream().map(continuation -> continuationIds(prompt, alone, continuation)).toList());
    }

    /** @param alone ids of the prompt */
    private int[] continuationIds(String prompt, int[] alone, String continuation) {
        int[] whole = tokenizer.encode(prompt + continuation);
        boolean goesOn = whole.length > alone.length && Arrays.mismatch(whole, alone) == alone.length;
        return goesOn ? Arrays.copyOfRange(whole, alone.length, whole.length) : tokenizer.encodeContinuation(continuation);
    }

    /**
     * The same of token ids; nothing is added to them.
     *
     * @param prompt ids, at least one
     * @param continuations ids of each, at least one
     */
    public List<Score> score(int[] prompt, List<int[]> continuations) {
        requireIds(prompt);
        List<Scoring> scorings = new ArrayList<>();
        for (int[] continuation : continuations) {
            if (continuation.length == 0) {
                throw new IllegalArgumentException("continuation %d has no tokens; there is nothing to score".formatted(scorings.size() + 1));
            }
            int[] tokens = Arrays.copyOf(prompt, Math.addExact(prompt.length, continuation.length));
            System.arraycopy(continuation, 0, tokens, prompt.length, continuation.length);
            requireVocabulary(continuation, choices());
            if (tokens.length - 1 > contextLength()) {
                throw new ContextLengthException("the prompt with continuation %d".formatted(scorings.size() + 1), tokens.length, contextLength());
            }
            scorings.add(new Scoring(tokens, prompt.length, vocabSize(), tokenizer));
        }
        try {
            Reading.readAll(scorings, scheduler);
            return scorings.stream().map(Scoring::score).toList();
        } finally {
            Reference.reachabilityFence(this); // else the cleaner could close the model that is in use
        }
    }

    /**
     * Computes a vector for each of some texts: the states of their tokens behind the last norm of the model, pooled. All are computed together with whatever else the
     * model has to do; no vector depends on that, to the last bit.
     *
     * @param texts any; none may be empty if no beginning-of-sequence token is added
     * @return {@code float[dim]} for each, in their order
     * @throws ContextLengthException if a text is longer than the context
     * @throws IllegalStateException if the model is closed
     */
    public List<float[]> embed(List<String> texts, EmbeddingOptions options) {
        return embedIds(texts.stream().map(text -> options.bos() ? withBos(text) : tokenizer.encode(text)).toList(), options);
    }

    /**
     * The same of token ids; nothing is added to them.
     *
     * @param texts ids of each, at least one
     */
    public List<float[]> embedIds(List<int[]> texts, EmbeddingOptions options) {
        List<Embedding> embeddings = new ArrayList<>();
        for (int[] ids : texts) {
            requireIds("text %d".formatted(embeddings.size() + 1), ids);
            embeddings.add(new Embedding(ids.clone(), options, model.dim()));
        }
        try {
            Reading.readAll(embeddings, scheduler);
            return embeddings.stream().map(Embedding::vector).toList();
        } finally {
            Reference.reachabilityFence(this); // else the cleaner could close the model that is in use
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

    private void requireIds(int[] prompt) {
        requireIds("the prompt", prompt);
    }

    /** @param text what the ids are of */
    private void requireIds(String text, int[] ids) {
        model.requireOpen();
        if (ids.length == 0) {
            throw new IllegalArgumentException("there is no token to begin with: %s is empty, and no beginning-of-sequence token is added".formatted(text));
        }
        if (ids.length > contextLength()) {
            throw new ContextLengthException(text, ids.length, contextLength());
        }
        requireVocabulary(ids, vocabSize());
    }

    private static void requireVocabulary(int[] ids, int size) {
        for (int id : ids) {
            if (id < 0 || id >= size) {
                throw new IllegalArgumentException("token id %d is outside the vocabulary of %d".formatted(id, size));
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
        return new DraftModel(model, choices(), tokens);
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
        try {
            return model.saveContext(ids, file);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /**
     * Remembers what {@link #saveContext} saved.
     *
     * @return how many tokens texts need not compute that begin like the one that was saved
     * @throws dev.yangtuo.exception.CheckpointFormatException if the file is damaged, or was saved with another model, adapter or type of weights
     * @throws IllegalStateException if the model is closed, or the memory for keys and values does not suffice
     */
    public int restoreContext(Path file) {
        try {
            return model.restoreContext(file);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** What the texts of this model have taken together. */
    public TextStatistics statistics() {
        return TextStatistics.of(scheduler.statistics());
    }

    private int[] endIds() {
        Set<Integer> ids = new LinkedHashSet<>(recommended.eosIds());
        ids.addAll(model.eosIds());
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
