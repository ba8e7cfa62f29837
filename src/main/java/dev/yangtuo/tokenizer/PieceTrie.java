package dev.yangtuo.tokenizer;

import java.util.Arrays;

/**
 * The pieces of a vocabulary that stand for text, by their bytes: a tree whose nodes are numbered in preorder, so that a walk over it is a loop over arrays, and skipping
 * what begins with the same bytes a jump. Immutable and thread-safe.
 *
 * <p>The root, which stands for no bytes, is not a node.
 */
public final class PieceTrie {
    /** Bits for an id beside the bytes that a piece begins with. */
    private static final int ID_BITS = Integer.SIZE - Integer.numberOfLeadingZeros(Vocabulary.MAX_PIECES);

    /** So many bytes and an id are a number that is not negative. */
    private static final int BEGINNING = (Long.SIZE - 1 - ID_BITS) / Byte.SIZE;

    /** Byte that leads to each node, int8, [nodes]. */
    private final byte[] labels;
    /** Bytes that lead to each node, int32, [nodes]. */
    private final int[] depths;
    /** The node behind the last one that begins with the bytes of each node, int32, [nodes]. */
    private final int[] ends;
    /** Ids by the node at which they end, int32, [ids]; those of a node lie between {@code idEnds} of the one before and its own. */
    private final int[] ids;

    private final int[] idEnds;
    private final int maxDepth;
    private final int maxCharacters;

    private PieceTrie(Builder from) {
        labels = Arrays.copyOf(from.labels, from.size);
        depths = Arrays.copyOf(from.depths, from.size);
        ends = Arrays.copyOf(from.ends, from.size);
        idEnds = Arrays.copyOf(from.idEnds, from.size);
        ids = from.ids;
        maxDepth = from.maxDepth;
        maxCharacters = from.maxCharacters;
    }

    /**
     * @param ids of the pieces
     * @param bytes of each of them, by its id; not empty
     */
    static PieceTrie of(int[] ids, byte[][] bytes) {
        Builder builder = new Builder(ids.length);
        for (int id : sorted(ids, bytes)) {
            builder.add(id, bytes[id]);
        }
        builder.close(0);
        return new PieceTrie(builder);
    }

    /** The ids in the order of their bytes: sorted as numbers by the first of them, and by the others where these are the same. */
    private static int[] sorted(int[] ids, byte[][] bytes) {
        long[] keys = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            keys[i] = beginning(bytes[ids[i]]) << ID_BITS | ids[i];
        }
        Arrays.sort(keys);
        int[] sorted = new int[keys.length];
        for (int from = 0; from < keys.length; ) {
            int to = from;
            while (to < keys.length && keys[to] >>> ID_BITS == keys[from] >>> ID_BITS) {
                sorted[to] = (int) (keys[to] & (1 << ID_BITS) - 1);
                to++;
            }
            if (to - from > 1) {
                sortBehindBeginning(sorted, from, to, bytes);
            }
            from = to;
        }
        return sorted;
    }

    private static void sortBehindBeginning(int[] sorted, int from, int to, byte[][] bytes) {
        Integer[] some = Arrays.stream(sorted, from, to).boxed().toArray(Integer[]::new);
        Arrays.sort(some, (a, b) -> Arrays.compareUnsigned(bytes[a], bytes[b]));
        for (int i = from; i < to; i++) {
            sorted[i] = some[i - from];
        }
    }

    /** The first bytes as a number; zeros where there are fewer. */
    private static long beginning(byte[] bytes) {
        long value = 0;
        for (int i = 0; i < BEGINNING; i++) {
            value = value << Byte.SIZE | (i < bytes.length ? bytes[i] & 0xFF : 0);
        }
        return value;
    }

    /** Takes pieces in the order of their bytes. */
    private static final class Builder {
        private byte[] labels = new byte[1 << 10];
        private int[] depths = new int[1 << 10];
        private int[] ends = new int[1 << 10];
        private int[] idEnds = new int[1 << 10];
        private final int[] ids;
        private int size;
        private int idCount;
        private int maxDepth;
        private int maxCharacters;
        /** Nodes from the root to the last one; the first {@code depth} count. */
        private int[] path = new int[16];
        private int depth;
        private byte[] last = {};

        Builder(int count) {
            ids = new int[count];
        }

        void add(int id, byte[] bytes) {
            int common = Arrays.mismatch(last, bytes);
            close(common < 0 ? bytes.length : common);
            while (depth < bytes.length) {
                open(bytes[depth]);
            }
            ids[idCount++] = id;
            idEnds[size - 1] = idCount;
            last = bytes;
            maxCharacters = Math.max(maxCharacters, characters(bytes));
        }

        /** Characters that have a byte in a piece: those that begin in it, and one that began before. */
        private static int characters(byte[] bytes) {
            int count = isTrail(bytes[0]) ? 1 : 0;
            for (byte each : bytes) {
                count += isTrail(each) ? 0 : 1;
            }
            return count;
        }

        private static boolean isTrail(byte of) {
            return (of & 0xC0) == 0x80;
        }

        private void open(byte label) {
            if (size == labels.length) {
                labels = Arrays.copyOf(labels, size * 2);
                depths = Arrays.copyOf(depths, size * 2);
                ends = Arrays.copyOf(ends, size * 2);
                idEnds = Arrays.copyOf(idEnds, size * 2);
            }
            if (depth == path.length) {
                path = Arrays.copyOf(path, depth * 2);
            }
            path[depth++] = size;
            maxDepth = Math.max(maxDepth, depth);
            labels[size] = label;
            depths[size] = depth;
            idEnds[size++] = idCount;
        }

        /** Leaves all nodes below that depth. */
        void close(int to) {
            while (depth > to) {
                ends[path[--depth]] = size;
            }
        }
    }

    /** {@return the number of nodes} */
    public int size() {
        return labels.length;
    }

    /** {@return the byte that leads to a node, from 0 to 255} */
    public int label(int node) {
        return labels[node] & 0xFF;
    }

    /** {@return how many bytes lead to a node, at least 1} */
    public int depth(int node) {
        return depths[node];
    }

    /** {@return the node behind the last one that begins with the bytes of this one} */
    public int end(int node) {
        return ends[node];
    }

    /** {@return the index of the first id of a node} Its ids are those up to {@link #idEnd}; mostly one or none. */
    public int idStart(int node) {
        return node == 0 ? 0 : idEnds[node - 1];
    }

    /** {@return the index behind the last id of a node} */
    public int idEnd(int node) {
        return idEnds[node];
    }

    /** {@return an id, by its index} */
    public int id(int index) {
        return ids[index];
    }

    /** {@return bytes of the longest piece; 0 if there is none} */
    public int maxDepth() {
        return maxDepth;
    }

    /** {@return the most characters that any piece has a part of; 0 if there is none} */
    public int maxCharacters() {
        return maxCharacters;
    }
}
