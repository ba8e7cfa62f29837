package dev.yangtuo.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Names that tell paths apart in a table or a chart: the last part of the path, with as many parts before it as needed to be the only one of
 * that name. A {@code tokenizer.model} is called as its directory, because they all have that name.
 */
final class ShortNames {
    private static final Path UNTELLING = Path.of("tokenizer.model");

    private ShortNames() {}

    /** One name for each path, in their order, no two alike. */
    static List<String> of(List<Path> paths) {
        List<Path> whole = paths.stream().map(ShortNames::telling).toList();
        int[] parts = new int[whole.size()];
        List<String> names = new ArrayList<>();
        for (int i = 0; i < parts.length; i++) {
            parts[i] = 1;
            names.add(name(whole.get(i), 1));
        }
        // Each round makes a name longer, so it ends.
        for (boolean grown = true; grown; ) {
            grown = false;
            Map<String, Set<Path>> alike = new HashMap<>();
            for (int i = 0; i < parts.length; i++) {
                alike.computeIfAbsent(names.get(i), name -> new HashSet<>()).add(whole.get(i));
            }
            for (int i = 0; i < parts.length; i++) {
                if (alike.get(names.get(i)).size() > 1 && parts[i] < whole.get(i).getNameCount()) {
                    names.set(i, name(whole.get(i), ++parts[i]));
                    grown = true;
                }
            }
        }
        return numbered(names);
    }

    /** One name for each text, in their order, no two alike. */
    static List<String> ofTexts(List<TextFile> texts) {
        return of(texts.stream().map(text -> text.path() == null ? Path.of(text.name()) : text.path()).toList());
    }

    /** What the name is taken from. */
    private static Path telling(Path path) {
        Path whole = path.toAbsolutePath().normalize();
        boolean untelling = whole.endsWith(UNTELLING) && whole.getNameCount() > 1;
        return untelling ? whole.getParent() : whole;
    }

    private static String name(Path whole, int parts) {
        int count = whole.getNameCount();
        return count == 0 ? whole.toString() : printable(whole.subpath(count - Math.min(parts, count), count).toString());
    }

    /** Numbers what is still alike: one path that was named twice. */
    private static List<String> numbered(List<String> names) {
        Set<String> taken = new HashSet<>(names);
        Set<String> seen = new HashSet<>();
        List<String> unique = new ArrayList<>();
        for (String name : names) {
            String candidate = name;
            for (int number = 2; !seen.add(candidate); number++) {
                String next = "%s (%d)".formatted(name, number);
                candidate = taken.add(next) ? next : name;
            }
            unique.add(candidate);
        }
        return unique;
    }

    /** The text without characters that would break a line or command a terminal. */
    static String printable(String text) {
        return text.replaceAll("\\p{Cc}", "\uFFFD");
    }
}
