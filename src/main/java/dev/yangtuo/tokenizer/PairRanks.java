package dev.yangtuo.tokenizer;

import java.util.concurrent.ThreadLocalRandom;

/**
 * Finds the rank of the merge of two pieces. A look-up touches one long: both ids (21 bits each) and the rank (22 bits). Open addressing,
 * at most half of the slots taken; salted, so that nobody can prepare merges that all fall into one place. Immutable and thread-safe.
 */
final class PairRanks {
    static final int ABSENT = -1;

    private static final int ID_BITS = 21;
    private static final int RANK_BITS = 22;

    private final long salt = ThreadLocalRandom.current().nextLong();
    /** left << 43 | right << 22 | rank + 1, or 0 where free, [a power of two]. */
    private final long[] slots;

    /**
     * Ids are below {@link Vocabulary#MAX_PIECES}, and there are at most {@link Merges#MAX_MERGES} ranks, so the bits suffice. Of two
     * merges of a pair the first one counts.
     */
    PairRanks(Merges merges) {
        slots = new long[Math.max(8, Integer.highestOneBit(Math.max(1, 2 * merges.size() - 1)) << 1)];
        for (int rank = 0; rank < merges.size(); rank++) {
            long pair = pair(merges.left(rank), merges.right(rank));
            int slot = slot(pair);
            while (slots[slot] != 0 && slots[slot] >>> RANK_BITS != pair) {
                slot = slot + 1 & slots.length - 1;
            }
            if (slots[slot] == 0) {
                slots[slot] = pair << RANK_BITS | rank + 1;
            }
        }
    }

    /** {@return the rank of the merge of two pieces, 0 first, or -1} */
    int get(int left, int right) {
        long pair = pair(left, right);
        int slot = slot(pair);
        while (true) {
            long found = slots[slot];
            if (found == 0) {
                return ABSENT;
            }
            if (found >>> RANK_BITS == pair) {
                return (int) (found & (1 << RANK_BITS) - 1) - 1;
            }
            slot = slot + 1 & slots.length - 1;
        }
    }

    private static long pair(int left, int right) {
        return (long) left << ID_BITS | right;
    }

    private int slot(long pair) {
        long hash = (pair ^ salt) * 0x9E3779B97F4A7C15L;
        hash = (hash ^ hash >>> 32) * 0xD6E8FEB86659FD93L;
        return (int) (hash >>> 32) & slots.length - 1;
    }
}
