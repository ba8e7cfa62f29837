package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.KvShape;
import dev.yangtuo.kernel.ScalarBackend;
import dev.yangtuo.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Pages are taken as sequences grow and come back when they end. */
class KvCacheTest {
    private final Backend backend = new ScalarBackend(1);

    @AfterEach
    void close() {
        backend.close();
    }

    /** With pages for so many whole sequences. */
    private KvCache cache(int context, int sequences) {
        return cacheOf(context, KvCache.pagesFor(context) * sequences);
    }

    private KvCache cacheOf(int context, int pages) {
        return new KvCache(backend.createKvPool(new KvShape(TensorType.F16, KvCache.PAGE_POSITIONS, pages, 1, 1, 4)), context);
    }

    private static int[] tokens(int count, long seed) {
        return new Random(seed).ints(count, 0, 1000).toArray();
    }

    private static PagedSequence filled(KvCache cache, int[] tokens) {
        PagedSequence sequence = cache.open(tokens, tokens.length - 1);
        int missing = tokens.length - sequence.length();
        sequence.reserve(missing);
        sequence.advance(missing);
        sequence.remember(tokens);
        return sequence;
    }

    @Test
    void sequenceTakesPagesAsItGrows() {
        try (KvCache cache = cache(200, 1); PagedSequence sequence = cache.open()) {
            assertThat(cache.pagePositions()).isEqualTo(64);
            assertThat(cache.pagesPerSequence()).isEqualTo(4);
            assertThat(sequence.pageCount()).isZero();
            int[][] steps = {{1, 1}, {63, 1}, {1, 2}, {127, 3}, {8, 4}};
            for (int[] step : steps) {
                sequence.reserve(step[0]);
                sequence.advance(step[0]);
                assertThat(sequence.pageCount()).as("pages at length %d", sequence.length()).isEqualTo(step[1]);
            }
            assertThat(sequence.length()).isEqualTo(200);
            assertThat(sequence.remaining()).isZero();
            assertThatIllegalArgumentException().isThrownBy(() -> sequence.reserve(1)).withMessageContaining("200");
        }
    }

    @Test
    void openSequencesNeverShareAPageAndAllPagesComeBack() {
        try (KvCache cache = cache(130, 3)) {
            for (int round = 0; round < 20; round++) {
                List<PagedSequence> open = new ArrayList<>();
                Set<Integer> pages = new HashSet<>();
                for (int i = 0; i < 3; i++) {
                    PagedSequence sequence = cache.open();
                    sequence.reserve(130 - (round + i) % 2);
                    open.add(sequence);
                    Arrays.stream(sequence.pages()).limit(sequence.pageCount()).forEach(page ->
                            assertThat(pages.add(page)).as("page %d is free", page).isTrue());
                }
                assertThat(pages).hasSize(9).allMatch(page -> page >= 0 && page < 9);
                open.forEach(PagedSequence::close);
            }
        }
    }

    @Test
    void withoutAPageLeftASequenceCannotGrowUntilOneComesBack() {
        try (KvCache cache = cache(64, 2)) {
            PagedSequence first = cache.open();
            PagedSequence second = cache.open();
            PagedSequence third = cache.open();
            first.reserve(1);
            second.reserve(64);
            assertThat(third.tryReserve(1)).isFalse();
            assertThatThrownBy(() -> third.reserve(1)).isInstanceOf(KvMemoryException.class).hasMessageContaining("all 2 pages");
            first.close();
            first.close();
            assertThat(cache.availablePages()).as("closing twice gives a page back once").isEqualTo(1);
            assertThat(third.tryReserve(64)).isTrue();
            third.close();
            second.close();
            assertThat(cache.owners()).containsOnly(0);
        }
    }

    @Test
    void truncatedSequenceGivesPagesBack() {
        try (KvCache cache = cache(256, 1)) {
            PagedSequence sequence = cache.open();
            sequence.reserve(200);
            sequence.advance(200);
            sequence.truncate(128);
            assertThat(sequence.pageCount()).isEqualTo(2);
            sequence.truncate(0);
            assertThat(sequence.pageCount()).isZero();
            assertThat(cache.availablePages()).isEqualTo(4);
        }
    }

