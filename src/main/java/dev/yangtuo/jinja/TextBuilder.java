package dev.yangtuo.jinja;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/** A text in the making; what it takes counts against the budget. */
final class TextBuilder {
    private final Budget budget;
    private final StringBuilder value = new StringBuilder();
    private final BitSet quoted = new BitSet();

    TextBuilder(Budget budget) {
        this.budget = budget;
    }

    TextBuilder append(Text text) {
        budget.spendChars(text.chars());
        BitSet marks = text.quotedOrNull();
        if (marks != null) {
            int offset = value.length();
            for (int from = marks.nextSetBit(0); from >= 0; ) {
                int to = marks.nextClearBit(from);
                quoted.set(offset + from, offset + to);
                from = marks.nextSetBit(to);
            }
        }
        value.append(text.value());
        return this;
    }

    /** Words of the template. */
    TextBuilder append(String words) {
        budget.spendChars(words.length());
        value.append(words);
        return this;
    }

    /** A string that stands for a char of another text, and is quoted where that is. */
    TextBuilder append(String words, Text like, int index) {
        if (like.isQuoted(index)) {
            quoted.set(value.length(), value.length() + words.length());
        }
        return append(words);
    }

    boolean isEmpty() {
        return value.isEmpty();
    }

    Text build() {
        @Nullable BitSet marks = quoted.isEmpty() ? null : (BitSet) quoted.clone();
        return new Text(value.toString(), marks);
    }
}
