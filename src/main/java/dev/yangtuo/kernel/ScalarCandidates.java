package dev.yangtuo.kernel;

import java.util.stream.LongStream;

/** Chosen by sorting all of them. */
final class ScalarCandidates extends Candidates {
    /** @param all float32 [outputs][vocabSize]; changed by the edits */
    void choose(float[] all, int vocabSize) {
        makeRoom();
        for (int output = 0; output < outputCount(); output++) {
            int first = output * vocabSize;
            edit(all, first, vocabSize, output);
            long[] sorted = LongStream.range(0, choices()).map(id -> descendingKey(all[first + (int) id]) << 32 | id).sorted().limit(count()).toArray();
            for (int i = 0; i < sorted.length; i++) {
                ids[output * count() + i] = (int) sorted[i];
                logits[output * count() + i] = all[first + (int) sorted[i]];
            }
        }
    }

    /** A number of 32 bits, signed, that is smaller the larger the logit is. */
    private static long descendingKey(float logit) {
        if (Float.isNaN(logit)) {
            return Integer.MIN_VALUE;
        }
        int bits = Float.floatToRawIntBits(logit + 0f);
        return ~(bits < 0 ? bits ^ 0x7FFFFFFF : bits);
    }

    @Override
    public void close() {}
}
