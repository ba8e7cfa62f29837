package dev.yangtuo.sampling;

import dev.yangtuo.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the samplers of a model know about its vocabulary. May be shared by threads. */
public final class SamplerVocabulary {
    private static final int REMEMBERED = 16;

    private final int choices;
    private final int[] endIds;
    private final @Nullable Tokenizer tokenizer;
    /** Where there is no tokenizer. */
    private final DryBreakers knownBreakers;
    /** What was looked for last, since it takes a while. */
    private final Map<List<String>, DryBreakers> breakers;

    /**
     * @param choices only smaller ids can be chosen: logits beyond are padding
     * @param endIds tokens that end the text; those that cannot be chosen are ignored
     */
    public SamplerVocabulary(Tokenizer tokenizer, int choices, int[] endIds) {
        this(choices, endIds, tokenizer, DryBreakers.NONE, newBreakers());
    }

    private SamplerVocabulary(
            int choices, int[] endIds, @Nullable Tokenizer tokenizer, DryBreakers knownBreakers, Map<List<String>, DryBreakers> breakers) {
        this.choices = choices;
        this.endIds = Arrays.stream(endIds).filter(id -> id < choices).toArray();
        this.tokenizer = tokenizer;
        this.knownBreakers = knownBreakers;
        this.breakers = breakers;
    }

    private static Map<List<String>, DryBreakers> newBreakers() {
        return new LinkedHashMap<>(REMEMBERED, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<List<String>, DryBreakers> eldest) {
                return size() > REMEMBERED;
            }
        };
    }

    /** The same vocabulary for texts that other tokens end. */
    public SamplerVocabulary withEndIds(int[] ids) {
        return Arrays.equals(ids, endIds) ? this : new SamplerVocabulary(choices, ids, tokenizer, knownBreakers, breakers);
    }

    /** One without texts: tokens have ids alone, and nothing breaks a sequence. */
    public static SamplerVocabulary withoutTexts(int choices, int... endIds) {
        return withoutTexts(DryBreakers.NONE, choices, endIds);
    }

    /** One whose sequence breakers are known as tokens. */
    static SamplerVocabulary withoutTexts(DryBreakers breakers, int choices, int... endIds) {
        return new SamplerVocabulary(choices, endIds, null, breakers, newBreakers());
    }

    /** Only smaller ids can be chosen. */
    public int choices() {
        return choices;
    }

    /** Tokens that end the text; not copied. */
    int[] endIds() {
        return endIds;
    }

    /**
     * The id of a token: the piece of that name, or the token that the text becomes in the middle of another one.
     *
     * @throws IllegalArgumentException if there is none
     */
    int id(TokenName token) {
        String text = token.text();
        if (text == null) {
            Ranges.require(token.id() < choices, "a token's id", token.id(), "0 to %d".formatted(choices - 1));
            return token.id();
        }
        if (tokenizer == null) {
            throw new IllegalArgumentException("'%s' is a text, and the vocabulary has none; an id must be given".formatted(text));
        }
        int[] ids = tokenizer.id(text).isPresent() ? new int[] {tokenizer.id(text).getAsInt()} : tokenizer.encodeContinuation(text);
        if (ids.length != 1 || ids[0] >= choices) {
            throw new IllegalArgumentException("'%s' is not one token of the vocabulary but %s; their ids can be given one by one".formatted(text, Arrays.toString(ids)));
        }
        return ids[0];
    }

    /** Sequence breakers as tokens. */
    DryBreakers breakers(List<String> texts) {
        if (tokenizer == null || texts.isEmpty()) {
            return knownBreakers;
        }
        synchronized (breakers) {
            return breakers.computeIfAbsent(texts, it -> DryBreakers.find(it, tokenizer));
        }
    }
}
