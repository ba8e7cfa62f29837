package dev.yangtuo.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Whether texts follow grammars, by the automaton alone. */
final class Matching {
    private Matching() {}

    /** The state behind a text, from the beginning. */
    static State behind(Automaton automaton, byte[] bytes) {
        automaton.begin();
        State state = automaton.start();
        for (byte each : bytes) {
            automaton.begin();
            state = automaton.step(automaton.remembered(state), each & 0xFF);
        }
        return state;
    }

    /** A shortest text that completes a state that is not dead; each char is a byte. */
    static String completion(Automaton automaton, State from) {
        Map<State, byte[]> ways = new HashMap<>(Map.of(from, new byte[0]));
        Deque<State> work = new ArrayDeque<>(List.of(from));
        while (!work.isEmpty()) {
            State state = work.remove();
            byte[] way = ways.get(state);
            if (state.complete) {
                return new String(way, StandardCharsets.ISO_8859_1);
            }
            for (int value = 0; value < 256; value++) {
                State next = automaton.step(state, value);
                if (!next.dead && !ways.containsKey(next)) {
                    byte[] longer = Arrays.copyOf(way, way.length + 1);
                    longer[way.length] = (byte) value;
                    ways.put(next, longer);
                    work.add(next);
                }
            }
        }
        throw new AssertionError("a dead end");
    }

    static boolean matches(Rules rules, String text) {
        return behind(new Automaton(NetworkBuilder.build(rules)), text.getBytes(StandardCharsets.UTF_8)).complete;
    }

    static boolean gbnf(String grammar, String text) {
        return matches(GbnfParser.parse(grammar), text);
    }

    static boolean regex(String pattern, String text) {
        return matches(Rules.of(RegexParser.parseWhole("the regular expression", pattern)), text);
    }

    static boolean schema(String schema, String text) {
        return matches(SchemaReader.read(schema), text);
    }
}
