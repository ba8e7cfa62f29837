package dev.yangtuo.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.yangtuo.model.KvMemoryException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SequenceMemoryTest {
    private static final int PAGE = SequenceMemory.PAGE_POSITIONS;

    /** Cells as llama.cpp has them: a position, a token, and the sequences that it belongs to. */
    private static final class MadeCells implements SequenceMemory.Cells {
        private final List<Cell> cells = new ArrayList<>();
        private boolean cuts = true;
        /** Positions that the last one of a sequence looks back; of those before them, {@code first} and later ones are there. */
        private int window = 1000;
        private final int[] first = new int[256];

        private record Cell(int position, int token, boolean[] sequences) {}

        void write(int sequence, int position, int token) {
            boolean[] of = new boolean[256];
            of[sequence] = true;
            cells.add(new Cell(position, token, of));
            first[sequence] = Math.max(first[sequence], position + 1 - window);
        }

        /** The tokens of a sequence by their positions; fails where one is missing or there twice. */
        int[] tokens(int sequence) {
            int[] tokens = cells.stream().filter(cell -> cell.sequences[sequence]).sorted((a, b) -> Integer.compare(a.position, b.position)).mapToInt(Cell::token).toArray();
            int[] positions = cells.stream().filter(cell -> cell.sequences[sequence]).mapToInt(Cell::position).sorted().toArray();
            for (int i = 0; i < positions.length; i++) {
                assertThat(positions[i]).as("positions of sequence %d", sequence).isEqualTo(i);
            }
            return tokens;
        }

        @Override
        public boolean remove(int sequence, int from) {
            if (!cuts && from > 0) {
                return false;
            }
            first[sequence] = from == 0 ? 0 : first[sequence];
            cells.stream().filter(cell -> cell.position >= from).forEach(cell -> cell.sequences[sequence] = false);
            cells.removeIf(cell -> {
                for (boolean of : cell.sequences) {
                    if (of) {
                        return false;
                    }
                }
                return true;
            });
            return true;
        }

        @Override
        public void copy(int source, int target, int positions) {
            assertThat(tokens(target)).as("what the sequence had that something is copied to").isEmpty();
            first[target] = first[source];
            cells.stream().filter(cell -> cell.sequences[source] && cell.position < positions).forEach(cell -> cell.sequences[target] = true);
        }

        @Override
        public boolean goesOnFrom(int sequence, int positions) {
            return first[sequence] <= Math.max(0, positions - window);
        }
    }

    private final MadeCells cells = new MadeCells();

    private void append(SequenceMemory.Part part, int[] tokens, int count) {
        part.reserve(count);
        for (int i = 0; i < count; i++) {
            cells.write(part.number(), part.length() + i, tokens[part.length() + i]);
        }
        part.advance(count);
    }

    private static int[] text(int seed, int length) {
        return new SplittableRandom(seed).ints(length, 0, 1000).toArray();
    }

    @Test
    void aTextThatGoesOnTakesOverWhatIsRemembered() {
        SequenceMemory memory = new SequenceMemory(cells, 500, 8, 20, true);
        int[] tokens = text(1, 300);
        SequenceMemory.Part first = memory.open();
        append(first, tokens, 150);
        first.rememberEnd(tokens);
        assertThat(memory.availablePages()).as("what only a remembered text has can be had").isEqualTo(20);
        assertThat(memory.knownTokens(tokens, 300)).isEqualTo(150);
        assertThat(memory.knownTokens(tokens, 100)).isEqualTo(100);
        SequenceMemory.Part second = memory.open(tokens, 300);
        assertThat(second.length()).isEqualTo(150);
        append(second, tokens, 100);
        assertThat(cells.tokens(second.number())).isEqualTo(Arrays.copyOf(tokens, 250));
        second.rememberEnd(tokens);
        assertThat(memory.knownTokens(tokens, 300)).as("the longer text took the place of the shorter one").isEqualTo(250);
        memory.forgetAll();
        assertThat(cells.cells).isEmpty();
        assertThat(memory.availablePages()).isEqualTo(20);
    }

    @Test
    void aFullMemoryForgetsTheOldestTextsFirst() {
        SequenceMemory memory = new SequenceMemory(cells, 128, 8, 6, true);
        for (int i = 0; i < 3; i++) {
            SequenceMemory.Part part = memory.open();
            append(part, text(i, 100), 100);
            part.rememberEnd(text(i, 100));
        }
        memory.open(text(0, 100), 50).close(); // used again
        SequenceMemory.Part part = memory.open();
        append(part, text(9, 100), 100);
        assertThat(memory.knownTokens(text(0, 100), 100)).isEqualTo(100);
        assertThat(memory.knownTokens(text(1, 100), 100)).as("the one that was used longest ago").isZero();
        assertThat(memory.knownTokens(text(2, 100), 100)).isEqualTo(100);
    }

    @Test
    void whereAllIsInUseNothingMoreIsGiven() {
        SequenceMemory memory = new SequenceMemory(cells, 128, 3, 2, true);
        SequenceMemory.Part part = memory.open();
        append(part, text(1, 128), 128);
        assertThat(part.pagesNeeded(0)).isZero();
        assertThatExceptionOfType(KvMemoryException.class).isThrownBy(() -> memory.open().reserve(1)).withMessageContaining("all 2 pages");
        assertThatIllegalArgumentException().isThrownBy(() -> part.reserve(1)).withMessageContaining("context of 128");
        part.close();
        assertThat(memory.availablePages()).isEqualTo(2);
    }

    @Test
    void withoutASequenceLeftAForkIsEmpty() {
        SequenceMemory memory = new SequenceMemory(cells, 128, 1, 8, true);
        SequenceMemory.Part part = memory.open();
        append(part, text(1, 70), 70);
        SequenceMemory.Part fork = part.fork(70);
        assertThat(fork.length()).isZero();
        fork.close();
        part.close();
        assertThat(memory.availablePages()).isEqualTo(8);
    }

    @Test
    void withoutASequenceLeftNoPagesAreAvailable() {
        SequenceMemory memory = new SequenceMemory(cells, 128, 1, 8, true);
        SequenceMemory.Part part = memory.open();
        append(part, text(1, 70), 70);
        assertThat(memory.availablePages()).as("a text would have to wait").isZero();
        part.rememberEnd(text(1, 70));
        assertThat(memory.availablePages()).as("what is remembered can be forgotten").isEqualTo(8);
    }

    @Test
    void whereAWindowHasPassedNothingIsTakenOver() {
        cells.window = 50;
        SequenceMemory memory = new SequenceMemory(cells, 200, 8, 20, true);
        int[] tokens = text(1, 200);
        SequenceMemory.Part first = memory.open();
        append(first, tokens, 100);
        assertThat(first.fork(60).length()).isZero();
        assertThat(first.fork(100).length()).as("all of it").isEqualTo(100);
        first.rememberEnd(tokens);
        assertThat(memory.knownTokens(tokens, 60)).isZero();
        assertThat(memory.open(tokens, 60).length()).isZero();
        SequenceMemory.Part next = memory.open(tokens, 150);
        assertThat(next.length()).as("it goes on where the text ended").isEqualTo(100);
        append(next, tokens, 20);
        next.truncate(110);
        assertThat(next.length()).as("computed anew").isZero();
        assertThat(next.number()).isNotNegative();
        append(next, tokens, 40);
        assertThat(cells.tokens(next.number())).isEqualTo(Arrays.copyOf(tokens, 40));
    }

    @Test
    void whatCannotBeCutIsForgottenAsAWhole() {
        cells.cuts = false;
        SequenceMemory memory = new SequenceMemory(cells, 128, 2, 4, false);
        SequenceMemory.Part part = memory.open();
        append(part, text(1, 100), 100);
        part.truncate(90);
        assertThat(part.length()).isZero();
        assertThat(cells.cells).isEmpty();
        append(part, text(2, 100), 20);
        part.restore();
        assertThat(part.length()).isZero();
        assertThat(memory.availablePages()).isEqualTo(4);
    }

    @Test
    void neverAreMoreCellsInUseThanPagesHavePositions() {
        SplittableRandom random = new SplittableRandom(20261128);
        int pages = 14;
        SequenceMemory memory = new SequenceMemory(cells, 300, 9, pages, true);
        List<SequenceMemory.Part> open = new ArrayList<>();
        List<int[]> of = new ArrayList<>();
        int[][] texts = {text(1, 300), text(2, 300), text(3, 300)};
        System.arraycopy(texts[0], 0, texts[1], 0, 100);
        int grown = 0;
        for (int round = 0; round < 4000; round++) {
            int at = open.isEmpty() ? -1 : random.nextInt(open.size());
            switch (random.nextInt(7)) {
                case 0 -> {
                    if (open.size() < 6) {
                        int[] tokens = texts[random.nextInt(3)];
                        open.add(memory.open(tokens, random.nextInt(300)));
                        of.add(tokens);
                    }
                }
                case 1, 2, 3 -> {
                    if (at >= 0 && open.get(at).length() < 290) {
                        SequenceMemory.Part part = open.get(at);
                        int count = 1 + random.nextInt(Math.min(90, 300 - part.length()));
                        int needed = part.pagesNeeded(count);
                        int available = memory.availablePages();
                        try {
                            append(part, of.get(at), count);
                            grown++;
                        } catch (KvMemoryException e) {
                            assertThat(needed > available || open.size() >= 9).as("round %d: refused with %d pages for %d", round, available, needed).isTrue();
                        }
                    }
                }
                case 4 -> {
                    if (at >= 0 && open.size() < 6) {
                        SequenceMemory.Part fork = open.get(at).fork(random.nextInt(open.get(at).length() + 1));
                        open.add(fork);
                        of.add(of.get(at));
                    }
                }
                case 5 -> {
                    if (at >= 0) {
                        open.get(at).truncate(random.nextInt(open.get(at).length() + 1));
                    }
                }
                default -> {
                    if (at >= 0) {
                        SequenceMemory.Part part = open.remove(at);
                        int[] tokens = of.remove(at);
                        if (random.nextBoolean()) {
                            part.rememberEnd(tokens);
                        } else {
                            part.close();
                        }
                    }
                }
            }
            assertThat(cells.cells.size()).as("round %d: cells in use", round).isLessThanOrEqualTo(pages * PAGE);
            for (int i = 0; i < open.size(); i++) {
                if (open.get(i).number() >= 0) {
                    assertThat(cells.tokens(open.get(i).number())).as("round %d", round).isEqualTo(Arrays.copyOf(of.get(i), open.get(i).length()));
                }
            }
        }
        assertThat(grown).as("rounds in which a text grew").isGreaterThan(500);
        open.forEach(SequenceMemory.Part::close);
        memory.forgetAll();
        assertThat(cells.cells).isEmpty();
        assertThat(memory.availablePages()).isEqualTo(pages);
    }
}
