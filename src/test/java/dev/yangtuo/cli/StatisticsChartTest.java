package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.DEMO;
import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.ChildJvm;
import dev.yangtuo.tokenizer.Tokenizer;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code tokenize --stats --plot}. Needs a font; where there is none these tests fail with the message that names the packages to install.
 */
class StatisticsChartTest {
    private static final Path BASE = DEMO.resolve("base");
    private static final Path CHINESE = DEMO.resolve("chinese-lora");
    private static final Path POEMS = DEMO.resolve("text/poems.txt");
    private static final Path ENGLISH = DEMO.resolve("text/english.txt");
    private static final int FIRST_COLOR = 0x0072B2;
    private static final int SECOND_COLOR = 0xE69F00;
    private static final int WHITE = 0xFFFFFF;

    /** The row of pixels in which bars end, and one that they all go through. */
    private static final int AXIS = 560;
    private static final int ABOVE_AXIS = 552;

    @TempDir
    private Path directory;

    private BufferedImage plot(Object... args) throws IOException {
        Path file = directory.resolve("chart.png");
        CommandRun run = CommandRun.of(Stream.concat(Stream.of("tokenize", "--stats", "--plot", file), Stream.of(args)).toArray());
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.text()).contains("characters/token");
        assertThat(Files.readAllBytes(file)).startsWith(0x89, 'P', 'N', 'G');
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files.filter(path -> path.toString().endsWith(".partial"))).isEmpty();
        }
        return ImageIO.read(file.toFile());
    }

    /** How many pixels have each colour. */
    private static Map<Integer, Integer> colors(BufferedImage image) {
        Map<Integer, Integer> colors = new HashMap<>();
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                colors.merge(image.getRGB(x, y) & 0xFFFFFF, 1, Integer::sum);
            }
        }
        return colors;
    }

    private static boolean isColor(BufferedImage image, int x, int y, int rgb) {
        return (image.getRGB(x, y) & 0xFFFFFF) == rgb;
    }

    /** The height of the highest bar of a colour; the box of that colour in the legend is lower. */
    private static int height(BufferedImage image, int color) {
        return IntStream.range(0, image.getWidth())
                .map(x -> (int) IntStream.rangeClosed(0, AXIS).filter(y -> isColor(image, x, y, color)).count())
                .max()
                .orElseThrow();
    }

    private static long tokens(Path model) throws IOException {
        Tokenizer tokenizer = Tokenizer.load(model.resolve("tokenizer.model"));
        return Files.readAllLines(POEMS).stream().mapToLong(line -> tokenizer.encode(line).length).sum();
    }

    private static boolean isDark(int rgb) {
        return (rgb >> 16 & 0xFF) + (rgb >> 8 & 0xFF) + (rgb & 0xFF) < 3 * 0x60;
    }

    @Test
    void barsAreAsHighAsTheirTokensPerCharacter() throws IOException {
        BufferedImage image = plot("--model", BASE, "--model", CHINESE, POEMS);
        assertThat(image.getWidth()).isEqualTo(1000);
        assertThat(image.getHeight()).isEqualTo(640 + 2 * 30);
        Map<Integer, Integer> colors = colors(image);
        assertThat(colors.get(WHITE)).isGreaterThan(image.getWidth() * image.getHeight() / 2);
        double ratio = (double) tokens(BASE) / tokens(CHINESE);
        assertThat((double) height(image, FIRST_COLOR) / height(image, SECOND_COLOR)).isCloseTo(ratio, Offset.offset(0.03 * ratio));
        int dark = colors.entrySet().stream().filter(color -> isDark(color.getKey())).mapToInt(Map.Entry::getValue).sum();
        assertThat(dark).as("letters").isGreaterThan(2000);
    }

    @Test
    void withSeveralTextsThereIsAGroupForEachAndOneForAll() throws IOException {
        BufferedImage image = plot("--model", BASE, "--model", CHINESE, POEMS, ENGLISH);
        for (int color : new int[] {FIRST_COLOR, SECOND_COLOR}) {
            int bars = 0;
            for (int x = 1; x < image.getWidth(); x++) {
                bars += !isColor(image, x - 1, ABOVE_AXIS, color) && isColor(image, x, ABOVE_AXIS, color) ? 1 : 0;
            }
            assertThat(bars).isEqualTo(3);
        }
    }

    @Test
    void manyTextsWithLongNamesMakeALargerPicture() throws IOException {
        Object[] files = IntStream.range(0, 30)
                .mapToObj(i -> directory.resolve("a-text-with-a-name-that-is-longer-than-there-is-room-%d.txt".formatted(i)))
                .toArray();
        for (Object file : files) {
            Files.writeString((Path) file, "床前明月光");
        }
        BufferedImage image = plot(files);
        assertThat(image.getWidth()).isBetween(1500, 4000);
        assertThat(image.getHeight()).isGreaterThan(900);
    }

    @Test
    void chineseNamesEmptyTextsAndRepeatedOnesAreDrawn() throws IOException {
        Path model = Files.createDirectory(directory.resolve("羊驼\uD83D\uDE00"));
        Files.copy(BASE.resolve("tokenizer.model"), model.resolve("tokenizer.model"));
        Path text = Files.writeString(directory.resolve("唐诗 三百首.txt"), "床前明月光");
        Path empty = Files.writeString(directory.resolve("空.txt"), "");
        BufferedImage image = plot("--model", model, "--model", model, text, empty, text);
        assertThat(colors(image)).containsKeys(FIRST_COLOR, SECOND_COLOR);
        assertThat(colors(plot(empty)).keySet()).as("nothing to show").contains(WHITE);
    }

    @Test
    void aFileThatIsThereIsReplacedAndOneThatFailsIsLeft() throws IOException {
        Path file = Files.writeString(directory.resolve("chart.png"), "before");
        CommandRun run = CommandRun.of("tokenize", "--stats", "--plot", file, "--model", "/no/such", POEMS);
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(file).hasContent("before");
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).containsExactly(file);
        }
        plot(ENGLISH);
        assertThat(Files.size(file)).isGreaterThan(1000);
    }

    @Test
    void theNameMayBeInCapitals() {
        Path file = directory.resolve("CHART.PNG");
        assertThat(CommandRun.of("tokenize", "--stats", "--plot", file, ENGLISH).exitCode()).isZero();
        assertThat(file).isNotEmptyFile();
    }

    @Test
    void aPathThatCannotBeWrittenIsNamedBeforeTheWork() throws IOException {
        Path folder = Files.createDirectory(directory.resolve("folder.png"));
        for (Path bad : List.of(folder, directory.resolve("no/such/chart.png"))) {
            CommandRun run = CommandRun.of("tokenize", "--stats", "--plot", bad, POEMS);
            assertThat(run.exitCode()).isEqualTo(1);
            assertThat(run.output()).isEmpty();
            assertThat(run.problem()).contains(bad.toString());
            assertThat(run.errors().lines()).hasSize(1);
        }
    }

    @Test
    void moreBarsThanCanBeToldApartAreRefused() {
        Object[] args = Stream.concat(
                Stream.of("tokenize", "--stats", "--plot", directory.resolve("chart.png"), "--model", BASE, "--model", CHINESE),
                IntStream.range(0, 101).mapToObj(i -> POEMS)).toArray();
        CommandRun run = CommandRun.of(args);
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.problem()).contains("202 bars (101 texts, 2 models)", "at most 200");
    }

    /** A machine without fonts, as far as it can be had here: fontconfig knows of none, or is not there. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void withoutFontsThePackagesToInstallAreNamedAndNothingIsWritten(boolean fontconfig) throws Exception {
        Path none = Files.writeString(directory.resolve("fonts.conf"), "<fontconfig><dir>%s</dir></fontconfig>".formatted(directory));
        // The JDK keeps what it found in the home directory.
        List<String> options = List.of(fontconfig ? "-Duser.home=" + directory : "-Dsun.awt.fontconfig=/no/such");
        Path file = directory.resolve("chart.png");
        ChildJvm.Outcome outcome = ChildJvm.run(
                60, Map.of("FONTCONFIG_FILE", none.toString()), options, Main.class,
                "tokenize", "--stats", "--model", BASE.toString(), "--plot", file.toString(), POEMS.toString());
        assertThat(outcome.exitCode()).as(outcome.output()).isEqualTo(1);
        assertThat(outcome.output()).contains("yangtuo: a chart needs fonts", "apt-get install fontconfig fonts-dejavu-core");
        assertThat(outcome.output().lines()).as(outcome.output()).hasSize(1);
        assertThat(file).doesNotExist();
    }
}
