package dev.yangtuo.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * All segmentations of one text under a unigram model, as a graph: the n best of them by A* search and samples of them, as SentencePiece's
 * {@code unigram::Lattice} finds them. Nodes stand in the order in which the reference inserts them, because ties depend on it.
 * Used by one thread.
 */
final class UnigramLattice {
    private static final int BOS = 0;
    private static final int NONE = -1;

    /** The agenda of the search is cut down when it is this long, to this many hypotheses at most; the reference's bounds. */
    private static final int MAX_AGENDA = 10_000;
    private static final int SHORT_AGENDA = 512;

    private final UnigramTables tables;
    private final char[] text;
    private final int length;

    /** Of each node: where it begins and ends in the text, its piece, its score; [nodes]. Node 0 is the beginning, the last one the end. */
    private int[] begins = new int[256];
    private int[] ends = new int[256];
    private int[] pieces = new int[256];
    private float[] scores = new float[256];
    private int nodes;
    /** Score of the best way up to and including each node; of the node before it on that way. */
    private final float[] bestScores;
    private final int[] bestPrevious;
    /** Nodes that end at each position, in order: {@code endingNodes[endingFrom[p], endingFrom[p + 1])}. */
    private final int[] endingNodes;
    private final int[] endingFrom;

    /** @param text normalized, not empty, in {@code [0, length)}; kept */
    UnigramLattice(UnigramTables tables, char[] text, int length) {
        this.tables = tables;
        this.text = text;
        this.length = length;
        insert(0, 0, NONE, 0);
        for (int begin = 0; begin < length; begin += Character.isHighSurrogate(text[begin]) ? 2 : 1) {
            insertPiecesAt(begin);
        }
        insert(length, length, NONE, 0);
        endingFrom = new int[length + 2];
        endingNodes = new int[nodes - 1];
        sortByEnd();
        bestScores = new float[nodes];
        bestPrevious = new int[nodes];
        findBest();
    }

    private void insertPiecesAt(int begin) {
        int characterEnd = begin + (Character.isHighSurrogate(text[begin]) ? 2 : 1);
        boolean characterIsPiece = false;
        int characters = 0;
        int node = tables.root(text[begin]);
        for (int end = begin + 1; node >= 0; end++) {
            characters += Character.isHighSurrogate(text[end - 1]) ? 0 : 1;
            int piece = tables.piece(node);
            if (piece >= 0) {
                insert(begin, end, piece, tables.latticeScore(piece, characters));
                characterIsPiece |= end == characterEnd;
            }
            node = end < length ? tables.child(node, text[end]) : NONE;
        }
        if (!characterIsPiece) {
            insert(begin, characterEnd, unkId(), tables.unknownScore());
        }
    }

    private int unkId() {
        return tables.model().vocabulary().unkId();
    }

    private void insert(int begin, int end, int piece, float score) {
        if (nodes == begins.length) {
            int larger = Math.addExact(nodes, nodes);
            begins = Arrays.copyOf(begins, larger);
            ends = Arrays.copyOf(ends, larger);
            pieces = Arrays.copyOf(pieces, larger);
            scores = Arrays.copyOf(scores, larger);
        }
        begins[nodes] = begin;
        ends[nodes] = end;
        pieces[nodes] = piece;
        scores[nodes++] = score;
    }

    /** Counting sort; nodes that end at the same place stay in their order. The end node ends nowhere. */
    private void sortByEnd() {
        for (int node = 0; node < nodes - 1; node++) {
            endingFrom[ends[node] + 1]++;
        }
        for (int i = 1; i < endingFrom.length; i++) {
            endingFrom[i] += endingFrom[i - 1];
        }
        int[] at = endingFrom.clone();
        for (int node = 0; node < nodes - 1; node++) {
            endingNodes[at[ends[node]]++] = node;
        }
    }

    private void findBest() {
        for (int node = 1; node < nodes; node++) {
            int previous = NONE;
            float bestScore = 0;
            for (int i = endingFrom[begins[node]]; i < endingFrom[begins[node] + 1]; i++) {
                float score = bestScores[endingNodes[i]] + scores[node];
                if (previous == NONE || score > bestScore) {
                    previous = endingNodes[i];
                    bestScore = score;
                }
            }
            bestPrevious[node] = previous;
            bestScores[node] = bestScore;
        }
    }

    private int end() {
        return nodes - 1;
    }

    /** {@return the score of the best segmentation} */
    float bestScore() {
        return bestScores[end()];
    }

    /** A way from a node to the end of the text. */
    private record Hypothesis(int node, Hypothesis next, float priority, float score) {}

    /** A segmentation: nodes in the order of the text, and its score. */
    record Way(int[] nodes, float score) {}

