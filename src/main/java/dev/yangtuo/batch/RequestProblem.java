package dev.yangtuo.batch;

/** Why a line of an input is no request. */
final class RequestProblem extends Exception {
    private static final long serialVersionUID = 1L;
    /** What a message quotes of an input at most. */
    private static final int MAX_QUOTED = 80;

    private final BatchError error;

    /** @param message without the place, which the reader knows */
    RequestProblem(BatchError error, String message) {
        super(message, null, false, false); // there may be millions: no stack traces
        this.error = error;
    }

    static RequestProblem invalid(String message, Object... arguments) {
        return new RequestProblem(BatchError.INVALID_REQUEST, message.formatted(arguments));
    }

    BatchError error() {
        return error;
    }

    /** A text out of the input as messages have it: in quotes, on one line, not long. */
    static String quoted(String text) {
        StringBuilder out = new StringBuilder("'");
        text.codePoints().limit(MAX_QUOTED).forEach(c -> {
            if (Character.isISOControl(c) || Character.getType(c) == Character.SURROGATE) {
                out.append("\\u%04x".formatted(c));
            } else {
                out.appendCodePoint(c);
            }
        });
        return out.append('\'').append(text.codePointCount(0, text.length()) > MAX_QUOTED ? "..." : "").toString();
    }
}
