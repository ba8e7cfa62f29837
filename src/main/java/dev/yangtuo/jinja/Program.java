package dev.yangtuo.jinja;

import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A template that was parsed. Immutable, thread-safe. */
public final class Program {
    /** Chars of a template; published ones have some ten thousand. */
    private static final int MAX_SOURCE = 1 << 20;
    /** Chars that a rendering may look at or make whatever it is given. */
    private static final long BASE_CHARS = 1L << 26;
    /** More of them for each char that it is given: templates search and copy messages, some many times. */
    private static final long CHARS_PER_CHAR = 256;

    private final List<Statement> statements;

    private Program(List<Statement> statements) {
        this.statements = statements;
    }

    /**
     * Parses a template.
     *
     * @throws JinjaException if it is none, or uses what is not known here
     */
    public static Program parse(String source) {
        if (source.length() > MAX_SOURCE) {
            throw new JinjaException("the template has %,d characters, more than the %,d of any".formatted(source.length(), MAX_SOURCE));
        }
        try {
            return new Program(Parser.parse(source));
        } catch (StackOverflowError e) {
            throw new JinjaException("the template is nested too deeply");
        }
    }

    /**
     * Renders it.
     *
     * @param variables names with their values: null, Boolean, Long, Double, {@link Text}, and lists and maps (with keys that are Text) of these; not changed
     * @param size chars of all texts in them
     * @param now for the function {@code strftime_now}
     * @throws JinjaException if the template refuses them, fails, or takes too much
     */
    public Text render(Map<String, ? extends @Nullable Object> variables, long size, LocalDateTime now) {
        Scope globals = new Scope(null);
        Functions.define(globals);
        variables.forEach(globals::set);
        try {
            Budget budget = new Budget(BASE_CHARS + CHARS_PER_CHAR * size);
            return new Interpreter(new Rendering(budget, now)).render(statements, new Scope(globals));
        } catch (StackOverflowError e) {
            throw new JinjaException("the template is nested too deeply");
        }
    }
}
