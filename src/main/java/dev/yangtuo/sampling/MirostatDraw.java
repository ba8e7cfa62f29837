package dev.yangtuo.sampling;

import java.util.random.RandomGenerator;

/** {@link Mirostat}: takes out what is too surprising, draws, and remembers how surprising that was. */
final class MirostatDraw implements Draw {
    private final Mirostat mirostat;
    private final PlainDraw plain;
    private double mu;

    MirostatDraw(Mirostat mirostat, RandomGenerator random) {
        this.mirostat = mirostat;
        this.plain = new PlainDraw(random);
        this.mu = 2.0 * mirostat.tau();
    }

    @Override
    public int draw(Shortlist candidates) {
        truncate(candidates);
        int drawn = plain.index(candidates);
        learn(candidates.weight(drawn));
        return candidates.id(drawn);
    }

    /** @param probability of what was drawn, among those that could have been */
    void learn(float probability) {
        mu -= mirostat.eta() * (bits(probability) - mirostat.tau());
    }

    /** Leaves those that may be drawn now, with their probabilities. */
    void truncate(Shortlist candidates) {
        candidates.normalize();
        int best = candidates.heaviest();
        if (bits(candidates.weight(best)) > mu) {
            candidates.keepOnly(best);
        } else {
            candidates.keepHeavierThan(Math.min((float) Math.pow(2, -mu), candidates.weight(best)));
        }
        candidates.normalize();
    }

    private static double bits(float probability) {
        return -Math.log(probability) / Math.log(2);
    }
}
