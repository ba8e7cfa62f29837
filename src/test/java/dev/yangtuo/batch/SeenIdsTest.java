package dev.yangtuo.batch;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Which ids an input has had. */
class SeenIdsTest {
    @Test
    void everyIdIsNewOnce() throws RequestProblem {
        try (SeenIds seen = new SeenIds()) {
            for (int i = 0; i < 50_000; i++) { // the table grows several times
                assertThat(seen.add(RecordId.of("request-" + i))).isTrue();
            }
            for (int i = 0; i < 50_000; i += 7) {
                assertThat(seen.add(RecordId.of("request-" + i))).isFalse();
            }
        }
    }

    @Test
    void aNumberIsNotTheTextOfItsDigits() throws RequestProblem {
        try (SeenIds seen = new SeenIds()) {
            assertThat(seen.add(RecordId.of("7"))).isTrue();
            assertThat(seen.add(new RecordId("7", true, true))).isTrue();
            assertThat(seen.add(RecordId.of("7"))).isFalse();
        }
    }
}
