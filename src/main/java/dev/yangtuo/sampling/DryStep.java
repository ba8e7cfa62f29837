package dev.yangtuo.sampling;

/** {@link Dry}, in time and memory that grow with the window and not with its square. */
final class DryStep implements EditStep {
    /** The logarithm of the largest float: beyond it the penalty would be infinite, and with it the differences between long repetitions gone. */
    private static final double LOG_MAX = 88.7228391;

    private final Dry dry;
    private final DryBreakers breakers;
    private final int greatestExponent;
    /** {@code common[k]}: how many of the last tokens of the text are also those before the last {@code k} tokens, in the same order. */
    private int[] common = new int[64];
    /** The longest repetition that each token would lengthen, plus 1; 0 of those that lengthen none. int32 [choices]. */
    private final int[] longest;
    /** The tokens that have one. */
    private int[] touched = new int[64];

    DryStep(Dry dry, SamplerVocabulary vocabulary) {
        this.dry = dry;
        this.breakers = vocabulary.breakers(dry.breakers());
        this.greatestExponent = dry.base() > 1.000001f ? (int) (LOG_MAX / Math.log(dry.base())) : Integer.MAX_VALUE;
        this.longest = new int[vocabulary.choices()];
    }

    @Override
    public void edit(TokenHistory history, LogitEdits edits) {
        int window = dry.lastN() == Penalties.WHOLE_TEXT ? history.count() : Math.min(history.count(), dry.lastN());
        if (window <= dry.allowedLength()) {
            return;
        }
        int reach = breakers.reach(history, window);
        if (reach < dry.allowedLength()) {
            return;
        }
        if (common.length < window) {
            common = new int[Math.max(window, common.length * 2)];
            touched = new int[common.length];
        }
        measure(history, window);
        int count = collect(history, window, reach);
        for (int i = 0; i < count; i++) {
            int id = touched[i];
            edits.edit(id, 1f, -penalty(longest[id] - 1));
            longest[id] = 0;
        }
    }

    /** Fills {@link #common}: the Z function of the text read backwards (Gusfield, Algorithms on Strings, Trees and Sequences, 1.4). */
    private void measure(TokenHistory history, int window) {
        int left = 0;
        int right = 0; // what is before it is known to be common with the beginning, moved by left
        for (int k = 1; k < window; k++) {
            int length = k < right ? Math.min(right - k, common[k - left]) : 0;
            while (k + length < window && history.last(length) == history.last(k + length)) {
                length++;
            }
            common[k] = length;
            if (k + length > right) {
                left = k;
                right = k + length;
            }
        }
    }

    /** Finds, for each token that would lengthen a repetition, the longest one; returns how many tokens there are. */
    private int collect(TokenHistory history, int window, int reach) {
        int count = 0;
        for (int k = 1; k < window; k++) {
            int length = Math.min(common[k], reach);
            int next = history.last(k - 1);
            if (length < dry.allowedLength() || next < 0 || next >= longest.length || breakers.isBreaker(next)) {
                continue;
            }
            if (longest[next] == 0) {
                touched[count++] = next;
            }
            longest[next] = Math.max(longest[next], length + 1);
        }
        return count;
    }

    private float penalty(int length) {
        return (float) (dry.multiplier() * Math.pow(dry.base(), Math.min(length - dry.allowedLength(), greatestExponent)));
    }
}
