package dev.yangtuo.lora;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * A key of PEFT's {@code rank_pattern} or {@code alpha_pattern}: a regular expression KEY that matches a module when
 * {@code (.*\.)?(KEY)$} matches its whole name.
 *
 * <p>Adapters come from strangers, and {@link java.util.regex.Pattern} backtracks: a key of thirty characters can keep it busy for
 * years, in ways that watching its input does not catch ({@code q(|)(|)(|)x} reads nothing while it tries). So the expression is run
 * here over sets of positions: each part maps the positions where it may begin to those where it may end. Nothing is tried
 * twice from the same position, every step is counted, and a {@link Budget} ends what takes too long.
 *
 * <p>Understood: literals, {@code . ^ $ \A \Z \d \w \s \D \W \S}, escaped punctuation, classes, groups (also {@code (?:} and named ones),
 * {@code |}, {@code * + ? {m} {m,} {,n} {m,n}} and their lazy forms (which match the same names). Lookaround, back references,
 * possessive repeats and flags are refused. Immutable and thread-safe.
 */
public final class ModulePattern {
    /** Longest expression; a hand-written list of all layers of a large model has about 500 characters. */
    static final int MAX_LENGTH = 4096;

    private static final int MAX_DEPTH = 40;
    private static final int MAX_REPEAT = 100_000;

    /** How many more steps matching may take, over all modules and patterns of an adapter. Not thread-safe. */
    static final class Budget {
        private long left;

        Budget(long steps) {
            left = steps;
        }

        private void take(int steps) {
            left -= steps;
            if (left < 0) {
                throw new BudgetExceededException();
            }
        }
    }

    /** Thrown when a {@link Budget} is used up; carries nothing, the caller knows file and module. */
    static final class BudgetExceededException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        BudgetExceededException() {
            super(null, null, false, false);
        }
    }

    private sealed interface Node {}

    /** Exactly one character. */
    private record One(IntPredicate accepts) implements Node {}

    /** The empty text at the beginning or the end of the name. */
    private record Edge(boolean atEnd) implements Node {}

    private record Sequence(List<Node> parts) implements Node {}

    private record Choice(List<Node> options) implements Node {}

    private record Repeat(Node part, int min, int max) implements Node {}

    private final String key;
    private final Node root;

    private ModulePattern(String key, Node root) {
        this.key = key;
        this.root = root;
    }

    /**
     * @param key the regular expression, as it stands in the configuration
     * @throws IllegalArgumentException if it is not understood; the message says why and at which character
     */
    public static ModulePattern compile(String key) {
        if (key.length() > MAX_LENGTH) {
            throw new IllegalArgumentException("it has %d characters, at most %d are allowed".formatted(key.length(), MAX_LENGTH));
        }
        Parser parser = new Parser(key);
        Node root = parser.choice(0);
        if (parser.position < key.length()) {
            throw parser.error("unmatched )");
        }
        return new ModulePattern(key, root);
    }

    /** The expression as it was given. */
    public String key() {
        return key;
    }

    /** Whether {@code (.*\.)?(KEY)$} matches the whole of {@code module}. */
    boolean matches(String module, Budget budget) {
        BitSet starts = new BitSet(module.length() + 1);
        starts.set(0);
        for (int dot = module.indexOf('.'); dot >= 0; dot = module.indexOf('.', dot + 1)) {
            starts.set(dot + 1);
        }
        return ends(root, starts, module, budget).get(module.length());
    }

    @Override
    public String toString() {
        return key;
    }

    /** The positions at which {@code node} can end when it begins at one of {@code starts}; {@code starts} is left unchanged. */
    private static BitSet ends(Node node, BitSet starts, String text, Budget budget) {
        budget.take(1 + starts.cardinality());
        return switch (node) {
            case One one -> {
                BitSet ends = new BitSet(text.length() + 1);
                for (int i = starts.nextSetBit(0); i >= 0 && i < text.length(); i = starts.nextSetBit(i + 1)) {
                    if (one.accepts.test(text.charAt(i))) {
                        ends.set(i + 1);
                    }
                }
                yield ends;
            }
            case Edge edge -> {
                int position = edge.atEnd ? text.length() : 0;
                BitSet ends = new BitSet(text.length() + 1);
                ends.set(position, starts.get(position));
                yield ends;
            }
            case Sequence sequence -> {
                BitSet current = (BitSet) starts.clone();
                for (Node part : sequence.parts) {
                    if (current.isEmpty()) {
                        break;
                    }
                    current = ends(part, current, text, budget);
                }
                yield current;
            }
            case Choice choice -> {
                BitSet ends = new BitSet(text.length() + 1);
                for (Node option : choice.options) {
                    ends.or(ends(option, starts, text, budget));
                }
                yield ends;
            }
            case Repeat repeat -> repeated(repeat, starts, text, budget);
        };
    }

    private static BitSet repeated(Repeat repeat, BitSet starts, String text, Budget budget) {
        BitSet current = (BitSet) starts.clone();
        for (int i = 0; i < repeat.min && !current.isEmpty(); i++) {
            current = ends(repeat.part, current, text, budget);
        }
        // A position reached with fewer rounds can do all that it can do later: only new ones go on.
        BitSet reached = (BitSet) current.clone();
        BitSet fresh = current;
        for (int i = repeat.min; i < repeat.max && !fresh.isEmpty(); i++) {
            fresh = ends(repeat.part, fresh, text, budget);
            fresh.andNot(reached);
            reached.or(fresh);
        }
        return reached;
    }

    /** Recursive descent over the expression: choice, sequence, repeated atom. */
    private static final class Parser {
        private final String key;
        private int position;

        Parser(String key) {
            this.key = key;
        }

        IllegalArgumentException error(String problem) {
            return new IllegalArgumentException("%s at character %d".formatted(problem, position));
        }

        private boolean at(char c) {
            return position < key.length() && key.charAt(position) == c;
        }

        private boolean skip(String text) {
            boolean found = key.startsWith(text, position);
            position += found ? text.length() : 0;
            return found;
        }

        Node choice(int depth) {
            if (depth > MAX_DEPTH) {
                throw error("groups nested more than %d deep".formatted(MAX_DEPTH));
            }
            List<Node> options = new ArrayList<>();
            do {
                options.add(sequence(depth));
            } while (skip("|"));
            return options.size() == 1 ? options.getFirst() : new Choice(options);
        }

        private Node sequence(int depth) {
            List<Node> parts = new ArrayList<>();
            while (position < key.length() && !at('|') && !at(')')) {
                parts.add(repeats(atom(depth)));
            }
            return new Sequence(parts);
        }

        private Node repeats(Node atom) {
            Node node;
            if (skip("*")) {
                node = new Repeat(atom, 0, Integer.MAX_VALUE);
            } else if (skip("+")) {
                node = new Repeat(atom, 1, Integer.MAX_VALUE);
            } else if (skip("?")) {
                node = new Repeat(atom, 0, 1);
            } else if (atCount()) {
                node = counted(atom);
            } else {
                return atom;
            }
            skip("?");
            if (at('*') || at('+') || at('?') || atCount()) {
                throw error("a repeat of a repeat is not understood");
            }
            return node;
        }

        /** As in Python, a brace that does not begin a count is an ordinary character. */
        private boolean atCount() {
            if (!at('{')) {
                return false;
            }
            int i = position + 1;
            int digits = 0;
            int commas = 0;
            for (; i < key.length() && key.charAt(i) != '}'; i++) {
                char c = key.charAt(i);
                digits += c >= '0' && c <= '9' ? 1 : 0;
                commas += c == ',' ? 1 : 0;
            }
            return i < key.length() && digits > 0 && commas <= 1 && digits + commas == i - position - 1;
        }

        private Node counted(Node atom) {
            position++;
            int min = at(',') ? 0 : number();
            int max = min;
            if (skip(",")) {
                max = at('}') ? Integer.MAX_VALUE : number();
            }
            position++;
            if (min > max) {
                throw error("a repeat from %d to %d".formatted(min, max));
            }
            return new Repeat(atom, min, max);
        }

        private int number() {
            int value = 0;
            for (; key.charAt(position) >= '0' && key.charAt(position) <= '9'; position++) {
                value = value * 10 + key.charAt(position) - '0';
                if (value > MAX_REPEAT) {
                    throw error("a repeat of more than %d".formatted(MAX_REPEAT));
                }
            }
            return value;
        }

        private Node atom(int depth) {
            char c = key.charAt(position);
            switch (c) {
                case '(':
                    return group(depth);
                case '[':
                    return characterClass();
                case '\\':
                    if (skip("\\A")) {
                        return new Edge(false);
                    } else if (skip("\\Z")) {
                        return new Edge(true);
                    }
                    return new One(escape());
                case '*', '+', '?':
                    throw error("nothing to repeat");
                default:
                    position++;
                    return switch (c) {
                        case '.' -> new One(any -> any != '\n');
                        case '^' -> new Edge(false);
                        case '$' -> new Edge(true);
                        default -> new One(other -> other == c);
                    };
            }
        }

        private Node group(int depth) {
            position++;
            if (skip("?P<") || key.startsWith("?<", position) && !key.startsWith("?<=", position) && !key.startsWith("?<!", position)) {
                int end = key.indexOf('>', position);
                if (end < 0) {
                    throw error("a group's name does not end");
                }
                position = end + 1;
            } else if (at('?') && !skip("?:")) {
                throw error("lookaround, back references and flags are not understood");
            }
            Node inside = choice(depth + 1);
            if (!skip(")")) {
                throw error("a group does not end");
            }
            return inside;
        }

        /** One escaped character or one of the classes that an escape names. */
        private IntPredicate escape() {
            position++;
            if (position == key.length()) {
                throw error("nothing follows the backslash");
            }
            char c = key.charAt(position++);
            return switch (c) {
                case 'd' -> Character::isDigit;
                case 'D' -> other -> !Character.isDigit(other);
                case 'w' -> ModulePattern::isWord;
                case 'W' -> other -> !isWord(other);
                case 's' -> Character::isWhitespace;
                case 'S' -> other -> !Character.isWhitespace(other);
                default -> {
                    if (isWord(c)) {
                        throw error("\\" + c + " is not understood");
                    }
                    yield other -> other == c;
                }
            };
        }

        private Node characterClass() {
            position++;
            boolean negated = skip("^");
            IntPredicate accepts = other -> false;
            boolean first = true;
            while (first || !at(']')) {
                first = false;
                if (position >= key.length()) {
                    throw error("a class does not end");
                }
                char from = key.charAt(position);
                IntPredicate next;
                if (from == '\\') {
                    next = escape();
                } else {
                    position++;
                    next = at('-') && position + 1 < key.length() && key.charAt(position + 1) != ']' ? range(from) : c -> c == from;
                }
                accepts = accepts.or(next);
            }
            position++;
            return new One(negated ? accepts.negate() : accepts);
        }

        private IntPredicate range(char from) {
            position++;
            char to = key.charAt(position++);
            if (to == '\\' || to < from) {
                throw error("a range of characters from %s to %s".formatted(from, to));
            }
            return c -> c >= from && c <= to;
        }
    }

    private static boolean isWord(int c) {
        return Character.isLetterOrDigit(c) || c == '_';
    }
}
