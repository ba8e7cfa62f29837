package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.ScalarBackend;
import dev.yangtuo.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Pages are taken as sequences grow and come back when they end. */
class KvCacheTest {
    private static final ModelConfig CONFIG =
            new ModelConfig(8, 8, 1, 2, 1, 4, 10, 4096, 1e-5f, RopeConfig.plain(10_000), SlidingWindow.NONE, false, List.of());

    private final Backend backend = new ScalarBackend(1);

    @AfterEach
    void close() {
        backend.close();
    }

    private KvCache cache(int context, int sequences) {
        return new KvCache(backend, CONFIG, TensorType.F16, context, sequences);
    }

    @Test
    void sequenceTakesPagesAsItGrows() {
        try (KvCache cache = cache(200, 1); Sequence sequence = cache.open()) {
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
                List<Sequence> open = new ArrayList<>();
                Set<Integer> pages = new HashSet<>();
                for (int i = 0; i < 3; i++) {
                    Sequence sequence = cache.open();
                    sequence.reserve(130 - (round + i) % 2);
                    open.add(sequence);
                    Arrays.stream(sequence.pages()).limit(sequence.pageCount()).forEach(page ->
                            assertThat(pages.add(page)).as("page %d is free", page).isTrue());
                }
                assertThat(pages).hasSize(9).allMatch(page -> page >= 0 && page < 9);
                open.forEach(Sequence::close);
            }
        }
    }

    @Test
    void tooManySequencesAreRefusedUntilOneCloses() {
        try (KvCache cache = cache(64, 2)) {
            Sequence first = cache.open();
            Sequence second = cache.open();
            assertThatIllegalStateException().isThrownBy(cache::open).withMessageContaining("2 sequences").withMessageContaining("maxSequences");
            first.close();
            first.close();
            Sequence third = cache.open();
            assertThatIllegalStateException().as("closing twice frees one place, not two").isThrownBy(cache::open);
            third.close();
            second.close();
        }
    }

    @Test
    void closedSequenceRefusesToGrow() {
        try (KvCache cache = cache(64, 1)) {
            Sequence sequence = cache.open();
            sequence.close();
            assertThatIllegalStateException().isThrownBy(() -> sequence.reserve(1)).withMessageContaining("closed");
        }
    }

    @Test
    void sizesThatNoPoolCanHaveAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> cache(Integer.MAX_VALUE, 1024)).withMessageContaining("1024 sequences");
    }
}
