package dev.yangtuo;

import dev.yangtuo.grammar.Grammar;
import dev.yangtuo.grammar.TokenConstraint;
import dev.yangtuo.sampling.CustomStep;
import dev.yangtuo.sampling.Dry;
import dev.yangtuo.sampling.DynamicTemperature;
import dev.yangtuo.sampling.Mirostat;
import dev.yangtuo.sampling.Penalties;
import dev.yangtuo.sampling.SamplingOptions;
import dev.yangtuo.sampling.TokenBias;
import dev.yangtuo.sampling.TokenName;
import dev.yangtuo.sampling.TokenRules;
import dev.yangtuo.sampling.Truncation;
import dev.yangtuo.sampling.Xtc;
import dev.yangtuo.scheduler.Drafter;
import dev.yangtuo.scheduler.PromptLookup;
import dev.yangtuo.scheduler.TextTask;
import dev.yangtuo.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * How one text is generated. Immutable: each method returns a changed copy. What is not set comes from the
 * {@code generation_config.json} of the last adapter or of the model, or is what LLaMA models are usually run with: temperature 0.2,
 * top-k 40, top-p 0.9, repetition penalty 1.1, 400 tokens.
 *
 * <p>The steps of sampling, in their order, which is that of llama.cpp: the program's own {@link #logitsProcessor}; what the {@link #grammar} forbids; required tokens,
 * minimum of tokens; logit biases and bans; repetition, frequency and presence penalties; DRY; top-n-sigma; top-k; typical-p; top-p; min-p; XTC; temperature; draw. With
 * mirostat: the same up to DRY; temperature; mirostat. Steps that are not set are off.
 */
public final class GenerateOptions {
    private static final GenerateOptions DEFAULTS = new GenerateOptions();

    // Assigned only to a fresh copy before it is handed out.
    private List<UnaryOperator<SamplingOptions>> changes = List.of(); // of what the model recommends, in their order
    private TokenRules rules = TokenRules.NONE; // no model recommends any, and there may be one for each token
    private int maxTokens;
    private OptionalLong seed = OptionalLong.empty();
    private @Nullable Supplier<? extends LogitsProcessor> logitsProcessor;
    private List<String> stops = List.of();
    private boolean bos = true;
    private @Nullable Grammar grammar;
    private int priority;
    private int logProbabilities = TextTask.NONE;
    private int promptLookup;
    private @Nullable Llama draft;
    private int draftTokens;
    private Consumer<? super PromptProgress> promptListener = progress -> {};

    private GenerateOptions() {}

    private GenerateOptions copy() {
        GenerateOptions copy = new GenerateOptions();
        copy.changes = changes;
        copy.rules = rules;
        copy.maxTokens = maxTokens;
        copy.seed = seed;
        copy.logitsProcessor = logitsProcessor;
        copy.stops = stops;
        copy.bos = bos;
        copy.grammar = grammar;
        copy.priority = priority;
        copy.logProbabilities = logProbabilities;
        copy.promptLookup = promptLookup;
        copy.draft = draft;
        copy.draftTokens = draftTokens;
        copy.promptListener = promptListener;
        return copy;
    }

    private static <T> List<T> longer(List<T> list, T more) {
        List<T> longer = new ArrayList<>(list);
        longer.add(more);
        return List.copyOf(longer);
    }

    private GenerateOptions truncated(UnaryOperator<Truncation> change) {
        return with(options -> options.with(change.apply(options.truncation())));
    }

    private GenerateOptions penalized(UnaryOperator<Penalties> change) {
        return with(options -> options.with(change.apply(options.penalties())));
    }

    private GenerateOptions dry(UnaryOperator<Dry> change) {
        return with(options -> options.with(change.apply(options.dry())));
    }

    private GenerateOptions ruled(UnaryOperator<TokenRules> change) {
        GenerateOptions copy = copy();
        copy.rules = change.apply(rules);
        return copy;
    }

    private GenerateOptions with(UnaryOperator<SamplingOptions> change) {
        change.apply(SamplingOptions.DEFAULT); // out of range is said at once, where the caller can see it
        GenerateOptions copy = copy();
        copy.changes = longer(changes, change);
        return copy;
    }

    /** As the model recommends, with a random seed. */
    public static GenerateOptions defaults() {
        return DEFAULTS;
    }

