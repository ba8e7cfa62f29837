package dev.yangtuo.benchmarks.latency;

import dev.yangtuo.benchmarks.Arguments;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Makes Markdown and pictures of results, beside them or in a folder: the same file gives the same report. */
public final class LatencyReport {
    private LatencyReport() {}

    /**
     * Writes reports, and names what it has written.
     *
     * @param arguments see {@code benchmarks/report --help}
     */
    public static void main(String[] arguments) {
        try {
            Arguments parsed = Arguments.parse(arguments, Set.of("--output"));
            if (parsed.operands().isEmpty()) {
                throw new IllegalArgumentException("expected a file of results of benchmarks/latency; --help says more");
            }
            for (String operand : parsed.operands()) {
                Path file = Path.of(operand).toAbsolutePath();
                List<Path> written = write(file, parsed.find("--output").map(Path::of).map(Path::toAbsolutePath).orElse(file.getParent()));
                written.forEach(System.out::println);
            }
        } catch (IllegalArgumentException | IOException e) {
            System.err.println("report: " + e.getMessage());
            System.exit(2);
        }
    }

    /** Writes {@code NAME.md} and a {@code NAME-MEASURE.png} for each measure that has a picture. {@return what was written} */
    static List<Path> write(Path file, Path folder) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException("%s: there is no such file".formatted(file));
        }
        SuiteResults results = SuiteResults.read(file);
        Files.createDirectories(folder);
        String name = file.getFileName().toString().replaceFirst("\\.json$", "");
        List<Path> written = new ArrayList<>();
        StringBuilder pictures = new StringBuilder();
        for (Measure measure : Measure.values()) {
            Path picture = folder.resolve("%s-%s.png".formatted(name, measure));
            if (ReportChart.write(results, measure, picture)) {
                pictures.append("\n![%s](%s)\n".formatted(measure, picture.getFileName()));
                written.add(picture);
            }
        }
        Path text = folder.resolve(name + ".md");
        Files.writeString(text, ReportText.of(results) + pictures);
        written.add(text);
        return written;
    }
}
