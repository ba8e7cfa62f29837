package dev.yangtuo.grammar;

import java.util.Arrays;

/**
 * Stacks of frames, each frame once: a stack is the number of its upper frame, 0 the empty one, so that equal stacks have equal numbers. Grows only; used by one
 * thread at a time.
 *
 * <p>A frame with count 0 says at which node a text goes on behind a rule. One with a higher count belongs to a repetition, whose node it names, and counts how
 * many times were begun, as far as it matters: where there is no upper bound, up to the lower one.
 */
final class Stacks {
    static final int EMPTY = 0;

    private int size = 1;
    private int[] nodes = new int[256];
    private int[] counts = new int[256];
    private int[] parents = new int[256];
    /** Frames by their contents, 0 where there is none; a power of two, at least twice as many as frames. */
    private int[] table = new int[1024];
    /** Of each frame what {@link #clamp} makes of it, 0 if that is not known. */
    private int[] clamped = new int[256];

    int size() {
        return size;
    }

    int node(int frame) {
        return nodes[frame];
    }

    int count(int frame) {
        return counts[frame];
    }

    int parent(int frame) {
        return parents[frame];
    }

    int push(int parent, int node, int count) {
        int at = slot(parent, node, count);
        if (table[at] != 0) {
            return table[at];
        }
        if (size == nodes.length) {
            grow();
            at = slot(parent, node, count);
        }
        nodes[size] = node;
        counts[size] = count;
        parents[size] = parent;
        table[at] = size;
        return size++;
    }

    private int slot(int parent, int node, int count) {
        int mask = table.length - 1;
        long hash = (parent * 31L + node) * 31L + count;
        int at = (int) (hash * 0x9E3779B97F4A7C15L >>> 36) & mask;
        while (table[at] != 0 && !(parents[table[at]] == parent && nodes[table[at]] == node && counts[table[at]] == count)) {
            at = at + 1 & mask;
        }
        return at;
    }

    private void grow() {
        nodes = Arrays.copyOf(nodes, size * 2);
        counts = Arrays.copyOf(counts, size * 2);
        parents = Arrays.copyOf(parents, size * 2);
        clamped = Arrays.copyOf(clamped, size * 2);
        table = new int[table.length * 2];
        for (int frame = 1; frame < size; frame++) {
            table[slot(parents[frame], nodes[frame], counts[frame])] = frame;
        }
    }

    /** A stack of another collection as one of this. */
    int copyFrom(Stacks other, int stack) {
        int[] frames = other.frames(stack);
        int copy = EMPTY;
        for (int i = frames.length - 1; i >= 0; i--) {
            copy = push(copy, other.nodes[frames[i]], other.counts[frames[i]]);
        }
        return copy;
    }

    /** All frames of a stack, the upper one first. */
    private int[] frames(int stack) {
        int[] frames = new int[16];
        int depth = 0;
        for (int frame = stack; frame != EMPTY; frame = parents[frame]) {
            if (depth == frames.length) {
                frames = Arrays.copyOf(frames, depth * 2);
            }
            frames[depth++] = frame;
        }
        return Arrays.copyOf(frames, depth);
    }

    /**
     * A stack with counts that cannot be told from those of this one within a number of characters: as each time takes at least one character, it does not matter
     * how many times are missing or left if there are more than that. For one network and one number of characters.
     */
    int clamp(int stack, Network network, int characters) {
        int[] frames = frames(stack);
        int copy = EMPTY;
        for (int i = frames.length - 1; i >= 0; i--) {
            int frame = frames[i];
            if (clamped[frame] == 0) {
                int made = push(copy, nodes[frame], clampedCount(frame, network, characters));
                clamped[frame] = made;
            }
            copy = clamped[frame];
        }
        return copy;
    }

    private int clampedCount(int frame, Network network, int characters) {
        int count = counts[frame];
        if (count == 0) {
            return 0;
        }
        int min = network.arguments[nodes[frame]][2];
        int max = network.arguments[nodes[frame]][3];
        if (min - count > characters) {
            return 1;
        }
        return count >= min && max - count > characters ? Math.max(min, 1) : count;
    }
}
