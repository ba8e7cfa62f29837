package dev.yangtuo.grammar;

import java.util.Arrays;

/** Finds the nodes from which a text can be completed. A text that keeps to these never comes to a dead end. */
final class Productive {
    private final byte[] kinds;
    private final int[][] arguments;
    private final boolean[] productive;
    /** Nodes that go on at each node, [nodes][dependents]. */
    private final int[][] dependents;

    private Productive(byte[] kinds, int[][] arguments) {
        this.kinds = kinds;
        this.arguments = arguments;
        this.productive = new boolean[kinds.length];
        this.dependents = dependents();
    }

    static boolean[] nodes(byte[] kinds, int[][] arguments) {
        return new Productive(kinds, arguments).solve();
    }

    private boolean[] solve() {
        int[] work = new int[kinds.length];
        int count = 0;
        productive[Network.END_NODE] = true;
        work[count++] = Network.END_NODE;
        while (count > 0) {
            for (int node : dependents[work[--count]]) {
                if (!productive[node] && holds(node)) {
                    productive[node] = true;
                    work[count++] = node;
                }
            }
        }
        return productive;
    }

    /** Of a node that goes on at one that is productive. */
    private boolean holds(int node) {
        int[] of = arguments[node];
        return switch (kinds[node]) {
            case Network.CALL -> productive[of[0]] && productive[of[1]];
            case Network.REPEAT -> (of[2] == 0 || productive[of[0]]) && productive[of[1]];
            default -> true;
        };
    }

    private int[][] dependents() {
        int[] counts = new int[kinds.length];
        for (int node = 0; node < kinds.length; node++) {
            for (int target : targets(node)) {
                counts[target]++;
            }
        }
        int[][] all = new int[kinds.length][];
        Arrays.setAll(all, node -> new int[counts[node]]);
        for (int node = 0; node < kinds.length; node++) {
            for (int target : targets(node)) {
                all[target][--counts[target]] = node;
            }
        }
        return all;
    }

    private int[] targets(int node) {
        int[] of = arguments[node];
        return switch (kinds[node]) {
            case Network.BYTES -> {
                int[] targets = new int[of.length / 3];
                Arrays.setAll(targets, i -> of[3 * i + 2]);
                yield targets;
            }
            case Network.SPLIT -> of;
            case Network.CALL, Network.REPEAT -> new int[] {of[0], of[1]};
            case Network.TOKEN -> new int[] {of[1]};
            default -> new int[0];
        };
    }
}