    /** Always the most probable token, without penalties; settings of sampling made before, bans and the like among them, are forgotten, later ones hold. */
    public GenerateOptions greedy() {
        GenerateOptions copy = with(options -> SamplingOptions.GREEDY);
        copy.rules = TokenRules.NONE;
        return copy;
    }

    /** 0 takes the most probable token, 1 samples as the model computed it; 0 or more. */
    public GenerateOptions temperature(float value) {
        return with(options -> options.withTemperature(value));
    }

    /**
     * Lets the temperature follow how sure the model is, from {@code temperature - range} (at least 0) where there is one way on to {@code temperature + range} where all ways
     * are equal. The share of the greatest possible entropy is raised to {@code exponent} before. (Zhang et al., arXiv 2309.02772, as llama.cpp does it.)
     *
     * @param range 0 or more; 0 leaves the temperature as it is
     * @param exponent 0 or more; 1 is usual
     */
    public GenerateOptions dynamicTemperature(float range, float exponent) {
        return with(options -> options.with(new DynamicTemperature(range, exponent)));
    }

    /**
     * Keeps logits that are at most this many standard deviations below the largest one; 0 or more, 0 keeps all. (Tang et al., arXiv 2411.07641.)
     */
    public GenerateOptions topNSigma(float value) {
        return truncated(truncation -> truncation.withTopNSigma(value));
    }

    /** Keeps this many most probable tokens; 0 keeps all. */
    public GenerateOptions topK(int value) {
        return with(options -> options.withTopK(value));
    }

    /**
     * Keeps the tokens whose surprise is closest to the expected one, until together they have more than this probability; more than 0, 1 keeps all. (Meister et al.,
     * arXiv 2202.00666.)
     */
    public GenerateOptions typicalP(float value) {
        return truncated(truncation -> truncation.withTypicalP(value));
    }

    /** Keeps the most probable tokens that together reach this probability; more than 0, 1 keeps all. */
    public GenerateOptions topP(float value) {
        return with(options -> options.withTopP(value));
    }

    /** Keeps tokens at least this share as probable as the most probable one; 0 to 1, 0 keeps all. */
    public GenerateOptions minP(float value) {
        return with(options -> options.withMinP(value));
    }

    /**
     * Excludes top choices: of the tokens that reach the threshold all but the least probable one are taken out, with a probability, at each token anew.
     *
     * @param probability 0 (off) to 1
     * @param threshold 0 to 1; more than 0.5 is off, since no two tokens reach it
     */
    public GenerateOptions xtc(float probability, float threshold) {
        return with(options -> options.with(new Xtc(probability, threshold)));
    }

    /**
     * Makes tokens that were already there, prompt included, less probable: divides their logits where these are positive, multiplies them where not. More than 0, 1 changes
     * nothing.
     */
    public GenerateOptions repeatPenalty(float value) {
        return penalized(penalties -> penalties.withRepeat(value));
    }

    /** Repetition, presence and frequency penalties count only the last tokens, this many; 0 is none, -1, which is so unless set, the whole text. */
    public GenerateOptions repeatLastN(int tokens) {
        return penalized(penalties -> penalties.withLastN(tokens));
    }

    /** Taken from the logits of tokens that were already there; finite, 0 changes nothing. */
    public GenerateOptions presencePenalty(float value) {
        return penalized(penalties -> penalties.withPresence(value));
    }

    /** Taken from the logits of tokens that were already there, as often as they were; finite, 0 changes nothing. */
    public GenerateOptions frequencyPenalty(float value) {
        return penalized(penalties -> penalties.withFrequency(value));
    }

    /**
     * Makes it harder to go on with a sequence of tokens that was already there ("don't repeat yourself"): a token that would lengthen a repetition of {@code n} tokens loses
     * {@code multiplier * base^(n - allowedLength)} of its logit. 0 or more, 0 is off, 0.8 is usual.
     */
    public GenerateOptions dryMultiplier(float value) {
        return dry(dry -> dry.withMultiplier(value));
    }

    /** The base of {@link #dryMultiplier}'s penalty; 1 or more, 1.75 unless set. */
    public GenerateOptions dryBase(float value) {
        return dry(dry -> dry.withBase(value));
    }

    /** Shorter repetitions are not penalized by {@link #dryMultiplier}; 0 or more, 2 unless set. */
    public GenerateOptions dryAllowedLength(int tokens) {
        return dry(dry -> dry.withAllowedLength(tokens));
    }

    /** {@link #dryMultiplier} looks only at the last tokens, this many; 0 is none, -1, which is so unless set, the whole text. */
    public GenerateOptions dryLastN(int tokens) {
        return dry(dry -> dry.withLastN(tokens));
    }

