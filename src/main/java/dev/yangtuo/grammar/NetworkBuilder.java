package dev.yangtuo.grammar;

import dev.yangtuo.exception.GrammarException;
import dev.yangtuo.grammar.Expression.Chars;
import dev.yangtuo.grammar.Expression.Choice;
import dev.yangtuo.grammar.Expression.Literal;
import dev.yangtuo.grammar.Expression.Reference;
import dev.yangtuo.grammar.Expression.Repeat;
import dev.yangtuo.grammar.Expression.Sequence;
import dev.yangtuo.grammar.Expression.TokenReference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes a network of a grammar. Expressions are built from their end: each is told the node behind it, so that a rule whose last part is another rule needs no
 * frame to return through, and right recursion no stack.
 */
final class NetworkBuilder {
    private final Rules rules;
    private final EmptyText emptyText;
    private byte[] kinds = new byte[256];
    private final List<int[]> arguments = new ArrayList<>();
    private final List<TokenReference> tokens = new ArrayList<>();
    private final Map<Reference, Integer> entries = new HashMap<>();
    /** Rules whose entry is there, and nothing behind it yet. */
    private final Deque<Reference> open = new ArrayDeque<>();

    private NetworkBuilder(Rules rules) {
        this.rules = rules;
        this.emptyText = new EmptyText(rules);
    }

    /** @throws GrammarException if a rule begins with itself, no text can follow the grammar, or it is too large */
    static Network build(Rules rules) {
        NetworkBuilder builder = new NetworkBuilder(rules);
        LeftRecursion.refuse(rules, builder.emptyText);
        return builder.build();
    }

    private Network build() {
        add(Network.END);
        int start = entry(new Reference(rules.root()));
        while (!open.isEmpty()) {
            Reference rule = open.remove();
            Expression whole = rules.rules().get(rule.rule());
            int first = node(rule.nonEmpty() ? emptyText.nonEmpty(whole) : whole, Network.END_NODE);
            arguments.set(entries.get(rule), new int[] {first});
        }
        byte[] allKinds = Arrays.copyOf(kinds, arguments.size());
        int[][] allArguments = arguments.toArray(int[][]::new);
        boolean[] productive = Productive.nodes(allKinds, allArguments);
        if (!productive[start]) {
            throw new GrammarException(("no text can follow the grammar: its rule '%s' never comes to an end; it always refers to itself,"
                    + " or demands what cannot be, such as a minimum above the maximum").formatted(rules.root()));
        }
        return new Network(start, allKinds, allArguments, productive, tokens);
    }

    private int add(byte kind, int... of) {
        int node = arguments.size();
        Limits.checkNodes(node + 1);
        if (node == kinds.length) {
            kinds = Arrays.copyOf(kinds, node * 2);
        }
        kinds[node] = kind;
        arguments.add(of);
        return node;
    }

    private int entry(Reference rule) {
        Integer known = entries.get(rule);
        if (known != null) {
            return known;
        }
        int entry = add(Network.SPLIT);
        entries.put(rule, entry);
        open.add(rule);
        return entry;
    }

    /** The first node of an expression that is followed by a node. */
    private int node(Expression expression, int next) {
        return switch (expression) {
            case Literal(String text) -> literal(text.getBytes(StandardCharsets.UTF_8), next);
            case Chars(CodePoints set) -> chars(set, next);
            case Sequence(List<Expression> parts) -> {
                int first = next;
                for (Expression part : parts.reversed()) {
                    first = node(part, first);
                }
                yield first;
            }
            case Choice(List<Expression> alternatives) -> add(Network.SPLIT, alternatives.stream().mapToInt(each -> node(each, next)).toArray());
            case Repeat repeat -> repeat(repeat, next);
            case Reference rule -> next == Network.END_NODE ? entry(rule) : add(Network.CALL, entry(rule), next);
            case TokenReference token -> {
                tokens.add(token);
                yield add(Network.TOKEN, tokens.size() - 1, next);
            }
        };
    }

    private int literal(byte[] bytes, int next) {
        int first = next;
        for (int i = bytes.length - 1; i >= 0; i--) {
            first = add(Network.BYTES, bytes[i] & 0xFF, bytes[i] & 0xFF, first);
        }
        return first;
    }

    /** Sequences of bytes that end alike share the nodes of their ends. */
    private int chars(CodePoints set, int next) {
        List<int[][]> sequences = set.utf8();
        Map<List<Integer>, Integer> tails = new HashMap<>();
        int[] first = new int[3 * sequences.size()];
        for (int s = 0; s < sequences.size(); s++) {
            int[][] ranges = sequences.get(s);
            List<Integer> tail = new ArrayList<>();
            int target = next;
            for (int i = ranges.length - 1; i > 0; i--) {
                int[] range = ranges[i];
                int behind = target;
                tail.add(range[0]);
                tail.add(range[1]);
                target = tails.computeIfAbsent(List.copyOf(tail), _ -> add(Network.BYTES, range[0], range[1], behind));
            }
            first[3 * s] = ranges[0][0];
            first[3 * s + 1] = ranges[0][1];
            first[3 * s + 2] = target;
        }
        return add(Network.BYTES, first);
    }

    private int repeat(Repeat repeat, int next) {
        Expression body = repeat.body();
        int min = repeat.min();
        int max = repeat.max();
        if (max == 0) {
            return next;
        }
        if (max == 1) {
            int once = node(body, next);
            return min == 1 ? once : add(Network.SPLIT, once, next);
        }
        if (emptyText.isNullable(body)) {
            // Times that are empty make up for any that are missing, so that none need be counted.
            body = emptyText.nonEmpty(body);
            min = 0;
        }
        if (max == Repeat.UNBOUNDED && min <= 1) {
            int loop = add(Network.SPLIT);
            int first = node(body, loop);
            arguments.set(loop, new int[] {first, next});
            return min == 1 ? first : loop;
        }
        return add(Network.REPEAT, node(body, Network.END_NODE), next, min, max);
    }
}
