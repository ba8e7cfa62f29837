package dev.yangtuo.recipe;

import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * What came of making instruction data.
 *
 * @param rounds prompts that were answered
 * @param found tasks in their answers, readable or not, without those that were there already
 * @param kept tasks that were new and good
 * @param total tasks that there are now, with those that were there before
 * @param rejections how many of the others were not kept, and why; in the order of {@link Rejection}, only those that occurred
 * @param tokens that were generated
 * @param shortened prompts that had fewer examples than asked for, because more did not fit the context
 * @param end why it ended
 */
public record SelfInstructReport(int rounds, int found, int kept, int total, Map<Rejection, Integer> rejections, long tokens, int shortened, End end) {
    /** Copies the map. */
    public SelfInstructReport {
        EnumMap<Rejection, Integer> copy = new EnumMap<>(Rejection.class);
        copy.putAll(rejections);
        rejections = Collections.unmodifiableMap(copy);
    }

    /** Why it ended. */
    public enum End {
        /** There are as many tasks as were wanted. */
        COMPLETE,
        /** All rounds were made before that. */
        ROUNDS,
        /** The listener had enough. */
        STOPPED
    }
}
