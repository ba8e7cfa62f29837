package dev.yangtuo.sampling;

/** Draws one of the candidates, by their weights. */
interface Draw {
    /** @return an id */
    int draw(Shortlist candidates);
}
