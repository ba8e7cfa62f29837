package dev.yangtuo.llamacpp;

import dev.yangtuo.model.KvMemoryException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * Which texts are in llama.cpp's memory for keys and values, and how full it is. llama.cpp has cells, each of one position and of any number of sequences, and refuses
 * a batch for which there are too few; so they are counted here, in pages: a page stands for up to {@value #PAGE_POSITIONS} positions of a text, and belongs to all
 * sequences that have taken these positions over from each other. There are never more cells in use than the pages in use have positions.
 *
 * <p>Texts that have ended are remembered, each under the number of its sequence, until their pages or numbers are needed: the one that was used longest ago goes first.
 *
 * <p>Whoever calls holds the lock of the model: llama.cpp's memory is not changed during a pass.
 */
final class SequenceMemory {
    static final int PAGE_POSITIONS = 64;

    private final Cells cells;
    private final int contextLength;
    private final int pageCount;
    private final boolean shares;
    /** The smallest first, so that those in use are close together. */
    private final PriorityQueue<Integer> freeNumbers = new PriorityQueue<>();
    /** The one that was used longest ago first. */
    private final Deque<Remembered> remembered = new ArrayDeque<>();
    private int freePages;
    /** Pages that only remembered texts have. */
    private int unusedPages;

    /** llama.cpp's side. */
    interface Cells {
        /**
         * Takes positions out of a sequence.
         *
         * @param from the first position; 0 for the whole sequence
         * @return false if this memory cannot be cut there; then nothing has changed
         */
        boolean remove(int sequence, int from);

        /** Gives the first positions of a sequence to another one, which has none. */
        void copy(int source, int target, int positions);

        /**
         * Whether a sequence still has all that its next position looks back at, were it cut behind the first {@code positions}. Where layers look back a window only,
         * llama.cpp writes over what is behind the window of the last position.
         */
        boolean goesOnFrom(int sequence, int positions);
    }

    /** A page; the pages of a sequence are its list of them. */
    private static final class Page {
        private int sequences;
        private int memories;
    }

    /** A text that has ended. */
    private record Remembered(int number, int[] tokens, List<Page> pages) {}

    /**
     * @param numbers sequences that llama.cpp has
     * @param pageCount pages of all of them together
     * @param shares whether sequences can take positions over from each other, and are remembered
     */
    SequenceMemory(Cells cells, int contextLength, int numbers, int pageCount, boolean shares) {
        this.cells = cells;
        this.contextLength = contextLength;
        this.pageCount = pageCount;
        this.freePages = pageCount;
        this.shares = shares;
        for (int i = 0; i < numbers; i++) {
            freeNumbers.add(i);
        }
    }

    int contextLength() {
        return contextLength;
    }

    int pageCount() {
        return pageCount;
    }

    /** Without a sequence that could be taken, none. */
    int availablePages() {
        return freeNumbers.isEmpty() && remembered.isEmpty() ? 0 : freePages + unusedPages;
    }

    /** What a sequence has. */
    final class Part {
        /** The sequence's number; -1 until it has positions. */
        private int number = -1;
        private final List<Page> pages = new ArrayList<>();
        private int length;

        int number() {
            return number;
        }

        int length() {
            return length;
        }

        /** Pages that {@code count} further positions need beside those that it has. */
        int pagesNeeded(int count) {
            int more = Math.ceilDiv(length + count, PAGE_POSITIONS) - pages.size();
            return more + (count > 0 && writesSharedPage() ? 1 : 0);
        }

        private boolean writesSharedPage() {
            int index = length / PAGE_POSITIONS;
            return index < pages.size() && isShared(pages.get(index));
        }

        /**
         * Makes room for {@code count} further positions; {@link #advance} then counts them.
         *
         * @throws KvMemoryException if there is not enough; what it has got already stays with it
         */
        void reserve(int count) {
            if (count > contextLength - length) {
                throw new IllegalArgumentException("%d tokens after %d do not fit the context of %d".formatted(count, length, contextLength));
            }
            if (number < 0) {
                number = takeNumber();
            }
            if (count > 0 && writesSharedPage()) {
                // The cells that it has of this page stay shared; those that are written next count for a page of its own.
                int index = length / PAGE_POSITIONS;
                Page own = takePage();
                release(pages.set(index, own));
            }
            while (pages.size() < Math.ceilDiv(length + count, PAGE_POSITIONS)) {
                pages.add(takePage());
            }
        }

        void advance(int count) {
            length += count;
        }

        /** Takes out the positions from {@code newLength} on, or all where that is not possible. */
        void truncate(int newLength) {
            if (newLength < 0 || newLength > length) {
                throw new IllegalArgumentException("a sequence of %d positions cannot be cut to %d".formatted(length, newLength));
            }
            if (newLength == length) {
                dropPages();
                return;
            }
            length = cells.remove(number, newLength) && cells.goesOnFrom(number, newLength) ? newLength : 0;
            if (length == 0 && newLength > 0) {
                cells.remove(number, 0);
            }
            dropPages();
        }

        /** Takes out what a pass that failed may have left behind its positions. */
        void restore() {
            if (number >= 0 && !cells.remove(number, length)) {
                cells.remove(number, 0);
                length = 0;
            }
            dropPages();
        }

        private void dropPages() {
            while (pages.size() > Math.ceilDiv(length, PAGE_POSITIONS)) {
                release(pages.removeLast());
            }
        }

        /** Another one with the first positions of this one; with none where there is no room. */
        Part fork(int positions) {
            return positions > 0 && number >= 0 && shares && cells.goesOnFrom(number, positions) ? taking(number, pages, positions) : new Part();
        }

        /** Remembers it, which ends it. */
        void rememberEnd(int[] tokens) {
            if (!shares || length == 0 || isKnown(tokens, length)) {
                close();
                return;
            }
            forgetBeginningsOf(tokens, length);
            for (Page page : pages) {
                page.memories++;
                release(page);
            }
            int[] known = new int[length];
            System.arraycopy(tokens, 0, known, 0, length);
            remembered.addLast(new Remembered(number, known, List.copyOf(pages)));
            pages.clear();
            number = -1;
            length = 0;
        }

        void close() {
            if (number >= 0) {
                cells.remove(number, 0);
                freeNumbers.add(number);
                number = -1;
            }
            length = 0;
            dropPages();
        }
    }

    Part open() {
        return new Part();
    }

    /** One that has as much of the first {@code end} tokens as is remembered. */
    Part open(int[] tokens, int end) {
        Remembered best = bestFor(tokens, end);
        if (best == null) {
            return new Part();
        }
        remembered.remove(best);
        remembered.addLast(best);
        return taking(best.number, best.pages, usable(best, tokens, end));
    }

    /** How many of the first {@code end} tokens are remembered. */
    int knownTokens(int[] tokens, int end) {
        Remembered best = bestFor(tokens, end);
        return best == null ? 0 : usable(best, tokens, end);
    }

    private @Nullable Remembered bestFor(int[] tokens, int end) {
        Remembered best = null;
        int most = 0;
        for (Remembered text : remembered) {
            int usable = usable(text, tokens, end);
            if (usable > most) {
                most = usable;
                best = text;
            }
        }
        return best;
    }

    /** How many of the first {@code end} tokens can be taken over from a text. */
    private int usable(Remembered text, int[] tokens, int end) {
        int common = common(text, tokens, end);
        return common > 0 && cells.goesOnFrom(text.number, common) ? common : 0;
    }

    private static int common(Remembered text, int[] tokens, int end) {
        int most = Math.min(text.tokens.length, end);
        int mismatch = Arrays.mismatch(text.tokens, 0, most, tokens, 0, most);
        return mismatch < 0 ? most : mismatch;
    }

    private boolean isKnown(int[] tokens, int length) {
        return remembered.stream().anyMatch(text -> usable(text, tokens, length) == length);
    }

    /** A text that went on is remembered as the longer one. */
    private void forgetBeginningsOf(int[] tokens, int length) {
        for (Remembered text : List.copyOf(remembered)) {
            if (text.tokens.length <= length && common(text, tokens, length) == text.tokens.length) {
                forget(text);
            }
        }
    }

    /** A part that takes positions over; an empty one where there is no room for it. */
    private Part taking(int source, List<Page> pages, int positions) {
        Part part = new Part();
        // Taken first, so that the text that is taken from is not forgotten for it.
        List<Page> known = pages.subList(0, Math.ceilDiv(positions, PAGE_POSITIONS));
        known.forEach(this::retain);
        try {
            part.number = takeNumberBut(source);
        } catch (KvMemoryException e) {
            known.forEach(this::release);
            return part;
        }
        cells.copy(source, part.number, positions);
        part.pages.addAll(known);
        part.length = positions;
        return part;
    }

    private int takeNumber() {
        return takeNumberBut(-1);
    }

    /** @param source of a sequence that must stay */
    private int takeNumberBut(int source) {
        if (freeNumbers.isEmpty()) {
            Iterator<Remembered> oldest = remembered.iterator();
            Remembered text = oldest.hasNext() ? oldest.next() : null;
            if (text != null && text.number == source) {
                text = oldest.hasNext() ? oldest.next() : null;
            }
            if (text == null) {
                throw new KvMemoryException("all of llama.cpp's sequences are in use; finish or close a text");
            }
            forget(text);
        }
        return freeNumbers.remove();
    }

    private Page takePage() {
        while (freePages == 0 && unusedPages > 0) {
            forget(remembered.getFirst());
        }
        if (freePages == 0) {
            throw new KvMemoryException("the memory for keys and values is full: all %d pages of %d tokens are in use; finish or close a text, or load the model with more"
                    .formatted(pageCount, PAGE_POSITIONS));
        }
        freePages--;
        Page page = new Page();
        page.sequences = 1;
        return page;
    }

    private static boolean isShared(Page page) {
        return page.sequences + page.memories > 1;
    }

    private void retain(Page page) {
        unusedPages -= page.sequences++ == 0 ? 1 : 0;
    }

    private void release(Page page) {
        if (--page.sequences == 0) {
            if (page.memories > 0) {
                unusedPages++;
            } else {
                freePages++;
            }
        }
    }

    private void forget(Remembered text) {
        remembered.remove(text);
        cells.remove(text.number, 0);
        freeNumbers.add(text.number);
        for (Page page : text.pages) {
            if (--page.memories == 0 && page.sequences == 0) {
                unusedPages--;
                freePages++;
            }
        }
    }

    /** Forgets all texts that have ended. */
    void forgetAll() {
        while (!remembered.isEmpty()) {
            forget(remembered.getFirst());
        }
    }
}
