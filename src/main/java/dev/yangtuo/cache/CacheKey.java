package dev.yangtuo.cache;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Everything that packed weights depend on, as lines of text; their hash is the name of the file that holds them. Files count by their contents, not by their
 * places and names.
 */
public final class CacheKey {
    /** A file that is open: what it holds cannot be another's, even if another takes its name. */
    record Content(int line, Path path, MemorySegment bytes) {}

    private final List<String> lines = new ArrayList<>();
    private final List<Content> contents = new ArrayList<>();

    /** Adds a fact. */
    public void add(String label, String value) {
        // The length keeps two facts from looking like others that were cut elsewhere.
        lines.add(label + " " + value.getBytes(StandardCharsets.UTF_8).length + " " + value);
    }

    /**
     * Adds a file's contents.
     *
     * @param bytes all of it, mapped
     */
    public void addContent(Path path, MemorySegment bytes) {
        contents.add(new Content(lines.size(), path, bytes));
        lines.add("");
    }

    List<Content> contents() {
        return contents;
    }

    /**
     * 64 hexadecimal digits.
     *
     * @param hashes of {@link #contents()}, in their order
     */
    String hash(List<String> hashes) {
        List<String> all = new ArrayList<>(lines);
        for (int i = 0; i < contents.size(); i++) {
            all.set(contents.get(i).line(), "content " + hashes.get(i));
        }
        return ContentHash.sha256(String.join("\n", all));
    }
}
