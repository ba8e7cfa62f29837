package dev.yangtuo.batch;

import java.util.Locale;

/** In which order results come. */
public enum BatchOrder {
    /** As they become complete: nothing waits for a long text. */
    COMPLETION,
    /** As the requests stand in the input. A text that takes long holds up those behind it, at most {@link BatchJob#inFlight} times four of them. */
    INPUT;

    /**
     * The order that the command line calls so: {@code completion} or {@code input}.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static BatchOrder of(String name) {
        for (BatchOrder order : values()) {
            if (order.toString().equals(name)) {
                return order;
            }
        }
        throw new IllegalArgumentException("'%s' is no order; expected completion or input".formatted(name));
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
