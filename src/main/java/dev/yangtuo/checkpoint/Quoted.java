package dev.yangtuo.checkpoint;

/** Text from a file as it stands in a message: quoted, without control characters, of bounded length. */
public final class Quoted {
    /** Longer texts are cut: a hostile name may be megabytes long. */
    private static final int MAX_CHARACTERS = 120;

    private Quoted() {}

    /** The text in single quotes. */
    public static String text(String raw) {
        StringBuilder quoted = new StringBuilder("'");
        for (int i = 0; i < Math.min(raw.length(), MAX_CHARACTERS); i++) {
            char c = raw.charAt(i);
            if (Character.isISOControl(c) || Character.isSurrogate(c) && !isPaired(raw, i)) {
                quoted.append("\\u%04x".formatted((int) c));
            } else {
                quoted.append(c);
            }
        }
        quoted.append('\'');
        if (raw.length() > MAX_CHARACTERS) {
            quoted.append("... (%d characters)".formatted(raw.length()));
        }
        return quoted.toString();
    }

    private static boolean isPaired(String text, int i) {
        char c = text.charAt(i);
        return Character.isHighSurrogate(c)
                ? i + 1 < Math.min(text.length(), MAX_CHARACTERS) && Character.isLowSurrogate(text.charAt(i + 1))
                : i > 0 && Character.isHighSurrogate(text.charAt(i - 1));
    }
}