    /**
     * {@return the n best segmentations, the best first}
     *
     * @param n at least 2
     */
    List<Way> best(int n) {
        List<Way> results = new ArrayList<>();
        Agenda agenda = new Agenda();
        agenda.push(new Hypothesis(end(), null, bestScore(), 0));
        while (agenda.size > 0) {
            Hypothesis top = agenda.pop();
            if (top.node == BOS) {
                results.add(new Way(nodesOf(top), top.priority));
                if (results.size() == n) {
                    break;
                }
                continue;
            }
            for (int i = endingFrom[begins[top.node]]; i < endingFrom[begins[top.node] + 1]; i++) {
                int node = endingNodes[i];
                agenda.push(new Hypothesis(node, top, bestScores[node] + top.score, scores[node] + top.score));
            }
            if (agenda.size >= MAX_AGENDA) {
                agenda.keep(Math.min(SHORT_AGENDA, 10 * n));
            }
        }
        return results;
    }

    private static int[] nodesOf(Hypothesis first) {
        int count = 0;
        for (Hypothesis h = first.next; h.next != null; h = h.next) {
            count++;
        }
        int[] nodes = new int[count];
        int i = 0;
        for (Hypothesis h = first.next; h.next != null; h = h.next) {
            nodes[i++] = h.node;
        }
        return nodes;
    }

    /**
     * Draws a segmentation with a probability proportional to its own to the power of alpha: forward filtering, backward sampling.
     *
     * @param alpha 0 for all segmentations alike; the larger, the nearer to the best
     */
    Way sample(double alpha, RandomGenerator random) {
        // Log of the sum over all ways that lead to each node, the node itself excluded.
        double[] sums = new double[nodes];
        double[] weights = new double[16];
        for (int node = 1; node < nodes; node++) {
            int from = endingFrom[begins[node]];
            int to = endingFrom[begins[node] + 1];
            double max = Double.NEGATIVE_INFINITY;
            for (int i = from; i < to; i++) {
                max = Math.max(max, sums[endingNodes[i]] + alpha * scores[endingNodes[i]]);
            }
            double sum = 0;
            for (int i = from; i < to; i++) {
                sum += Math.exp(sums[endingNodes[i]] + alpha * scores[endingNodes[i]] - max);
            }
            sums[node] = max + Math.log(sum);
        }
        int[] reversed = new int[length];
        int count = 0;
        float score = 0;
        for (int node = end(); ; ) {
            int from = endingFrom[begins[node]];
            int candidates = endingFrom[begins[node] + 1] - from;
            weights = weights.length < candidates ? new double[2 * candidates] : weights;
            for (int i = 0; i < candidates; i++) {
                int previous = endingNodes[from + i];
                weights[i] = Math.exp(sums[previous] + alpha * scores[previous] - sums[node]);
            }
            node = endingNodes[from + draw(weights, candidates, random)];
            if (node == BOS) {
                break;
            }
            score += scores[node];
            reversed[count++] = node;
        }
        int[] way = new int[count];
        for (int i = 0; i < count; i++) {
            way[i] = reversed[count - 1 - i];
        }
        return new Way(way, score);
    }

    /** {@return an index from 0 to count - 1 with a probability proportional to its weight} */
    static int draw(double[] weights, int count, RandomGenerator random) {
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += weights[i];
        }
        double left = random.nextDouble() * sum;
        for (int i = 0; i < count - 1; i++) {
            left -= weights[i];
            if (left < 0) {
                return i;
            }
        }
        return count - 1;
    }

    /** Writes the pieces of a segmentation. */
    void write(Way way, TokenBuffer target) {
        for (int node : way.nodes) {
            if (pieces[node] == unkId()) {
                target.addUnknown(text, begins[node], ends[node]);
            } else {
                target.add(pieces[node], ends[node]);
            }
        }
    }

    /**
     * A max-heap that handles equal priorities as the C++ library of GCC does, which the order of equal segmentations in the reference
     * depends on.
     */
    private static final class Agenda {
        private Hypothesis[] heap = new Hypothesis[64];
        private int size;

        void push(Hypothesis hypothesis) {
            if (size == heap.length) {
                heap = Arrays.copyOf(heap, 2 * size);
            }
            rise(size++, hypothesis);
        }

        private void rise(int from, Hypothesis hypothesis) {
            int hole = from;
            while (hole > 0 && heap[hole - 1 >> 1].priority < hypothesis.priority) {
                heap[hole] = heap[hole - 1 >> 1];
                hole = hole - 1 >> 1;
            }
            heap[hole] = hypothesis;
        }

        Hypothesis pop() {
            Hypothesis top = heap[0];
            Hypothesis moved = heap[--size];
            heap[size] = null;
            if (size > 0) {
                // The hole sinks to a leaf along the greater children, of equal ones the right one; then what is moved rises from there.
                int hole = 0;
                while (2 * hole + 2 < size) {
                    int child = 2 * hole + 2;
                    if (heap[child].priority < heap[child - 1].priority) {
                        child--;
                    }
                    heap[hole] = heap[child];
                    hole = child;
                }
                if (2 * hole + 2 == size) {
                    heap[hole] = heap[size - 1];
                    hole = size - 1;
                }
                rise(hole, moved);
            }
            return top;
        }

        /** Keeps only the best. */
        void keep(int count) {
            Hypothesis[] kept = new Hypothesis[count];
            for (int i = 0; i < count; i++) {
                kept[i] = pop();
            }
            heap = new Hypothesis[MAX_AGENDA + 64];
            size = 0;
            for (Hypothesis hypothesis : kept) {
                push(hypothesis);
            }
        }
    }
}
