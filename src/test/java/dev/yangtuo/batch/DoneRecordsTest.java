package dev.yangtuo.batch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** The set of places that are done. */
class DoneRecordsTest {
    @Property(tries = 300)
    void isASetOfNumbers(@ForAll List<@IntRange(min = 1, max = 40) Integer> places) {
        DoneRecords done = new DoneRecords();
        Set<Integer> expected = new HashSet<>();
        for (int place : places) {
            assertThat(done.add(place)).isEqualTo(expected.add(place));
        }
        int ranges = 0;
        for (int place = 0; place <= 41; place++) {
            assertThat(done.contains(place)).as("%d in %s", place, places).isEqualTo(expected.contains(place));
            ranges += expected.contains(place) && !expected.contains(place - 1) ? 1 : 0;
        }
        assertThat(done.ranges()).isEqualTo(ranges);
    }

    @Test
    void manyRecordsInTheirOrderAreOneRange() {
        DoneRecords done = new DoneRecords();
        for (long place = 1; place <= 100_000; place++) {
            done.add(place ^ 7); // a little out of order
        }
        assertThat(done.ranges()).isLessThan(10);
    }
}
