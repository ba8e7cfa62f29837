package dev.yangtuo.model;

/**
 * One text in the making: how many of its positions are in the key/value memory. Owns its part of that memory, some of it together with others, until it is closed;
 * used by one thread at a time.
 */
public interface Sequence extends AutoCloseable {
    /** Positions computed so far. */
    int length();

    /** Positions that are left of the context. */
    int remaining();

    /**
     * Another sequence with the first positions of this one. Both go on on their own.
     *
     * @param positions 0 to {@link #length()}; the fork may have fewer where there is no room for it
     */
    Sequence fork(int positions);

    /** What {@link #ropeLength(int)} was last told; 0 until then. */
    int ropeLength();

    /**
     * Says how long the prompt is, before it is computed. Only dynamic NTK (a RoPE scaling whose angles depend on the length of the text) asks for it:
     * the angles of a position p are those of a text of {@code max(p + 1, length)} tokens, so that they do not depend on how the prompt is cut into
     * forward passes. It holds for the positions that are computed from then on. Of such a model, keys and values can stand for the same tokens of another
     * sequence only if both have the same length here.
     *
     * @param length of the prompt, 0 to the context; 0 if it is not known
     */
    void ropeLength(int length);

    /**
     * Forgets the positions from {@code newLength} on, and gives back the memory that held no others. Where the model's memory cannot be cut
     * ({@link Model#canTruncate}), all positions are forgotten.
     *
     * @param newLength 0 to {@link #length()}
     */
    void truncate(int newLength);

    /** Pages that {@code count} further positions need beside those that it has. */
    int pagesNeeded(int count);

    /** Makes room for {@code count} further positions; false where there is not enough memory. What it has got already stays with it. */
    boolean tryReserve(int count);

    /**
     * Lets texts that begin like this one find its full pages.
     *
     * @param tokens the tokens of its positions, at least {@link #length()}
     */
    void remember(int[] tokens);

    /**
     * The same for a sequence that ends: its last page, too. Nothing can be appended to it any more.
     *
     * @param tokens the tokens of its positions, at least {@link #length()}
     */
    void rememberEnd(int[] tokens);

    /** Gives its memory back; closing twice is harmless. */
    @Override
    void close();
}
