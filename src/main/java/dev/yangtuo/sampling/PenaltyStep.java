package dev.yangtuo.sampling;

import java.util.Arrays;

/** Penalties for tokens that are among the last ones; ids outside the vocabulary take their place among these, and nothing else. */
final class PenaltyStep implements EditStep {
    private final Penalties penalties;
    private final int window;
    /** How often each token is in the window, int32 [choices]. */
    private final int[] counts;
    /** The tokens that are in it, in any order. */
    private int[] distinct = new int[64];

    private int distinctCount;

    PenaltyStep(Penalties penalties, int choices) {
        this.penalties = penalties;
        this.window = penalties.lastN() == Penalties.WHOLE_TEXT ? Integer.MAX_VALUE : penalties.lastN();
        this.counts = new int[choices];
    }

    @Override
    public void pushed(TokenHistory history) {
        add(history.last(0));
        if (history.count() > window) {
            remove(history.last(window));
        }
    }

    @Override
    public void popping(TokenHistory history) {
        remove(history.last(0));
        if (history.count() > window) {
            add(history.last(window));
        }
    }

    private void add(int id) {
        if (id >= 0 && id < counts.length && counts[id]++ == 0) {
            if (distinctCount == distinct.length) {
                distinct = Arrays.copyOf(distinct, distinctCount * 2);
            }
            distinct[distinctCount++] = id;
        }
    }

    private void remove(int id) {
        if (id >= 0 && id < counts.length && --counts[id] == 0) {
            int place = --distinctCount;
            int moved = distinct[place];
            while (distinct[place] != id) {
                place--;
            }
            distinct[place] = moved;
        }
    }

    @Override
    public void edit(TokenHistory history, LogitEdits edits) {
        for (int i = 0; i < distinctCount; i++) {
            int id = distinct[i];
            edits.edit(id, penalties.repeat(), -(counts[id] * penalties.frequency() + penalties.presence()));
        }
    }
}
