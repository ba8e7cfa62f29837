package dev.yangtuo.grammar;

import java.util.Arrays;
import java.util.List;

/**
 * A grammar as a network of nodes over bytes of UTF-8. A text goes from node to node; where it enters a rule or a repetition that is counted, a frame is put on a
 * stack, which says where it goes on. Immutable and thread-safe. All rules and all parts of them are in one array of nodes.
 *
 * <table>
 * <caption>Nodes</caption>
 * <tr><th>kind</th><th>arguments</th><th>what happens</th></tr>
 * <tr><td>{@link #END}</td><td></td><td>the end of a rule, or of what is repeated: a frame is taken from the stack; without one, the text is complete</td></tr>
 * <tr><td>{@link #BYTES}</td><td>first byte, last byte, target; and so on</td><td>one byte is read</td></tr>
 * <tr><td>{@link #SPLIT}</td><td>targets</td><td>goes on at any of them</td></tr>
 * <tr><td>{@link #CALL}</td><td>entry, return</td><td>enters a rule, and returns behind it</td></tr>
 * <tr><td>{@link #REPEAT}</td><td>entry, exit, min, max</td><td>enters what is repeated, min to max times; it is never empty</td></tr>
 * <tr><td>{@link #TOKEN}</td><td>index in {@link #tokens}, target</td><td>one token is read</td></tr>
 * </table>
 */
final class Network {
    static final byte END = 0;
    static final byte BYTES = 1;
    static final byte SPLIT = 2;
    static final byte CALL = 3;
    static final byte REPEAT = 4;
    static final byte TOKEN = 5;

    /** The one node of its kind. */
    static final int END_NODE = 0;

    /** Where a text begins. */
    final int start;
    /** Kind of each node, int8, [nodes]. */
    final byte[] kinds;
    /** Arguments of each node, int32, [nodes][as above]. */
    final int[][] arguments;
    /** Whether a text that is at a node can ever be completed, [nodes]. */
    final boolean[] productive;
    /** Which bytes the network treats alike: a class for each byte, int16, [256], from 0 on. */
    final short[] byteClass;
    /** One byte of each class, int32, [classes]. */
    final int[] classByte;
    /** Tokens that are named. */
    final List<Expression.TokenReference> tokens;
    /** Whether anything is counted. */
    final boolean counts;

    Network(int start, byte[] kinds, int[][] arguments, boolean[] productive, List<Expression.TokenReference> tokens) {
        this.start = start;
        this.kinds = kinds;
        this.arguments = arguments;
        this.productive = productive;
        this.tokens = List.copyOf(tokens);
        boolean[] begins = new boolean[257];
        boolean anyCounts = false;
        for (int node = 0; node < kinds.length; node++) {
            anyCounts |= kinds[node] == REPEAT;
            for (int i = 0; kinds[node] == BYTES && i < arguments[node].length; i += 3) {
                begins[arguments[node][i]] = true;
                begins[arguments[node][i + 1] + 1] = true;
            }
        }
        counts = anyCounts;
        byteClass = new short[256];
        int[] representatives = new int[256];
        int classes = 0;
        for (int b = 0; b < 256; b++) {
            if (b == 0 || begins[b]) {
                representatives[classes++] = b;
            }
            byteClass[b] = (short) (classes - 1);
        }
        classByte = Arrays.copyOf(representatives, classes);
    }

    int nodes() {
        return kinds.length;
    }
}
