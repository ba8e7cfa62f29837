package dev.yangtuo.benchmarks.tokenizer;

import dev.yangtuo.benchmarks.Checkout;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A text to encode.
 *
 * @param name as results show it
 * @param text all of it
 */
record Corpus(String name, String text) {
    /** Corpora of the repository: classical Chinese, modern technical Chinese with English and code in it, English of 1611. */
    static final List<String> NAMES = List.of("poems", "mixed", "english");

    /**
     * {@return a corpus}
     *
     * @param name one of {@link #NAMES}, or a file of UTF-8, absolute or relative to the repository
     * @throws IllegalArgumentException if it is neither
     */
    static Corpus of(String name) {
        Path file = file(name);
        try {
            return new Corpus(name, Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be read as UTF-8", e);
        }
    }

    /** {@return where a corpus is; see {@link #of}} */
    static Path file(String name) {
        return Checkout.file(switch (name) {
            case "poems" -> "examples/demo-model/text/poems.txt";
            case "mixed" -> "benchmarks/corpora/mixed.txt";
            case "english" -> "examples/demo-model/text/english.txt";
            default -> name;
        });
    }

    /** {@return its lines without the line feeds that end them, empty ones too} */
    List<String> lines() {
        List<String> lines = List.of(text.split("\n", -1));
        return text.endsWith("\n") ? lines.subList(0, lines.size() - 1) : lines;
    }

    /** {@return the text, repeated and cut, so that it has as many bytes of UTF-8 as asked for, or up to 3 less} */
    String ofSize(int utf8Bytes) {
        int size = utf8Bytes(text);
        StringBuilder builder = new StringBuilder();
        int left = utf8Bytes;
        for (; left >= size; left -= size) {
            builder.append(text);
        }
        for (int i = 0; i < text.length(); ) {
            int character = text.codePointAt(i);
            left -= utf8Bytes(Character.toString(character));
            if (left < 0) {
                break;
            }
            builder.appendCodePoint(character);
            i += Character.charCount(character);
        }
        return builder.toString();
    }

    /** {@return how many bytes of UTF-8 a text has} */
    static int utf8Bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }
}
