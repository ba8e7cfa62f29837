package dev.yangtuo.recipe;

/** Seeds that are derived from one, so that every text has its own, whatever is computed before it or beside it. */
final class Seeds {
    /** The odd number next to 2^64 divided by the golden ratio, and the two that follow: SplitMix64, Steele, Lea and Flood, OOPSLA 2014. */
    private static final long GAMMA = 0x9E3779B97F4A7C15L;
    private static final long FIRST = 0xBF58476D1CE4E5B9L;
    private static final long SECOND = 0x94D049BB133111EBL;

    private Seeds() {}

    /**
     * The seed of one text.
     *
     * @param seed of all of them
     * @param name of the prompt, or of what the seed is for
     * @param number of the text
     * @return 0 to 2^53 - 1, so that it is the same number in every JSON parser
     */
    static long of(long seed, String name, long number) {
        long state = mix(seed + GAMMA);
        for (int i = 0; i < name.length(); i++) {
            state = mix(state ^ name.charAt(i));
        }
        return mix(state + number * GAMMA) >>> 11;
    }

    private static long mix(long value) {
        long mixed = (value ^ value >>> 30) * FIRST;
        mixed = (mixed ^ mixed >>> 27) * SECOND;
        return mixed ^ mixed >>> 31;
    }
}
