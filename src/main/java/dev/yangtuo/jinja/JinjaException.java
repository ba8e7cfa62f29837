package dev.yangtuo.jinja;

/** A template cannot be parsed or rendered. The message says the line where it is known. */
public final class JinjaException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int line;
    private final boolean raised;

    private JinjaException(int line, String problem, boolean raised) {
        super(problem);
        this.line = line;
        this.raised = raised;
    }

    /** @param problem what was found, and what was expected */
    JinjaException(String problem) {
        this(0, problem, false);
    }

    /** @param line where; the first is 1 */
    JinjaException(int line, String problem) {
        this(line, problem, false);
    }

    /** What a template says by {@code raise_exception}. */
    static JinjaException raisedByTemplate(String message) {
        return new JinjaException(0, message, true);
    }

    /** The same with the line, if that was not known. */
    JinjaException at(int statementLine) {
        return line > 0 ? this : new JinjaException(statementLine, super.getMessage(), raised);
    }

    @Override
    public String getMessage() {
        return line > 0 ? "line %d: %s".formatted(line, super.getMessage()) : super.getMessage();
    }

    /** Whether the template itself refuses what it was given. */
    public boolean isRaised() {
        return raised;
    }
}
