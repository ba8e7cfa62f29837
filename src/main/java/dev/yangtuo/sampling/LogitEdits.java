package dev.yangtuo.sampling;

/** Takes changes of single logits: {@code l} becomes {@code (l > 0 ? l / divisor : l * divisor) + addend}, in float32. Those of one token are made in their order. */
interface LogitEdits {
    void edit(int id, float divisor, float addend);
}
