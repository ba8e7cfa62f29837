package dev.yangtuo.recipe;

import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A prompt with places in it, such as <code>{question}</code>. What is put there is never looked at again: an answer that says
 * <code>{question}</code> keeps saying so. Braces around anything but the names that are asked for stand for themselves. Immutable.
 */
public final class PromptTemplate {
    private static final Pattern PLACE = Pattern.compile("\\{([a-z_]+)}");

    /** Texts and, at odd positions, names. */
    private final List<String> parts;

    private PromptTemplate(List<String> parts) {
        this.parts = List.copyOf(parts);
    }

    /**
     * Reads a template.
     *
     * @param source what messages call it, such as its file
     * @param names of the places that it must have, each at least once
     * @throws YangtuoException if it lacks one
     */
    public static PromptTemplate of(String source, String text, Set<String> names) {
        List<String> parts = new ArrayList<>();
        Set<String> missing = new LinkedHashSet<>(names);
        Matcher matcher = PLACE.matcher(text);
        int end = 0;
        while (matcher.find()) {
            String name = matcher.group(1);
            if (names.contains(name)) {
                parts.add(text.substring(end, matcher.start()));
                parts.add(name);
                missing.remove(name);
                end = matcher.end();
            }
        }
        parts.add(text.substring(end));
        if (!missing.isEmpty()) {
            throw new YangtuoException("%s: the template has no {%s}; write it where that text is to stand".formatted(source, String.join("}, no {", missing)));
        }
        return new PromptTemplate(parts);
    }

    /** One of this package's own. */
    static PromptTemplate builtIn(String name, RecipeLanguage language, Set<String> names) {
        String file = "%s-%s.txt".formatted(name, language.code());
        try (InputStream in = PromptTemplate.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new IllegalStateException("the jar has no " + file);
            }
            return of(file, new String(in.readAllBytes(), StandardCharsets.UTF_8), names);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** @param values one for each name */
    String render(Map<String, String> values) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < parts.size(); i++) {
            out.append(i % 2 == 0 ? parts.get(i) : values.get(parts.get(i)));
        }
        return out.toString();
    }
}
