package dev.yangtuo;

import java.util.List;

/**
 * Looks for stop texts in a stream of text and holds back what may be the beginning of one, so that nothing of a stop text is ever shown.
 * Used by one thread.
 */
final class StopText {
    private final List<String> stops;
    private final int longest;
    private final StringBuilder held = new StringBuilder();
    private boolean found;

    StopText(List<String> stops) {
        this.stops = stops;
        this.longest = stops.stream().mapToInt(String::length).max().orElse(0);
    }

    /** Whether a stop text has appeared. */
    boolean found() {
        return found;
    }

    /**
     * Takes the next piece of the stream.
     *
     * @return the text that is now certain not to belong to a stop text; ends before the first stop text
     */
    String accept(String text) {
        if (found) {
            return "";
        }
        if (stops.isEmpty()) {
            return text;
        }
        held.append(text);
        int end = firstStop();
        if (end >= 0) {
            found = true;
            return take(end);
        }
        return take(held.length() - possibleStart());
    }

    /** What was held back, at the end of the stream. */
    String finish() {
        return found ? "" : take(held.length());
    }

    /** Where the stop text begins that is complete first, the longest of several; so that it does not matter how the stream was cut. */
    private int firstStop() {
        int first = -1;
        int firstEnd = Integer.MAX_VALUE;
        for (String stop : stops) {
            int at = held.indexOf(stop);
            int end = at + stop.length();
            if (at >= 0 && (end < firstEnd || (end == firstEnd && at < first))) {
                first = at;
                firstEnd = end;
            }
        }
        return first;
    }

    /** Length of the longest end of the held text that is the beginning of a stop text. */
    private int possibleStart() {
        for (int length = Math.min(longest - 1, held.length()); length > 0; length--) {
            String end = held.substring(held.length() - length);
            if (stops.stream().anyMatch(stop -> stop.startsWith(end))) {
                return length;
            }
        }
        return 0;
    }

    private String take(int length) {
        String text = held.substring(0, length);
        held.delete(0, length);
        return text;
    }
}
