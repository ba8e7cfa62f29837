package dev.yangtuo.grammar;

import dev.yangtuo.exception.GrammarException;
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
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Finds rules that begin with themselves: following one would never come to a character. */
final class LeftRecursion {
    private final Rules rules;
    private final EmptyText emptyText;

    private LeftRecursion(Rules rules, EmptyText emptyText) {
        this.rules = rules;
        this.emptyText = emptyText;
    }

    /** @throws GrammarException that names the rules, if there is any */
    static void refuse(Rules rules, EmptyText emptyText) {
        LeftRecursion search = new LeftRecursion(rules, emptyText);
        Set<String> done = new HashSet<>();
        rules.rules().keySet().forEach(rule -> search.descend(rule, done));
    }

    /** A rule whose first references are being followed. */
    private record Step(String rule, Iterator<String> left) {}

    private void descend(String start, Set<String> done) {
        Deque<Step> path = new ArrayDeque<>();
        Set<String> onPath = new LinkedHashSet<>();
        enter(start, path, onPath, done);
        while (!path.isEmpty()) {
            Step step = path.peek();
            if (!step.left().hasNext()) {
                path.pop();
                onPath.remove(step.rule());
                continue;
            }
            String next = step.left().next();
            if (onPath.contains(next)) {
                throw error(next, onPath);
            }
            enter(next, path, onPath, done);
        }
    }

    private void enter(String rule, Deque<Step> path, Set<String> onPath, Set<String> done) {
        if (done.add(rule)) {
            Set<String> first = new LinkedHashSet<>();
            addFirst(rules.rules().get(rule), first);
            path.push(new Step(rule, first.iterator()));
            onPath.add(rule);
        }
    }

    private static GrammarException error(String rule, Set<String> onPath) {
        List<String> cycle = new ArrayList<>(onPath);
        cycle = cycle.subList(cycle.indexOf(rule), cycle.size());
        String way = cycle.size() == 1 ? "'%s' begins with itself".formatted(rule)
                : "'%s' begins with '%s', which comes back to it".formatted(rule, cycle.get(1));
        return new GrammarException("the rule %s; left recursion is not supported: write it as a repetition, such as  list ::= item (\",\" item)*".formatted(way));
    }

    /** Adds the rules that an expression may begin with. */
    private void addFirst(Expression expression, Set<String> first) {
        switch (expression) {
            case Literal _, Chars _, TokenReference _ -> { }
            case Reference(String rule, boolean _) -> first.add(rule);
            case Repeat(Expression body, int _, int _) -> addFirst(body, first);
            case Choice(List<Expression> alternatives) -> alternatives.forEach(each -> addFirst(each, first));
            case Sequence(List<Expression> parts) -> {
                for (Expression part : parts) {
                    addFirst(part, first);
                    if (!emptyText.isNullable(part)) {
                        break;
                    }
                }
            }
        }
    }
}
