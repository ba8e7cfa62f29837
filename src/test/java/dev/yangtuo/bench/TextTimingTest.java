package dev.yangtuo.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.LoadOptions;
import dev.yangtuo.model.Model;
import dev.yangtuo.model.ModelLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What is computed, not how fast. */
class TextTimingTest {
    private static final int[] IDS = IntStream.range(0, 50).map(i -> 10 + i % 7).toArray();

    private static Model model(int context) {
        return ModelLoader.load(Path.of("src/test/resources/models/tiny/base"), LoadOptions.defaults().context(context).maxSequences(1).settings()).model();
    }

    @Test
    void everyRunReadsAndWritesAllTokensAWindowAtATime() {
        List<Long> done = new ArrayList<>();
        List<Long> counts = new ArrayList<>();
        try (Model model = model(16)) {
            TextTiming timing = new TextTiming(model, 1, 3, (soFar, count) -> {
                done.add(soFar);
                counts.add(count);
            }, () -> true);
            TextTiming.Result result = timing.measure(IDS, 70);
            assertThat(result.readSeconds().values()).hasSize(3).allMatch(seconds -> seconds > 0);
            assertThat(result.writeSeconds().values()).hasSize(3).allMatch(seconds -> seconds > 0);
            assertThat(model.availablePages()).as("all memory is given back").isEqualTo(model.pageCount());
        }
        // 50 tokens in windows of 15 with a beginning of sequence each, 70 likewise; the run that does not count, too
        long perRun = 50 + 4 + 70 + 5;
        assertThat(counts).containsOnly(4 * perRun);
        assertThat(done).isSorted().endsWith(4 * perRun);
    }

    @Test
    void withoutABeginningOfSequenceTheWholeContextIsTextAndWritingIsLeftOut() {
        List<Long> counts = new ArrayList<>();
        try (Model model = model(16)) {
            TextTiming.Result result = new TextTiming(model, -1, 1, (_, count) -> counts.add(count), () -> true).measure(IDS, 0);
            assertThat(result.readSeconds().values()).hasSize(1);
            assertThat(result.writeSeconds()).isNull();
        }
        assertThat(counts).containsOnly(100L);
        assertThat(TextTiming.windowTokens(512, 1)).isEqualTo(511);
        assertThat(TextTiming.windowTokens(512, -1)).isEqualTo(512);
    }

    @Test
    void itEndsWhenItIsNotToGoOn() {
        int[] left = {20};
        BooleanSupplier goesOn = () -> left[0] > 0 && left[0]-- > 0;
        List<Long> done = new ArrayList<>();
        try (Model model = model(16)) {
            assertThat(new TextTiming(model, 1, 5, (soFar, _) -> done.add(soFar), goesOn).measure(IDS, 50)).isNull();
        }
        assertThat(done).hasSizeLessThan(20);
    }

    @Test
    void whatCannotBeMeasuredIsRefused() {
        try (Model model = model(16)) {
            assertThatThrownBy(() -> new TextTiming(model, 1, 0, (_, _) -> { }, () -> true)).hasMessageContaining("0 runs");
        }
        try (Model model = model(1)) {
            assertThatThrownBy(() -> new TextTiming(model, 1, 1, (_, _) -> { }, () -> true)).hasMessageContaining("too short");
        }
    }
}
