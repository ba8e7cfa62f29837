package dev.yangtuo.sampling;

import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.grammar.TokenConstraint;
import dev.yangtuo.kernel.Candidates;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Chooses tokens for one text, by the steps of {@link SamplingOptions} in their order. The same options, seed and logits give the same tokens. Allocates nothing per token,
 * but for what grows with the text, and some hundred bytes of the JDK's sort. Used by one thread at a time.
 *
 * <p>Where a few candidates are enough, {@link #candidateCount()} says so: then {@link #addEdits} and {@link #sample(Candidates, int)} choose among what the device
 * has chosen before, and give what {@link #sample(float[])} would of all logits. All steps up to DRY can be made on the device; what looks at all logits (a constraint, a
 * custom step, required tokens, top-n-sigma, mirostat) cannot.
 */
public final class Sampler {
    private final boolean greedy;
    private final int choices;
    private final @Nullable TokenConstraint constraint;
    private final TokenHistory history = new TokenHistory();
    /** In their order: first those that look at all logits, then changes of single ones, then those that look again. */
    private final RowStep[] masks;

    private final EditStep[] edits;
    private final RowStep[] cuts;
    private final ShortlistStep[] steps;
    private final Draw draw;
    private final int candidateCount;
    /** Of the first step that takes candidates out; 0 if it can leave any number. */
    private final int most;

    private final boolean forbids;

    private final RowEdits rowEdits = new RowEdits();
    private @Nullable CandidateEdits candidateEdits;
    private final Shortlist shortlist = new Shortlist();

    /** One without texts, constraint and custom step. */
    public Sampler(SamplingOptions options, long seed, int vocabSize) {
        this(options, seed, vocabSize, null);
    }

    /** One without texts and custom step. */
    public Sampler(SamplingOptions options, long seed, int vocabSize, @Nullable TokenConstraint constraint) {
        this(options, seed, SamplerVocabulary.withoutTexts(vocabSize), constraint, null);
    }

    /**
     * @param constraint of this text alone; null if all tokens may come
     * @param custom of this text alone; null for none
     * @throws IllegalArgumentException if a token of the options is not in the vocabulary
     */
    public Sampler(SamplingOptions options, long seed, SamplerVocabulary vocabulary, @Nullable TokenConstraint constraint, @Nullable CustomStep custom) {
        this.greedy = options.isGreedy();
        this.choices = vocabulary.choices();
        this.constraint = constraint;
        SplittableRandom random = new SplittableRandom(seed);
        this.masks = masks(options, vocabulary, constraint, custom);
        this.edits = edits(options, vocabulary, constraint);
        this.cuts = cuts(options, choices);
        this.steps = steps(options, random);
        this.draw = options.mirostat().isOn() ? new MirostatDraw(options.mirostat(), random) : new PlainDraw(random);
        this.candidateCount = masks.length > 0 ? 0 : candidateCount(options, choices);
        this.most = options.mirostat().isOn() ? 0 : options.topK();
        this.forbids = masks.length > 0 || options.rules().forbid();
    }

    private static RowStep[] masks(SamplingOptions options, SamplerVocabulary vocabulary, @Nullable TokenConstraint constraint, @Nullable CustomStep custom) {
        List<RowStep> steps = new ArrayList<>();
        if (custom != null) {
            steps.add(new CheckedCustomStep(custom, vocabulary.choices()));
        }
        if (constraint != null) {
            steps.add(new ConstraintStep(constraint, vocabulary.choices()));
        }
        if (!options.rules().required().isEmpty()) {
            steps.add(new RequiredStep(options.rules().required().stream().mapToInt(vocabulary::id).toArray(), vocabulary.choices()));
        }
        return steps.toArray(RowStep[]::new);
    }

    private static EditStep[] edits(SamplingOptions options, SamplerVocabulary vocabulary, @Nullable TokenConstraint constraint) {
        List<EditStep> steps = new ArrayList<>();
        if (options.rules().minTokens() > 0) {
            steps.add(new MinTokensStep(options.rules().minTokens(), vocabulary, constraint));
        }
        if (!options.rules().biases().isEmpty()) {
            steps.add(new BiasStep(options.rules().biases(), vocabulary));
        }
        if (options.penalties().isOn()) {
            steps.add(new PenaltyStep(options.penalties(), vocabulary.choices()));
        }
        if (options.dry().isOn()) {
            steps.add(new DryStep(options.dry(), vocabulary));
        }
        return steps.toArray(EditStep[]::new);
    }

    private static RowStep[] cuts(SamplingOptions options, int choices) {
        boolean cuts = options.truncation().topNSigma() > 0 && !options.mirostat().isOn() && !options.isGreedy();
        return cuts ? new RowStep[] {new TopNSigmaStep(options.truncation().topNSigma(), choices)} : new RowStep[0];
    }

    private static ShortlistStep[] steps(SamplingOptions options, SplittableRandom random) {
        List<ShortlistStep> steps = new ArrayList<>();
        if (!options.mirostat().isOn()) {
            Truncation truncation = options.truncation();
            addIf(truncation.topK() > 0, new TopKStep(truncation.topK()), steps);
            addIf(truncation.typicalP() < 1, new TypicalStep(truncation.typicalP()), steps);
            addIf(truncation.topP() < 1, new TopPStep(truncation.topP()), steps);
            addIf(truncation.minP() > 0, new MinPStep(truncation.minP()), steps);
            addIf(options.xtc().isOn(), new XtcStep(options.xtc(), random), steps);
        }
        steps.add(new TemperatureStep(options.temperature(), options.dynamicTemperature()));
        return steps.toArray(ShortlistStep[]::new);
    }

    private static void addIf(boolean wanted, ShortlistStep step, List<ShortlistStep> steps) {
        if (wanted) {
            steps.add(step);
        }
    }

    private static int candidateCount(SamplingOptions options, int choices) {
        if (options.isGreedy()) {
            return 1;
        }
        boolean few = options.topK() > 0 && options.topK() < choices && options.topK() <= Candidates.MAX_COUNT;
        return few && options.truncation().topNSigma() == 0 && !options.mirostat().isOn() ? options.topK() : 0;
    }

    /** Counts a token of the prompt as having been there; ids outside the vocabulary are allowed. */
    public void acceptPrompt(int id) {
        history.pushPrompt(id);
        pushed();
    }

    /** The text goes on with this token, which {@link #sample} has given. */
    public void accept(int id) {
        push(id);
        if (constraint != null) {
            constraint.accept(id);
        }
    }

    private void push(int id) {
        history.push(id);
        pushed();
    }

    private void pushed() {
        for (EditStep step : edits) {
            step.pushed(history);
        }
    }

    private void pop() {
        for (EditStep step : edits) {
            step.popping(history);
        }
        history.pop();
    }

    /**
     * How many of the best logits are needed, 1 to {@link Candidates#MAX_COUNT}; 0 if all logits are.
     */
    public int candidateCount() {
        return candidateCount;
    }

    /** Number of ids to choose from. */
    public int choices() {
        return choices;
    }

    /** Begins the next output of what the device chooses, with the changes that the tokens make that were there. */
    public void addEdits(Candidates wanted) {
        addEdits(wanted, new int[0], 0, 0);
    }

    /**
     * The same, where some tokens more will have been there.
     *
     * @param tokens of which {@code count} from {@code offset} on
     */
    public void addEdits(Candidates wanted, int[] tokens, int offset, int count) {
        wanted.addOutput();
        if (edits.length == 0) {
            return;
        }
        for (int i = 0; i < count; i++) {
            push(tokens[offset + i]);
        }
        LogitEdits target = editsOf(wanted);
        for (EditStep step : edits) {
            step.edit(history, target);
        }
        for (int i = 0; i < count; i++) {
            pop();
        }
    }

    /** Kept, as it is nearly always the same. */
    private LogitEdits editsOf(Candidates wanted) {
        CandidateEdits kept = candidateEdits;
        if (kept == null || kept.wanted() != wanted) {
            kept = new CandidateEdits(wanted);
            candidateEdits = kept;
        }
        return kept;
    }

    /**
     * The next token, of what the device chose; the caller {@linkplain #accept accepts} it, as it becomes part of the text.
     *
     * @param chosen {@link #candidateCount()} or more of each output, after the edits of {@link #addEdits}
     * @return an id
     * @throws YangtuoException if the best logit is a NaN or not finite
     */
    public int sample(Candidates chosen, int output) {
        int best = requireFinite(chosen.id(output, 0), chosen.logit(output, 0));
        if (greedy) {
            return best;
        }
        shortlist.fill(chosen, output, candidateCount);
        return draw.draw(truncated());
    }

    /**
     * The next token; the caller {@linkplain #accept accepts} it, as it becomes part of the text.
     *
     * @param logits by id; changed by the steps
     * @return an id
     * @throws YangtuoException if the logits hold a NaN or nothing finite, if the custom step fails, or if no token may come
     */
    public int sample(float[] logits) {
        int best = edit(logits);
        return greedy ? best : draw.draw(shortlist(logits, best));
    }

    /** Makes all changes of logits, and finds the best one. */
    private int edit(float[] logits) {
        for (RowStep step : masks) {
            step.apply(history, logits);
        }
        rowEdits.row(logits);
        for (EditStep step : edits) {
            step.edit(history, rowEdits);
        }
        return argmax(logits);
    }

    private Shortlist shortlist(float[] logits, int best) {
        for (RowStep step : cuts) {
            step.apply(history, logits);
        }
        shortlist.fill(logits, choices, most, logits[best]);
        return truncated();
    }

    /** What {@link #sample(float[])} would draw from, if it draws. */
    Shortlist shortlist(float[] logits) {
        return shortlist(logits, edit(logits));
    }

    private Shortlist truncated() {
        for (ShortlistStep step : steps) {
            step.apply(shortlist);
        }
        return shortlist;
    }

    private int argmax(float[] logits) {
        int best = 0;
        for (int id = 0; id < choices; id++) {
            float logit = logits[id];
            if (Float.isNaN(logit)) {
                return requireFinite(id, logit);
            }
            if (logit > logits[best]) {
                best = id;
            }
        }
        return requireFinite(best, logits[best]);
    }

    private int requireFinite(int id, float logit) {
        if (edits.length > 0 && (Float.isNaN(logit) || logit == Float.POSITIVE_INFINITY)) {
            throw new YangtuoException("the logit of token %d is %s: the biases or penalties are too large for it, or the model's weights are damaged".formatted(id, logit));
        }
        if (Float.isNaN(logit)) {
            throw new YangtuoException("the model computed NaN as the logit of token %d; its weights are probably damaged".formatted(id));
        }
        if (logit == Float.NEGATIVE_INFINITY && forbids) {
            throw new YangtuoException("no token may come next: what is banned, required or forbidden by a constraint or a logits processor leaves none of %d"
                    .formatted(choices));
        }
        if (Float.isInfinite(logit)) {
            throw new YangtuoException("the model computed no finite logit; its weights are probably damaged");
        }
        return id;
    }
}
