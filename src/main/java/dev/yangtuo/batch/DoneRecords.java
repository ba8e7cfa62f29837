package dev.yangtuo.batch;

import java.util.Map;
import java.util.TreeMap;

/**
 * Which records of an input are done, as ranges of their places in it. Records are begun in their order and few are in flight, so there are few ranges, however many
 * records there are.
 */
final class DoneRecords {
    /** First place of each range, and its last. No two of them touch. */
    private final TreeMap<Long, Long> ranges = new TreeMap<>();

    /** Adds a place; false if it was there. */
    boolean add(long place) {
        Map.Entry<Long, Long> before = ranges.floorEntry(place);
        if (before != null && before.getValue() >= place) {
            return false;
        }
        long first = before != null && before.getValue() == place - 1 ? before.getKey() : place;
        Long joined = ranges.remove(place + 1);
        ranges.put(first, joined == null ? place : joined);
        return true;
    }

    boolean contains(long place) {
        Map.Entry<Long, Long> range = ranges.floorEntry(place);
        return range != null && range.getValue() >= place;
    }

    /** How many ranges there are. */
    int ranges() {
        return ranges.size();
    }
}
