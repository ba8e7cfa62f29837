package dev.yangtuo.grammar;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * All places of a grammar where a text may be, at the end of a byte: a state of the automaton that {@link Automaton} makes as it is needed. What it is does not
 * change; what is known of it grows, under the lock of those who use it.
 */
final class State {
    /** In whose numbers the stacks are. */
    final Stacks stacks;
    /** A node that reads a byte or a token in the upper half, the stack in the lower; ascending, [places]. */
    final long[] configurations;
    /** Whether the text may end here. */
    final boolean complete;
    /** Whether no text gets here. */
    final boolean dead;
    /** Whether a token is read somewhere. */
    final boolean readsTokens;
    private final int hash;

    /** The next state for each class of bytes, null where it is not known; made with the first of them, [classes]. */
    State @Nullable [] next;
    /** The state that allows the same tokens, with smaller counts; null where it is not known. */
    @Nullable State representative;

    State(Stacks stacks, long[] configurations, boolean complete, boolean readsTokens) {
        this.stacks = stacks;
        this.configurations = configurations;
        this.complete = complete;
        this.dead = configurations.length == 0 && !complete;
        this.readsTokens = readsTokens;
        this.hash = Arrays.hashCode(configurations) * 31 + Boolean.hashCode(complete);
    }

    static long configuration(int node, int stack) {
        return (long) node << Integer.SIZE | stack;
    }

    static int node(long configuration) {
        return (int) (configuration >>> Integer.SIZE);
    }

    static int stack(long configuration) {
        return (int) configuration;
    }

    /** Compares what they are, for states with the same stacks. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof State state && hash == state.hash && complete == state.complete && Arrays.equals(configurations, state.configurations);
    }

    @Override
    public int hashCode() {
        return hash;
    }
}