    @Test
    void forksShareTheirPagesUntilOneWrites() {
        try (KvCache cache = cache(256, 3)) {
            PagedSequence trunk = cache.open();
            trunk.reserve(100);
            trunk.advance(100);
            PagedSequence branch = trunk.fork(trunk.length());
            assertThat(branch.length()).isEqualTo(100);
            assertThat(cache.availablePages()).isEqualTo(10);
            assertThat(branch.pagesNeeded(1)).as("a copy of the last page").isEqualTo(1);
            branch.reserve(1);
            assertThat(branch.pages()[0]).isEqualTo(trunk.pages()[0]);
            assertThat(branch.pages()[1]).isNotEqualTo(trunk.pages()[1]);
            assertThat(trunk.pagesNeeded(1)).as("the page is its own again").isZero();
            trunk.close();
            branch.close();
            assertThat(cache.owners()).containsOnly(0);
        }
    }

    @Test
    void whatIsRememberedIsFoundByWholePagesAndByACopyOfTheRest() {
        int[] text = tokens(200, 1);
        try (KvCache cache = cache(256, 4)) {
            filled(cache, text).close();
            assertThat(cache.availablePages()).as("remembered pages can be had").isEqualTo(16);
            try (PagedSequence same = cache.open(text, 199)) {
                assertThat(same.length()).as("three pages of four").isEqualTo(192);
            }
            int[] other = text.clone();
            other[150] = -1;
            assertThat(cache.knownTokens(other, 199)).isEqualTo(128);
            try (PagedSequence beginning = cache.open(other, 199); PagedSequence again = cache.open(other, 199)) {
                assertThat(beginning.length()).isEqualTo(150);
                assertThat(beginning.pages()[1]).isEqualTo(again.pages()[1]);
                assertThat(beginning.pages()[2]).as("copies").isNotEqualTo(again.pages()[2]);
            }
            try (PagedSequence few = cache.open(text, 10)) {
                assertThat(few.length()).isEqualTo(10);
            }
            try (PagedSequence nothing = cache.open(tokens(200, 2), 199)) {
                assertThat(nothing.length()).isZero();
            }
            cache.forget();
            assertThat(cache.owners()).containsOnly(0);
        }
    }

    @Test
    void theEndOfATextIsRememberedToTheToken() {
        int[] text = tokens(200, 1);
        try (KvCache cache = cache(256, 4)) {
            ended(cache, text, 100);
            try (PagedSequence next = cache.open(text, 199)) {
                assertThat(next.length()).isEqualTo(100);
                assertThat(next.pages()[1]).as("a copy, which can be written").satisfies(page -> assertThat(cache.owners()[page]).isEqualTo(1));
            }
            ended(cache, text, 110);
            assertThat(IntStream.of(cache.owners()).filter(owners -> owners > 0).count()).as("the longer end takes the place of the shorter one").isEqualTo(2);
            ended(cache, text, 90);
            assertThat(IntStream.of(cache.owners()).filter(owners -> owners > 0).count()).as("a shorter end is known").isEqualTo(2);
            int[] other = text.clone();
            other[80] = -1;
            ended(cache, other, 128);
            try (PagedSequence next = cache.open(text, 199); PagedSequence branch = cache.open(other, 199)) {
                assertThat(next.length()).isEqualTo(110);
                assertThat(branch.length()).isEqualTo(128);
            }
            filled(cache, text).close();
            assertThat(IntStream.of(cache.owners()).filter(owners -> owners > 0).count()).as("three full pages and one of the other text").isEqualTo(4);
            cache.forget();
            assertThat(cache.owners()).containsOnly(0);
        }
    }

    @Test
    void theEndOfATextThatAnotherSharesIsNotRemembered() {
        int[] text = tokens(200, 1);
        try (KvCache cache = cache(256, 4)) {
            PagedSequence trunk = cache.open(text, 100);
            trunk.reserve(100);
            trunk.advance(100);
            PagedSequence branch = trunk.fork(trunk.length());
            trunk.truncate(80);
            trunk.rememberEnd(text);
            branch.rememberEnd(text);
            try (PagedSequence next = cache.open(text, 199)) {
                assertThat(next.length()).as("the one that had it last").isEqualTo(100);
            }
            assertThatIllegalStateException().isThrownBy(() -> branch.reserve(1)).withMessageContaining("closed");
            cache.forget();
            assertThat(cache.owners()).containsOnly(0);
        }
    }

    private static void ended(KvCache cache, int[] text, int length) {
        PagedSequence sequence = cache.open(text, length - 1);
        sequence.reserve(length - sequence.length());
        sequence.advance(length - sequence.length());
        sequence.rememberEnd(text);
    }