    /** Texts that end a repetition, of 1 to 40 characters each: line breaks, colons, quotation marks and asterisks unless set. */
    public GenerateOptions drySequenceBreakers(List<String> texts) {
        return dry(dry -> dry.withBreakers(texts));
    }

    /**
     * Aims at a constant surprise (mirostat v2; Basu et al., arXiv 2007.14966). Takes the place of top-n-sigma, top-k, typical-p, top-p, min-p and XTC.
     *
     * @param tau the surprise that is aimed at, in bits, 0 or more; 5 is usual
     * @param eta how fast the limit follows, 0 or more; 0.1 is usual
     */
    public GenerateOptions mirostat(float tau, float eta) {
        return with(options -> options.with(new Mirostat(true, tau, eta)));
    }

    /**
     * Adds to the logit of a token; several biases of one token add up.
     *
     * @param id of the vocabulary, which is checked when a text is begun
     * @param bias finite; or minus infinity, which bans the token
     */
    public GenerateOptions logitBias(int id, float bias) {
        return ruled(rules -> rules.plus(new TokenBias(TokenName.of(id), bias)));
    }

    /**
     * Adds to the logit of a token.
     *
     * @param token a piece's name, or a text that is one token in the middle of another text (a space at its beginning counts), which is checked when a text is begun
     * @param bias finite; or minus infinity, which bans the token
     */
    public GenerateOptions logitBias(String token, float bias) {
        return ruled(rules -> rules.plus(new TokenBias(TokenName.of(token), bias)));
    }

    /** These tokens never come; ids of the vocabulary, which are checked when a text is begun. */
    public GenerateOptions ban(int... ids) {
        GenerateOptions options = this;
        for (int id : ids) {
            options = options.logitBias(id, TokenBias.BAN);
        }
        return options;
    }

    /** This token never comes; as for {@link #logitBias(String, float)}. */
    public GenerateOptions ban(String token) {
        return logitBias(token, TokenBias.BAN);
    }

    /**
     * Only required tokens may come: these, and those of other calls. An end of the text comes only if it is among them.
     *
     * @param ids of the vocabulary, which are checked when a text is begun
     */
    public GenerateOptions require(int... ids) {
        GenerateOptions options = this;
        for (int id : ids) {
            options = options.ruled(rules -> rules.plusRequired(TokenName.of(id)));
        }
        return options;
    }

    /** The same of a token that is named as for {@link #logitBias(String, float)}. */
    public GenerateOptions require(String token) {
        return ruled(rules -> rules.plusRequired(TokenName.of(token)));
    }

    /** The end of the text does not come before there are this many tokens; 0 or more. A constraint that allows nothing else ends the text before. */
    public GenerateOptions minTokens(int count) {
        return ruled(rules -> rules.withMinTokens(count));
    }

    /**
     * Lets the program change the logits, before all other steps.
     *
     * @param perText makes one for each text
     */
    public GenerateOptions logitsProcessor(Supplier<? extends LogitsProcessor> perText) {
        GenerateOptions copy = copy();
        copy.logitsProcessor = perText;
        return copy;
    }

    /** The same seed gives the same text. */
    public GenerateOptions seed(long value) {
        GenerateOptions copy = copy();
        copy.seed = OptionalLong.of(value);
        return copy;
    }

