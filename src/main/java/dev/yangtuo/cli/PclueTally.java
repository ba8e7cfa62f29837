package dev.yangtuo.cli;

import dev.yangtuo.eval.PclueItem;
import dev.yangtuo.eval.PcluePrediction;
import dev.yangtuo.eval.PclueResult;
import dev.yangtuo.eval.PclueScorer;

/** Answers so far: scored where there is a target, and counted. */
final class PclueTally {
    private final PclueScorer scorer = new PclueScorer();
    private long answered;
    private long shortened;

    void add(PcluePrediction prediction) {
        add(prediction.item(), prediction.text());
        shortened += prediction.shortened() ? 1 : 0;
    }

    void add(PclueItem item, String answer) {
        if (item.target() != null) {
            scorer.add(item, answer);
        }
        answered++;
    }

    long answered() {
        return answered;
    }

    /** Tasks that did not fit the context. */
    long shortened() {
        return shortened;
    }

    PclueResult result() {
        return scorer.result();
    }
}
