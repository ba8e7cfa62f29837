package dev.yangtuo.tokenizer;

import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Other segmentations than the one that {@link Encoder} finds. Immutable, thread-safe. */
final class Sampler {
    /** Most segmentations that can be asked for; the reference's bound. */
    static final int MAX_SEGMENTATIONS = 1024;

    private final TokenizerModel model;
    private final Encoder encoder;
    private final @Nullable PieceMatcher userDefined;

    Sampler(TokenizerModel model, Encoder encoder, @Nullable PieceMatcher userDefined) {
        this.model = model;
        this.encoder = encoder;
        this.userDefined = userDefined;
    }

    int[] sample(String normalized, double alpha, RandomGenerator random) {
        return switch (encoder) {
            case BpeEncoder bpe -> {
                if (!(alpha >= 0 && alpha <= 1)) {
                    throw new IllegalArgumentException("alpha is %s; the probability of leaving out a merge is from 0 to 1".formatted(alpha));
                }
                TokenBuffer target = newBuffer();
                new BpeDropout(model.vocabulary(), bpe.tables(), userDefined).encode(normalized.toCharArray(), normalized.length(), alpha, random, target);
                yield idsOf(target);
            }
            case UnigramEncoder unigram -> {
                checkUnigramAlpha(alpha);
                if (normalized.isEmpty()) {
                    yield new int[0];
                }
                UnigramLattice lattice = lattice(unigram, normalized);
                yield idsOf(lattice, lattice.sample(alpha, random));
            }
            case ForeignEncoder _ -> throw new UnsupportedOperationException(
                    "%s has a tokenizer of another program; only SentencePiece models can be sampled from".formatted(model.source()));
            case ByteLevelEncoder _ -> throw new UnsupportedOperationException(
                    "%s is a byte-level model; only SentencePiece models can be sampled from".formatted(model.source()));
        };
    }

    int[] sample(String normalized, int n, double alpha, RandomGenerator random) {
        checkUnigramAlpha(alpha);
        List<Segmentation> best = nBest(normalized, n);
        float highest = best.getFirst().score();
        double[] weights = new double[best.size()];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = Math.exp(alpha * (best.get(i).score() - highest));
        }
        return best.get(UnigramLattice.draw(weights, weights.length, random)).ids();
    }

    List<Segmentation> nBest(String normalized, int n) {
        if (!(encoder instanceof UnigramEncoder unigram)) {
            throw new UnsupportedOperationException("%s is no unigram model; only these know more than one segmentation".formatted(
                    model.source()));
        }
        if (n < 1 || n > MAX_SEGMENTATIONS) {
            throw new IllegalArgumentException("%d segmentations are asked for, expected 1 to %d".formatted(n, MAX_SEGMENTATIONS));
        }
        if (normalized.isEmpty()) {
            return List.of(new Segmentation(new int[0], 0));
        }
        UnigramLattice lattice = lattice(unigram, normalized);
        if (n == 1) {
            // As the reference: what encoding gives, which may differ from the lattice where rounding decides.
            TokenBuffer target = newBuffer();
            encoder.newWorker().encode(normalized.toCharArray(), 0, normalized.length(), true, target);
            return List.of(new Segmentation(idsOf(target), lattice.bestScore()));
        }
        return lattice.best(n).stream().map(way -> new Segmentation(idsOf(lattice, way), way.score())).toList();
    }

    private static void checkUnigramAlpha(double alpha) {
        if (!(alpha >= 0 && alpha < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("alpha is %s; expected a finite number, not negative".formatted(alpha));
        }
    }

    private static UnigramLattice lattice(UnigramEncoder unigram, String normalized) {
        return new UnigramLattice(unigram.tables(), normalized.toCharArray(), normalized.length());
    }

    private TokenBuffer newBuffer() {
        return TokenBuffer.of(model);
    }

    private int[] idsOf(UnigramLattice lattice, UnigramLattice.Way way) {
        TokenBuffer target = newBuffer();
        lattice.write(way, target);
        return idsOf(target);
    }

    private static int[] idsOf(TokenBuffer tokens) {
        int[] ids = new int[tokens.size()];
        tokens.copyTo(ids, 0);
        return ids;
    }
}