    /** Tokens to generate at most, at least 1; the context may end the text before. */
    public GenerateOptions maxTokens(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("maxTokens is %d, must be at least 1".formatted(count));
        }
        GenerateOptions copy = copy();
        copy.maxTokens = count;
        return copy;
    }

    /** Ends the text before the first occurrence of this string, which must not be empty. May be called several times. */
    public GenerateOptions stop(String text) {
        if (text.isEmpty()) {
            throw new IllegalArgumentException("a stop text must not be empty");
        }
        GenerateOptions copy = copy();
        copy.stops = longer(stops, text);
        return copy;
    }

    /** Whether a beginning-of-sequence token precedes the prompt where the model expects one; an empty prompt has it wherever there is such a token. True unless set. */
    public GenerateOptions bos(boolean add) {
        GenerateOptions copy = copy();
        copy.bos = add;
        return copy;
    }

    /**
     * Lets only tokens come after which the text can still follow the grammar, and the end of the text only where it does. A text that ends for another reason
     * ({@link FinishReason#MAX_TOKENS}, a full context, a stop text) is the beginning of one that follows it. What a grammar has computed for a vocabulary is kept with it:
     * use one instance for all texts of a kind.
     */
    public GenerateOptions grammar(Grammar value) {
        GenerateOptions copy = copy();
        copy.grammar = Objects.requireNonNull(value);
        return copy;
    }

    /** Texts with a higher number go first where texts wait for others; 0 unless set. Waiting raises it with time, so that every text has its turn. */
    public GenerateOptions priority(int value) {
        GenerateOptions copy = copy();
        copy.priority = value;
        return copy;
    }

    /**
     * Asks for {@link GenerationResult#logProbabilities()}: of each generated token the natural logarithm of its probability, and the {@code n} most probable tokens with
     * theirs. They are the model's own, before penalties and temperature, and change nothing of the text. They cost a look at all logits of each token.
     *
     * @param n 0, for that of the generated token alone, to 20
     */
    public GenerateOptions logProbabilities(int n) {
        if (n < 0 || n > 20) {
            throw new IllegalArgumentException("logProbabilities is %d, must be 0 to 20".formatted(n));
        }
        GenerateOptions copy = copy();
        copy.logProbabilities = n;
        return copy;
    }

    /**
     * Guesses that the text repeats its prompt or itself, and computes up to {@code tokens} guesses together with each token: the text stays the same, token for token, and
     * comes faster where it quotes. 0, which is so unless set, guesses nothing. Takes the place of {@link #draft}.
     */
    public GenerateOptions promptLookup(int tokens) {
        requireGuesses("promptLookup", tokens);
        GenerateOptions copy = copy();
        copy.promptLookup = tokens;
        copy.draft = null;
        return copy;
    }

    /**
     * Guesses with a smaller model: its {@code tokens} most probable tokens, one after the other, are computed together with each token. The text stays the same, token for
     * token; it comes faster if the smaller model is much faster and often right. Takes the place of {@link #promptLookup}.
     *
     * @param model with the same vocabulary; stays the caller's and must be open while the text is generated
     * @param tokens 0 (which guesses nothing) to 64
     */
    public GenerateOptions draft(Llama model, int tokens) {
        requireGuesses("draft", tokens);
        GenerateOptions copy = copy();
        copy.promptLookup = 0;
        copy.draft = tokens == 0 ? null : model;
        copy.draftTokens = tokens;
        return copy;
    }

    /**
     * Is told each time that another part of the prompt is computed, on the thread that computes all texts: it must not wait for anything. If it throws, its text alone fails.
     */
    public GenerateOptions onPromptProgress(Consumer<? super PromptProgress> listener) {
        GenerateOptions copy = copy();
        copy.promptListener = Objects.requireNonNull(listener);
        return copy;
    }

    private static void requireGuesses(String name, int tokens) {
        if (tokens < 0 || tokens > 64) {
            throw new IllegalArgumentException("%s is %d tokens, must be 0 to 64".formatted(name, tokens));
        }
    }

    int priority() {
        return priority;
    }

    /**
     * What the text must follow, null if it is free.
     *
     * @param endIds tokens that end a text
     */
    @Nullable TokenConstraint newConstraint(Tokenizer tokenizer, int[] endIds, int[] prompt) {
        return grammar == null ? null : grammar.newConstraint(tokenizer, endIds, prompt);
    }

    Consumer<? super PromptProgress> promptListener() {
        return promptListener;
    }

    /** @param of the model that generates */
    Drafter newDrafter(Llama of) {
        if (draft != null) {
            return draft.newDraft(of, draftTokens);
        }
        return promptLookup == 0 ? Drafter.NONE : new PromptLookup(promptLookup);
    }

    SamplingOptions sampling(SamplingOptions recommended) {
        SamplingOptions result = recommended;
        for (UnaryOperator<SamplingOptions> change : changes) {
            result = change.apply(result);
        }
        return result.with(rules);
    }

    /** The program's own step of a text; null if there is none. */
    @Nullable CustomStep newCustomStep() {
        if (logitsProcessor == null) {
            return null;
        }
        LogitsProcessor processor = logitsProcessor.get();
        return processor::process;
    }

    /** 0: as the model recommends. */
    int maxTokens() {
        return maxTokens;
    }

    OptionalLong seed() {
        return seed;
    }

    int logProbabilities() {
        return logProbabilities;
    }

    List<String> stops() {
        return stops;
    }

    boolean bos() {
        return bos;
    }
}
