package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class StopTextTest {
    private static final long SEED = 20_260_101;

    /** The text before the stop text that is complete first, the longest of several; all of it if there is none. */
    private static String textbook(String text, List<String> stops) {
        for (int end = 1; end <= text.length(); end++) {
            String read = text.substring(0, end);
            int longest = stops.stream().filter(read::endsWith).mapToInt(String::length).max().orElse(0);
            if (longest > 0) {
                return read.substring(0, end - longest);
            }
        }
        return text;
    }

    @Test
    void cutIsThatOfTheTextbookHoweverTheStreamIsCut() {
        SplittableRandom random = new SplittableRandom(SEED);
        int stopped = 0;
        for (int round = 0; round < 20_000; round++) {
            String text = randomText(random, random.nextInt(30));
            List<String> stops = new ArrayList<>();
            for (int i = random.nextInt(4); i > 0; i--) {
                stops.add(randomText(random, 1 + random.nextInt(6)));
            }
            String expected = textbook(text, stops);
            StopText stopText = new StopText(stops);
            StringBuilder shown = new StringBuilder();
            for (int at = 0; at < text.length(); ) {
                int end = Math.min(text.length(), at + random.nextInt(5));
                shown.append(stopText.accept(text.substring(at, end)));
                assertThat(expected).as("%s with %s, seed %d", text, stops, SEED).startsWith(shown);
                at = end;
            }
            shown.append(stopText.finish());
            assertThat(shown.toString()).as("%s with %s, seed %d", text, stops, SEED).isEqualTo(expected);
            assertThat(stopText.found()).isEqualTo(!expected.equals(text) || stops.stream().anyMatch(text::endsWith));
            stopped += stopText.found() ? 1 : 0;
        }
        assertThat(stopped).isBetween(5_000, 18_000);
    }

    private static String randomText(SplittableRandom random, int length) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            text.append("ab羊".charAt(random.nextInt(3)));
        }
        return text.toString();
    }

    @Test
    void onlyWhatMayBeginAStopTextIsHeldBack() {
        StopText stopText = new StopText(List.of("###", "\nUser:"));
        assertThat(stopText.accept("one #")).isEqualTo("one ");
        assertThat(stopText.accept("2")).isEqualTo("#2");
        assertThat(stopText.accept("\nUs")).isEmpty();
        assertThat(stopText.accept("e it\n")).isEqualTo("\nUse it");
        assertThat(stopText.accept("User: hello")).isEmpty();
        assertThat(stopText.found()).isTrue();
        assertThat(stopText.accept("more")).isEmpty();
        assertThat(stopText.finish()).isEmpty();
    }

    @Test
    void withoutStopTextsNothingIsHeldBack() {
        StopText stopText = new StopText(List.of());
        assertThat(stopText.accept("abc")).isEqualTo("abc");
        assertThat(stopText.accept("")).isEmpty();
        assertThat(stopText.finish()).isEmpty();
        assertThat(stopText.found()).isFalse();
    }
}
