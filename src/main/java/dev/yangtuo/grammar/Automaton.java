package dev.yangtuo.grammar;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A network as an automaton whose states are sets of places in it, made when a text first gets there and remembered: the subset construction, done lazily, over a
 * pushdown automaton whose stacks are shared. What is remembered is bounded: when it is full, all is forgotten but the states that texts are in. Used by one thread
 * at a time.
 */
final class Automaton {
    /** What a new state costs beside its places, in steps. */
    private static final int STEPS_OF_STATE = 100;

    /** Places that are looked at and not followed, for one step. */
    private static final int LOOKS_OF_STEP = 8;

    /** Bytes in a message. */
    private static final int SHOWN = 4;

    private final Network network;
    private long steps;

    private Stacks stacks = new Stacks();
    private final Map<State, State> states = new HashMap<>();
    private long rememberedConfigurations;

    private final LongSet visited = new LongSet();
    /** Members of {@code visited} that read something. */
    private final LongSet reading = new LongSet();
    private boolean complete;

    Automaton(Network network) {
        this.network = network;
    }

    Network network() {
        return network;
    }

    /** Steps since the last call of {@link #begin}: a measure of work that does not depend on the machine. */
    long steps() {
        return steps;
    }

    /** States that are remembered. */
    int states() {
        return states.size();
    }

    /**
     * Begins a piece of work, which is bounded by {@link Limits#MAX_STEPS}.
     *
     * @return whether all states were forgotten; those that are in use go on through {@link #remembered}
     */
    boolean begin() {
        steps = 0;
        boolean full = states.size() > Limits.MAX_STATES || stacks.size() > Limits.MAX_FRAMES
                || rememberedConfigurations > Limits.MAX_REMEMBERED_CONFIGURATIONS;
        if (full) {
            stacks = new Stacks();
            states.clear();
            rememberedConfigurations = 0;
        }
        return full;
    }

    /** Where a text begins. */
    State start() {
        beginClosure();
        visit(network.start, Stacks.EMPTY);
        return closure();
    }

    /** Where no text gets. */
    State dead() {
        beginClosure();
        return state(reading);
    }

    /** The state as it is remembered now: the same, or an equal one if it was forgotten. */
    State remembered(State state) {
        if (state.stacks == stacks) {
            return state;
        }
        beginClosure();
        for (long configuration : state.configurations) {
            reading.add(State.configuration(State.node(configuration), stacks.copyFrom(state.stacks, State.stack(configuration))));
        }
        complete = state.complete;
        return closure();
    }

    /** The state behind a byte, from 0 to 255; dead if none may come. */
    State step(State state, int value) {
        int byteClass = network.byteClass[value];
        if (state.next != null) {
            State known = state.next[byteClass];
            if (known != null) {
                return known;
            }
        } else {
            state.next = new State[network.classByte.length];
        }
        State made = read(state, network.classByte[byteClass]);
        state.next[byteClass] = made;
        return made;
    }

    private State read(State state, int value) {
        beginClosure();
        steps += state.configurations.length / LOOKS_OF_STEP;
        for (long configuration : state.configurations) {
            int node = State.node(configuration);
            if (network.kinds[node] == Network.BYTES) {
                int[] edges = network.arguments[node];
                for (int i = 0; i < edges.length; i += 3) {
                    if (edges[i] <= value && value <= edges[i + 1]) {
                        visit(edges[i + 2], State.stack(configuration));
                    }
                }
            }
        }
        return closure();
    }

    /** The state behind a token whose bytes lead to a state, and which is read as itself by some of the places: those that {@code reads} tells. */
    State readToken(State state, State behindBytes, TokenTest reads) {
        beginClosure();
        for (long configuration : state.configurations) {
            int node = State.node(configuration);
            if (network.kinds[node] == Network.TOKEN && reads.test(network.arguments[node][0])) {
                visit(network.arguments[node][1], State.stack(configuration));
            }
        }
        for (int i = 0; i < visited.size(); i++) {
            follow(visited.get(i));
        }
        for (long configuration : behindBytes.configurations) {
            reading.add(configuration);
        }
        complete |= behindBytes.complete;
        return state(reading);
    }

    /** Whether a token is the one that the network names at an index. */
    interface TokenTest {
        boolean test(int index);
    }

    /** The state whose counts are as small as they may be without a difference within a number of characters, which is always the same. */
    State clamped(State state, int characters) {
        if (!network.counts) {
            return state;
        }
        if (state.representative == null) {
            beginClosure();
            for (long configuration : state.configurations) {
                reading.add(State.configuration(State.node(configuration), stacks.clamp(State.stack(configuration), network, characters)));
            }
            complete = state.complete;
            state.representative = closure();
        }
        return state.representative;
    }

    /** What may come next, for messages. */
    String describeNext(State state) {
        Set<String> next = new LinkedHashSet<>();
        for (int value = 0; value < 256 && next.size() <= SHOWN; value++) {
            if (!step(state, value).dead) {
                next.add(value > ' ' && value < 0x7F ? "'%c'".formatted(value) : "the byte 0x%02X".formatted(value));
            }
        }
        List<String> shown = next.stream().limit(SHOWN).toList();
        return (shown.isEmpty() ? "a certain token" : String.join(" or ", shown)) + (next.size() > SHOWN ? " or others" : "");
    }

    private void beginClosure() {
        visited.clear();
        reading.clear();
        complete = false;
    }

    /** Adds a place, if a text can be completed from there. */
    private void visit(int node, int stack) {
        if (network.productive[node]) {
            visited.add(State.configuration(node, stack));
        }
    }

    /** Follows all that needs no byte. */
    private State closure() {
        for (int i = 0; i < visited.size(); i++) {
            follow(visited.get(i));
        }
        return state(reading);
    }

    private void follow(long configuration) {
        Limits.checkSteps(++steps);
        Limits.checkConfigurations(visited.size());
        int node = State.node(configuration);
        int stack = State.stack(configuration);
        int[] of = network.arguments[node];
        switch (network.kinds[node]) {
            case Network.BYTES, Network.TOKEN -> reading.add(configuration);
            case Network.SPLIT -> {
                for (int target : of) {
                    visit(target, stack);
                }
            }
            case Network.CALL -> visit(of[0], stacks.push(stack, of[1], 0));
            case Network.REPEAT -> {
                if (of[2] == 0) {
                    visit(of[1], stack);
                }
                visit(of[0], stacks.push(stack, node, 1));
            }
            default -> end(stack);
        }
    }

    private void end(int stack) {
        if (stack == Stacks.EMPTY) {
            complete = true;
            return;
        }
        int node = stacks.node(stack);
        int count = stacks.count(stack);
        int parent = stacks.parent(stack);
        if (count == 0) {
            visit(node, parent);
            return;
        }
        int[] of = network.arguments[node];
        if (count >= of[2]) {
            visit(of[1], parent);
        }
        if (of[3] == Expression.Repeat.UNBOUNDED) {
            visit(of[0], stacks.push(parent, node, Math.min(count + 1, Math.max(of[2], 1))));
        } else if (count < of[3]) {
            visit(of[0], stacks.push(parent, node, count + 1));
        }
    }

    private State state(LongSet configurations) {
        boolean readsTokens = false;
        long[] sorted = configurations.sorted();
        for (long configuration : sorted) {
            readsTokens |= network.kinds[State.node(configuration)] == Network.TOKEN;
        }
        State made = new State(stacks, sorted, complete, readsTokens);
        State known = states.putIfAbsent(made, made);
        if (known != null) {
            return known;
        }
        rememberedConfigurations += sorted.length;
        steps += STEPS_OF_STATE;
        return made;
    }
}
