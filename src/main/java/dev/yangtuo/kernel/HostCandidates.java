package dev.yangtuo.kernel;

/** Candidates of logits that lie in an array of the host, whoever computed them: chosen in one pass over each row, with a heap of the best so far. */
public final class HostCandidates extends Candidates {
    /** The best of a row so far, the worst of them first: a binary heap of keys as {@link #key} makes them. */
    private long[] heap = new long[1];

    /**
     * Makes the edits and chooses.
     *
     * @param all float32 [outputs][vocabSize]; changed by the edits
     * @throws IllegalArgumentException if an edit is of a token outside the vocabulary
     */
    public void choose(float[] all, int vocabSize) {
        makeRoom();
        if (heap.length < count()) {
            heap = new long[count()];
        }
        for (int output = 0; output < outputCount(); output++) {
            edit(all, output * vocabSize, vocabSize, output);
            chooseBest(all, output * vocabSize, output);
        }
    }

    private void chooseBest(float[] all, int first, int output) {
        int size = 0;
        float worst = Float.NEGATIVE_INFINITY;
        for (int id = 0; id < choices(); id++) {
            float logit = all[first + id];
            if (size == count() && logit <= worst) {
                continue; // an equal one has the larger id; a NaN is not skipped
            }
            long key = key(logit, id);
            if (size < count()) {
                heap[size] = key;
                siftUp(size++);
            } else if (key > heap[0]) {
                heap[0] = key;
                siftDown(0, size);
            }
            worst = size == count() ? logitOf(all, first, heap[0]) : worst;
        }
        for (int i = size - 1; i >= 0; i--) {
            int id = idOf(heap[0]);
            ids[output * count() + i] = id;
            logits[output * count() + i] = all[first + id];
            heap[0] = heap[i];
            siftDown(0, i);
        }
    }

    /** NaN never ends the search for others. */
    private static float logitOf(float[] all, int first, long key) {
        float logit = all[first + idOf(key)];
        return Float.isNaN(logit) ? Float.POSITIVE_INFINITY : logit;
    }

    /** A number that is larger the better a candidate is: by its logit, a NaN above all, 0 and -0 alike, then by its smaller id. */
    private static long key(float logit, int id) {
        int bits = Float.floatToRawIntBits(logit + 0f);
        int ordered = Float.isNaN(logit) ? Integer.MAX_VALUE : bits < 0 ? bits ^ 0x7FFFFFFF : bits;
        return ((long) ordered << 32) + (Integer.MAX_VALUE - id);
    }

    private static int idOf(long key) {
        return Integer.MAX_VALUE - (int) key;
    }

    private void siftUp(int from) {
        int at = from;
        for (long key = heap[at]; at > 0 && heap[(at - 1) / 2] > key; at = (at - 1) / 2) {
            long parent = heap[(at - 1) / 2];
            heap[(at - 1) / 2] = key;
            heap[at] = parent;
        }
    }

    private void siftDown(int from, int size) {
        int at = from;
        while (2 * at + 1 < size) {
            int child = 2 * at + 1;
            child += child + 1 < size && heap[child + 1] < heap[child] ? 1 : 0;
            if (heap[at] <= heap[child]) {
                return;
            }
            long smaller = heap[child];
            heap[child] = heap[at];
            heap[at] = smaller;
            at = child;
        }
    }

    @Override
    public void close() {}
}
