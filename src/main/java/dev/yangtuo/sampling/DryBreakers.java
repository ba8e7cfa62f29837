package dev.yangtuo.sampling;

import dev.yangtuo.tokenizer.StreamingDecoder;
import dev.yangtuo.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Sequence breakers as tokens. A breaker is found in a text where a token has it inside, or where a token ends with its beginning and those that follow are the rest of it, as
 * the tokenizer cuts the rest. Immutable.
 */
public final class DryBreakers {
    /** Nothing ends a repetition. */
    public static final DryBreakers NONE = of(new int[0][]);

    private static final int LONGEST_REST = 20;

    /** Tokens that have a breaker inside. */
    private final BitSet single = new BitSet();
    /** Sequences of several tokens, by their first one, the longest first. */
    private final Map<Integer, int[][]> sequences = new TreeMap<>();
    /** A bit for each first token of a sequence. */
    private final BitSet heads = new BitSet();

    private DryBreakers() {}

    /** Of tokens: each breaker is one or more ids. */
    static DryBreakers of(int[]... breakers) {
        DryBreakers result = new DryBreakers();
        for (int[] breaker : breakers) {
            result.add(breaker);
        }
        return result;
    }

    /**
     * Looks through the vocabulary, which takes some milliseconds.
     *
     * @param texts not empty each
     */
    static DryBreakers find(List<String> texts, Tokenizer tokenizer) {
        DryBreakers result = new DryBreakers();
        texts.forEach(text -> result.add(tokenizer.encodeContinuation(text)));
        Map<String, int[]> rests = new LinkedHashMap<>();
        StreamingDecoder decoder = tokenizer.continuationDecoder(tokenizer.encode("a")); // else a space at the beginning would be dropped
        for (int id = 0; id < tokenizer.vocabSize(); id++) {
            String token = decoder.accept(id) + decoder.flush();
            for (String text : texts) {
                if (token.contains(text)) {
                    result.single.set(id);
                } else {
                    result.addOverlaps(id, token, text, rests, tokenizer);
                }
            }
        }
        return result;
    }

    private void addOverlaps(int id, String token, String text, Map<String, int[]> rests, Tokenizer tokenizer) {
        for (int length = Math.min(token.length(), text.length() - 1); length > 0; length--) {
            if (token.regionMatches(token.length() - length, text, 0, length)) {
                int[] rest = rests.computeIfAbsent(text.substring(length), it -> tokenizer.encodeContinuation(it));
                if (rest.length > 0) {
                    int[] sequence = new int[1 + Math.min(LONGEST_REST, rest.length)];
                    sequence[0] = id;
                    System.arraycopy(rest, 0, sequence, 1, sequence.length - 1);
                    add(sequence);
                }
            }
        }
    }

    private void add(int[] breaker) {
        if (breaker.length < 2) {
            Arrays.stream(breaker).forEach(single::set);
            return;
        }
        heads.set(breaker[0]);
        int[][] before = sequences.getOrDefault(breaker[0], new int[0][]);
        if (Arrays.stream(before).noneMatch(it -> Arrays.equals(it, breaker))) {
            int[][] more = Arrays.copyOf(before, before.length + 1);
            more[before.length] = breaker;
            Arrays.sort(more, Comparator.comparingInt((int[] it) -> it.length).reversed());
            sequences.put(breaker[0], more);
        }
    }

    /** Whether the token has a breaker inside. */
    boolean isBreaker(int id) {
        return id >= 0 && single.get(id);
    }

    /**
     * How long a repetition at the end of the text can be: the tokens behind the last breaker.
     *
     * @param window only the last tokens count, this many
     */
    int reach(TokenHistory history, int window) {
        for (int ago = 0; ago < window; ago++) {
            int length = lengthAt(history, ago);
            if (length > 0) {
                return ago + 1 - length;
            }
        }
        return window;
    }

    /** Tokens of the longest breaker that begins there; 0 if none does. */
    private int lengthAt(TokenHistory history, int ago) {
        int id = history.last(ago);
        if (id >= 0 && heads.get(id)) {
            for (int[] sequence : sequences.get(id)) {
                if (matches(sequence, history, ago)) {
                    return sequence.length;
                }
            }
        }
        return isBreaker(id) ? 1 : 0;
    }

    private static boolean matches(int[] sequence, TokenHistory history, int ago) {
        if (sequence.length > ago + 1) {
            return false;
        }
        for (int i = 1; i < sequence.length; i++) {
            if (sequence[i] != history.last(ago - i)) {
                return false;
            }
        }
        return true;
    }
}
