package dev.yangtuo.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * BPE dropout (Provilkov, Emelianenko, Voita 2019, arXiv 1910.13267) as SentencePiece does it: byte pair encoding in which each merge, when its turn
 * comes, is passed over with some probability, for good unless a neighbour changes. For augmenting training data; clear rather than fast.
 * Immutable, thread-safe.
 */
final class BpeDropout {
    private final Vocabulary vocabulary;
    private final BpeTables tables;
    private final @Nullable PieceMatcher userDefined;

    BpeDropout(Vocabulary vocabulary, BpeTables tables, @Nullable PieceMatcher userDefined) {
        this.vocabulary = vocabulary;
        this.tables = tables;
        this.userDefined = userDefined;
    }

    /** A symbol of the text; linked to its neighbours, dead once merged into the one before. */
    private static final class Symbol {
        final int start;
        int end;
        /** See {@link BpeMerger#UNKNOWN_CHARACTER}. */
        int value;
        @Nullable Symbol previous;
        @Nullable Symbol next;
        /** What it was merged from. */
        @Nullable Symbol leftHalf;
        @Nullable Symbol rightHalf;
        boolean dead;

        Symbol(int start, int end, int value) {
            this.start = start;
            this.end = end;
            this.value = value;
        }
    }

    /** A merge that waits for its turn; stale once the two symbols no longer end where it says. */
    private record Merge(int rank, Symbol left, int end, int piece) implements Comparable<Merge> {
        @Override
        public int compareTo(Merge other) {
            int byRank = Integer.compare(rank, other.rank);
            return byRank != 0 ? byRank : Integer.compare(left.start, other.left.start);
        }
    }

    /**
     * Encodes a whole text.
     *
     * @param text normalized
     * @param dropout probability of passing over a merge, 0 to 1
     */
    void encode(char[] text, int length, double dropout, RandomGenerator random, TokenBuffer target) {
        Symbol first = split(text, length);
        PriorityQueue<Merge> agenda = new PriorityQueue<>();
        for (Symbol symbol = first; symbol != null; symbol = symbol.next) {
            offer(agenda, symbol);
        }
        while (!agenda.isEmpty()) {
            Merge merge = agenda.remove();
            Symbol left = merge.left;
            if (left.dead || left.next == null || left.next.end != merge.end || dropout > 0 && random.nextDouble() < dropout) {
                continue;
            }
            merge(left, left.next, merge.piece);
            offer(agenda, left.previous);
            offer(agenda, left);
        }
        for (Symbol symbol = first; symbol != null; symbol = symbol.next) {
            write(text, symbol, target);
        }
    }

    private @Nullable Symbol split(char[] text, int length) {
        Symbol first = null;
        Symbol last = null;
        int position = 0;
        while (position < length) {
            int piece = userDefined == null ? -1 : userDefined.match(text, position, length);
            Symbol symbol;
            if (piece >= 0) {
                symbol = new Symbol(position, position + vocabulary.piece(piece).length(), ~piece);
            } else {
                int codePoint = Character.codePointAt(text, position, length);
                int value = tables.symbol(codePoint);
                symbol = new Symbol(position, position + Character.charCount(codePoint),
                        value == BpeTables.NO_SYMBOL ? BpeMerger.UNKNOWN_CHARACTER : value);
            }
            symbol.previous = last;
            if (last == null) {
                first = symbol;
            } else {
                last.next = symbol;
            }
            last = symbol;
            position = symbol.end;
        }
        return first;
    }

    private void offer(PriorityQueue<Merge> agenda, @Nullable Symbol left) {
        if (left == null || left.next == null || (left.value | left.next.value) < 0) {
            return;
        }
        int piece = tables.merged(left.value, left.next.value);
        if (piece >= 0) {
            agenda.add(new Merge(tables.rank(piece), left, left.next.end, piece));
        }
    }

    private static void merge(Symbol left, Symbol right, int piece) {
        Symbol leftHalf = new Symbol(left.start, left.end, left.value);
        leftHalf.leftHalf = left.leftHalf;
        leftHalf.rightHalf = left.rightHalf;
        left.leftHalf = leftHalf;
        left.rightHalf = right;
        left.value = piece;
        left.end = right.end;
        left.next = right.next;
        if (right.next != null) {
            right.next.previous = left;
        }
        right.dead = true;
    }

    /** Writes a symbol; an unused piece as what it was merged from. */
    private void write(char[] text, Symbol symbol, TokenBuffer target) {
        List<Symbol> stack = new ArrayList<>(List.of(symbol));
        while (!stack.isEmpty()) {
            Symbol top = stack.removeLast();
            int id = top.value == BpeMerger.UNKNOWN_CHARACTER ? BpeTables.EMIT_UNKNOWN : tables.emitted(top.value < 0 ? ~top.value : top.value);
            if (id == BpeTables.EMIT_HALVES && top.leftHalf != null) {
                stack.add(top.rightHalf);
                stack.add(top.leftHalf);
            } else if (id == BpeTables.EMIT_HALVES) {
                target.add(top.value, top.end);
            } else if (id == BpeTables.EMIT_UNKNOWN) {
                target.addUnknown(text, top.start, top.end);
            } else {
                target.add(id, top.end);
            }
        }
    }
}
