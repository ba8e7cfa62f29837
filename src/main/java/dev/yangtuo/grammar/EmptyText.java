package dev.yangtuo.grammar;

import dev.yangtuo.grammar.Expression.Chars;
import dev.yangtuo.grammar.Expression.Choice;
import dev.yangtuo.grammar.Expression.Literal;
import dev.yangtuo.grammar.Expression.Reference;
import dev.yangtuo.grammar.Expression.Repeat;
import dev.yangtuo.grammar.Expression.Sequence;
import dev.yangtuo.grammar.Expression.TokenReference;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which parts of a grammar may be the empty text, and what they are without it. */
final class EmptyText {
    private final Set<String> nullableRules = new HashSet<>();

    EmptyText(Rules rules) {
        Map<String, Set<String>> users = new HashMap<>();
        rules.rules().forEach((rule, expression) -> addUser(rule, expression, users));
        Deque<String> open = new ArrayDeque<>(rules.rules().keySet());
        while (!open.isEmpty()) {
            String rule = open.remove();
            if (!nullableRules.contains(rule) && isNullable(rules.rules().get(rule))) {
                nullableRules.add(rule);
                open.addAll(users.getOrDefault(rule, Set.of())); // they may be now, too
            }
        }
    }

    /** Enters a rule with those that an expression of it refers to. */
    private static void addUser(String rule, Expression expression, Map<String, Set<String>> users) {
        switch (expression) {
            case Literal _, Chars _, TokenReference _ -> { }
            case Sequence(List<Expression> parts) -> parts.forEach(part -> addUser(rule, part, users));
            case Choice(List<Expression> alternatives) -> alternatives.forEach(each -> addUser(rule, each, users));
            case Repeat(Expression body, int _, int _) -> addUser(rule, body, users);
            case Reference(String used, boolean _) -> users.computeIfAbsent(used, _ -> new LinkedHashSet<>()).add(rule);
        }
    }

    boolean isNullable(Expression expression) {
        return switch (expression) {
            case Literal(String text) -> text.isEmpty();
            case Chars _, TokenReference _ -> false;
            case Sequence(List<Expression> parts) -> parts.stream().allMatch(this::isNullable);
            case Choice(List<Expression> alternatives) -> alternatives.stream().anyMatch(this::isNullable);
            case Repeat(Expression body, int min, int _) -> min == 0 || isNullable(body);
            case Reference(String rule, boolean nonEmpty) -> !nonEmpty && nullableRules.contains(rule);
        };
    }

    /** The same without the empty text. */
    Expression nonEmpty(Expression expression) {
        if (!isNullable(expression)) {
            return expression;
        }
        return switch (expression) {
            case Sequence(List<Expression> parts) -> nonEmptySequence(parts);
            case Choice(List<Expression> alternatives) -> new Choice(alternatives.stream().map(this::nonEmpty).toList());
            case Repeat(Expression body, int _, int max) -> max == 0 ? new Choice(List.of()) : new Repeat(nonEmpty(body), 1, max);
            case Reference(String rule, boolean _) -> new Reference(rule, true);
            case Literal _, Chars _, TokenReference _ -> new Choice(List.of());
        };
    }

    /** The first part that is not empty, and all behind it: of parts that may all be empty. */
    private Expression nonEmptySequence(List<Expression> parts) {
        Limits.checkNodes(Math.toIntExact(Math.min(Integer.MAX_VALUE, (long) parts.size() * parts.size() / 2)));
        List<Expression> alternatives = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            List<Expression> from = new ArrayList<>(parts.subList(i, parts.size()));
            from.set(0, nonEmpty(from.getFirst()));
            alternatives.add(new Sequence(from));
        }
        return new Choice(alternatives);
    }
}