    @Test
    void equalPagesOfTwoSequencesBecomeOne() {
        int[] text = tokens(128, 1);
        try (KvCache cache = cache(256, 2)) {
            PagedSequence first = cache.open(text, 127);
            PagedSequence second = cache.open(text, 127);
            for (PagedSequence sequence : List.of(first, second)) {
                sequence.reserve(128);
                sequence.advance(128);
                sequence.remember(text);
            }
            assertThat(cache.availablePages()).isEqualTo(6);
            assertThat(second.pages()).startsWith(first.pages()[0], first.pages()[1]);
            first.close();
            second.truncate(70);
            second.reserve(1);
            assertThat(cache.owners()[second.pages()[1]]).as("a page that is written is nobody else's").isEqualTo(1);
            second.close();
            cache.forget();
            assertThat(cache.owners()).containsOnly(0);
        }
    }

    /** Random operations on random texts with common beginnings: no page is ever free and owned, lost, or written by two. */
    @Test
    void randomOperationsKeepTheBooksRight() {
        Random random = new Random(5);
        int[][] texts = new int[6][];
        for (int i = 0; i < texts.length; i++) {
            texts[i] = tokens(250, i / 2);
            if (i % 2 == 1) {
                texts[i][70 + random.nextInt(100)] = -i;
            }
        }
        try (KvCache cache = cache(256, 3)) {
            List<PagedSequence> open = new ArrayList<>();
            List<int[]> of = new ArrayList<>();
            for (int round = 0; round < 5000; round++) {
                int at = open.isEmpty() ? -1 : random.nextInt(open.size());
                switch (random.nextInt(6)) {
                    case 0 -> {
                        if (open.size() < 12) {
                            of.add(texts[random.nextInt(texts.length)]);
                            open.add(cache.open(of.getLast(), random.nextInt(250)));
                        }
                    }
                    case 1, 2 -> {
                        if (at >= 0 && open.get(at).length() < 250) {
                            PagedSequence sequence = open.get(at);
                            int count = 1 + random.nextInt(Math.min(100, 250 - sequence.length()));
                            if (sequence.tryReserve(count)) {
                                int page = sequence.pages()[sequence.length() / 64];
                                assertThat(cache.owners()[page]).as("round %d: the page that is written", round).isEqualTo(1);
                                sequence.advance(count);
                                sequence.remember(of.get(at));
                            }
                        }
                    }
                    case 3 -> {
                        if (at >= 0) {
                            open.get(at).truncate(random.nextInt(open.get(at).length() + 1));
                        }
                    }
                    case 4 -> {
                        if (at >= 0 && open.size() < 12) {
                            open.add(open.get(at).fork(open.get(at).length()));
                            of.add(of.get(at));
                        }
                    }
                    default -> {
                        if (at >= 0 && random.nextBoolean()) {
                            open.remove(at).rememberEnd(of.remove(at));
                        } else if (at >= 0) {
                            open.remove(at).close();
                            of.remove(at);
                        }
                    }
                }
                requireBooks(cache, open, round);
            }
            open.forEach(PagedSequence::close);
            cache.forget();
            assertThat(cache.owners()).containsOnly(0);
            assertThat(cache.availablePages()).isEqualTo(12);
        }
    }

    private static void requireBooks(KvCache cache, List<PagedSequence> open, int round) {
        int[] bySequences = new int[12];
        for (PagedSequence sequence : open) {
            for (int i = 0; i < sequence.pageCount(); i++) {
                bySequences[sequence.pages()[i]]++;
            }
        }
        int[] owners = cache.owners();
        int available = 0;
        for (int page = 0; page < owners.length; page++) {
            assertThat(owners[page] - bySequences[page]).as("round %d, page %d: owners beside sequences", round, page).isBetween(0, 1);
            available += bySequences[page] == 0 ? 1 : 0;
        }
        assertThat(cache.availablePages()).as("round %d", round).isEqualTo(available);
    }

    @Test
    void closedSequenceRefusesToGrow() {
        try (KvCache cache = cache(64, 1)) {
            PagedSequence sequence = cache.open();
            sequence.close();
            assertThatIllegalStateException().isThrownBy(() -> sequence.reserve(1)).withMessageContaining("closed");
        }
    }

    @Test
    void aPoolTooSmallForOneTextIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> cacheOf(65, 1)).withMessageContaining("2 pages");
    }
}
