package dev.yangtuo.sampling;

import java.util.random.RandomGenerator;

/** One random number for each token. */
record PlainDraw(RandomGenerator random) implements Draw {
    @Override
    public int draw(Shortlist candidates) {
        return candidates.id(index(candidates));
    }

    /** The index of the candidate that is drawn. */
    int index(Shortlist candidates) {
        double sum = 0;
        for (int i = 0; i < candidates.count(); i++) {
            sum += candidates.weight(i);
        }
        double target = random.nextDouble() * sum;
        for (int i = 0; i < candidates.count(); i++) {
            target -= candidates.weight(i);
            if (target < 0) {
                return i;
            }
        }
        // Only rounding leads here.
        return candidates.heaviest();
    }
}
