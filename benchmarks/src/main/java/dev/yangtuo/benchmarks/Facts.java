package dev.yangtuo.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What a benchmark in a JVM of its own tells the one that started it, beside its times: through the file that a system property names. */
public final class Facts {
    /** The property; without it facts are printed only. */
    public static final String PROPERTY = "yangtuo.benchmarks.facts";

    private Facts() {}

    /** Notes something, in place of what was noted under this name before. */
    public static void note(String name, String value) {
        @Nullable String file = System.getProperty(PROPERTY);
        if (file == null) {
            System.out.printf("%s: %s%n", name, value);
            return;
        }
        try {
            Properties all = load(Path.of(file));
            all.setProperty(name, value);
            try (OutputStream out = Files.newOutputStream(Path.of(file))) {
                all.store(out, null);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * {@return what was noted, by name}
     *
     * @throws IOException if it cannot be read
     */
    public static Map<String, String> read(Path file) throws IOException {
        Map<String, String> facts = new TreeMap<>();
        load(file).forEach((name, value) -> facts.put((String) name, (String) value));
        return facts;
    }

    private static Properties load(Path file) throws IOException {
        Properties properties = new Properties();
        if (Files.exists(file)) {
            try (InputStream in = Files.newInputStream(file)) {
                properties.load(in);
            }
        }
        return properties;
    }
}
