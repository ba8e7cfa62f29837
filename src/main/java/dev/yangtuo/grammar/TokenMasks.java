package dev.yangtuo.grammar;

import dev.yangtuo.exception.GrammarException;
import dev.yangtuo.tokenizer.PieceTrie;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Which tokens of one vocabulary may come next in each state of a grammar. All texts that follow the grammar with this vocabulary share it: what one of them has
 * computed is there for the others. Thread-safe, by a lock. Does not keep the tokenizer reachable.
 *
 * <p>A set of tokens is found by a walk over the tree of all pieces with the automaton, which leaves out what begins with bytes that may not come. It depends on
 * the state alone, and is kept with it. States that differ in counts which no single token can exhaust have one set together ({@link Automaton#clamped}).
 */
final class TokenMasks {
    private final Automaton automaton;
    private final PieceTrie trie;
    private final int words;
    /** Tokens that end a text, a bit for each id. */
    private final long[] ends;
    /** Tokens that stand for text, and end none. */
    private final long[] texts;
    /** Id of each token that the network names, int32, [tokens]. */
    private final int[] named;

    /** States whose sets are kept, the one that was used last at the end. */
    private final Map<State, long[]> kept = new LinkedHashMap<>(16, 0.75f, true);
    private final int mostKept;
    /** States on the way to each depth of the tree, reused, [bytes of the longest piece + 1]. */
    private final State[] path;

    /** The state for whose first token the set is kept. */
    private @Nullable State firstState;
    private long @Nullable [] firstAllowed;

    /** @param endIds tokens that end a text; those outside the vocabulary are left out */
    TokenMasks(Network network, Tokenizer tokenizer, int[] endIds) {
        automaton = new Automaton(network);
        trie = tokenizer.trie();
        int vocabSize = tokenizer.vocabSize();
        words = (vocabSize + Long.SIZE - 1) / Long.SIZE;
        ends = new long[words];
        for (int id : endIds) {
            if (id >= 0 && id < vocabSize) {
                set(ends, id);
            }
        }
        if (isEmpty(ends)) {
            throw new GrammarException("there is no token that ends a text, so that a text could not end where the grammar wants it to");
        }
        texts = new long[words];
        for (int i = 0; trie.size() > 0 && i < trie.idEnd(trie.size() - 1); i++) {
            set(texts, trie.id(i));
        }
        removeEnds(texts);
        named = network.tokens.stream().mapToInt(token -> id(token, tokenizer)).toArray();
        mostKept = (int) Math.max(64, Limits.MAX_MASK_BYTES / (8L * words));
        path = new State[trie.maxDepth() + 1];
    }

    private int id(Expression.TokenReference token, Tokenizer tokenizer) {
        int id = token.id();
        if (token.text() != null) {
            OptionalInt found = tokenizer.id(token.text());
            if (found.isEmpty()) {
                throw new GrammarException("the grammar names the token %s, which the vocabulary does not have".formatted(token.text()));
            }
            id = found.getAsInt();
        }
        if (id >= tokenizer.vocabSize()) {
            throw new GrammarException("the grammar names token %d, the vocabulary has %d".formatted(id, tokenizer.vocabSize()));
        }
        if (!token.negated() && (get(ends, id) || tokenizer.type(id) == PieceType.UNKNOWN)) {
            throw new GrammarException("the grammar names token %d (%s), which %s".formatted(
                    id, tokenizer.piece(id), get(ends, id) ? "ends the text; a text may end where the grammar ends" : "stands for unknown text"));
        }
        return id;
    }

    /** Where a text begins. */
    synchronized State start() {
        begin();
        return automaton.start();
    }

    private void begin() {
        if (automaton.begin()) {
            kept.clear();
            firstState = null;
            Arrays.fill(path, null);
        }
    }

    /**
     * The state behind a token.
     *
     * @param bytes that it stands for
     * @return dead if the token may not come
     */
    synchronized State accept(State from, int id, byte[] bytes) {
        begin();
        State state = automaton.remembered(from);
        State behindBytes = get(texts, id) ? behind(state, bytes) : automaton.dead();
        return state.readsTokens ? automaton.readToken(state, behindBytes, index -> reads(index, id)) : behindBytes;
    }

    private boolean reads(int index, int id) {
        return automaton.network().tokens.get(index).negated() ? id != named[index] && get(texts, id) : id == named[index];
    }

    /** The state behind bytes that belong to no token of the text. */
    synchronized State acceptBytes(State from, byte[] bytes) {
        begin();
        return behind(automaton.remembered(from), bytes);
    }

    private State behind(State from, byte[] bytes) {
        State state = from;
        for (int i = 0; i < bytes.length && !state.dead; i++) {
            state = automaton.step(state, bytes[i] & 0xFF);
        }
        return state;
    }

    /**
     * The tokens that may come next, a bit for each id. Not to be changed.
     *
     * @throws GrammarException if there is none: the vocabulary lacks what the grammar demands
     */
    synchronized long[] allowed(State of) {
        begin();
        State state = automaton.clamped(automaton.remembered(of), trie.maxCharacters());
        long[] allowed = kept.get(state);
        if (allowed == null) {
            allowed = compute(state, trie);
            kept.put(state, allowed);
            if (kept.size() > mostKept) {
                kept.remove(kept.keySet().iterator().next());
            }
        }
        return requireAny(state, allowed);
    }

    /**
     * The same where a space that the token begins with is dropped.
     *
     * @param firstTrie of what the tokens stand for there
     * @param alone the token that is the space alone and does not count as text, or -1
     */
    synchronized long[] allowedFirst(State of, PieceTrie firstTrie, int alone) {
        begin();
        State state = automaton.remembered(of);
        if (firstState != state || firstAllowed == null) {
            long[] allowed = compute(state, firstTrie);
            if (alone >= 0 && !get(ends, alone)) {
                set(allowed, alone);
            }
            firstState = state;
            firstAllowed = allowed;
        }
        return requireAny(state, firstAllowed);
    }

    private long[] compute(State state, PieceTrie of) {
        long[] allowed = new long[words];
        walk(state, of, allowed);
        if (state.readsTokens) {
            addNamed(state, allowed);
        }
        removeEnds(allowed);
        for (int i = 0; state.complete && i < words; i++) {
            allowed[i] |= ends[i];
        }
        return allowed;
    }

    private void walk(State start, PieceTrie of, long[] allowed) {
        path[0] = start;
        int nodes = of.size();
        for (int node = 0; node < nodes; ) {
            int depth = of.depth(node);
            State state = automaton.step(path[depth - 1], of.label(node));
            if (state.dead) {
                node = of.end(node);
                continue;
            }
            path[depth] = state;
            for (int i = of.idStart(node); i < of.idEnd(node); i++) {
                set(allowed, of.id(i));
            }
            node++;
        }
    }

    private void addNamed(State state, long[] allowed) {
        Network network = automaton.network();
        for (long configuration : state.configurations) {
            int node = State.node(configuration);
            if (network.kinds[node] != Network.TOKEN) {
                continue;
            }
            int index = network.arguments[node][0];
            if (!network.tokens.get(index).negated()) {
                set(allowed, named[index]);
                continue;
            }
            boolean before = get(allowed, named[index]);
            for (int i = 0; i < words; i++) {
                allowed[i] |= texts[i];
            }
            if (!before) {
                clear(allowed, named[index]);
            }
        }
    }

    private void removeEnds(long[] mask) {
        for (int i = 0; i < words; i++) {
            mask[i] &= ~ends[i];
        }
    }

    private long[] requireAny(State state, long[] allowed) {
        if (isEmpty(allowed)) {
            throw new GrammarException("the vocabulary has no token for what the grammar demands next: %s; models with a token for each byte can write anything"
                    .formatted(automaton.describeNext(state)));
        }
        return allowed;
    }

    boolean isEnd(int id) {
        return get(ends, id);
    }

    /** The tokens that end a text. */
    long[] ends() {
        return ends;
    }

    private static boolean isEmpty(long[] mask) {
        for (long word : mask) {
            if (word != 0) {
                return false;
            }
        }
        return true;
    }

    private static void set(long[] mask, int id) {
        mask[id >> 6] |= 1L << id;
    }

    private static void clear(long[] mask, int id) {
        mask[id >> 6] &= ~(1L << id);
    }

    private static boolean get(long[] mask, int id) {
        return id >= 0 && id >> 6 < mask.length && (mask[id >> 6] >>> id & 1) != 0;
    }
}
