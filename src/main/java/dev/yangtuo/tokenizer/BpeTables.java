package dev.yangtuo.tokenizer;

import dev.yangtuo.exception.TokenizerFormatException;
import java.util.Arrays;

/**
 * What the BPE encoder looks up, built once at load.
 *
 * <p>A <em>symbol</em> is what a merge can join: a piece that text can match, under its id, or a single character that occurs in such a
 * piece without being one, under a number from the vocabulary's size on. A character that occurs in no piece is no symbol: nothing can
 * ever join it.
 */
final class BpeTables {
    static final int NO_SYMBOL = -1;

    /** In {@link #emitted}: the symbol is written as unknown text. */
    static final int EMIT_UNKNOWN = -1;

    /** In {@link #emitted}: the symbol is an unused piece, written as the two it was merged from. */
    static final int EMIT_HALVES = -2;

    /** Four times as many as the largest known vocabulary (256,000 pieces) needs; bounds what a prepared file can cost. */
    private static final int MAX_PAIRS = 1 << 22;

    /** 128 KB; the 49,953 pieces of Chinese-LLaMA set one in 25. */
    private static final int NEIGHBOUR_BITS = 1 << 20;

    private static final int NOT_A_PIECE = 0;

    /** Whole numbers up to this one, and their differences, are exact in float32. */
    private static final int MAX_EXACT = 1 << 23;

    /** Ranks may have gaps, up to this many for a piece. */
    private static final int SPARSE_RANKS = 4;

    private static final int BMP = 0x10000;

    private final SentencePieceModel model;
    private final Vocabulary vocabulary;
    /** The vocabulary's arrays: texts, where each piece ends in them, types. */
    private final char[] chars;
    private final int[] ends;
    private final byte[] types;
    /** Symbol of each character below U+10000, plus 1, int32, [65536]. */
    private final int[] bmpSymbols = new int[BMP];
    /** Symbol of each character from U+10000 on. */
    private final LongIntMap supplementarySymbols = new LongIntMap(16);
    private int symbolCount;
    private final PairTable pairs;
    /**
     * Bits set for the hashes of two chars that some piece holds side by side, [{@value #NEIGHBOUR_BITS} / 64]. Where the bit is not set text can
     * be cut. Where two hashes agree by chance it is not cut although it could be, which changes no result.
     */
    private final long[] neighbours = new long[NEIGHBOUR_BITS / Long.SIZE];
    /** Order of merging of each piece, int32, [pieces]; 0 first. Equal scores have equal ranks. */
    private final int[] ranks;
    /** Id that a symbol is written as, int32, [symbols], or one of the negative values above. */
    private final int[] emitted;
    private int rankCount;
    private final int longestPiece;
    private boolean unusedCanMerge;

    private BpeTables(SentencePieceModel model) {
        this.model = model;
        vocabulary = model.vocabulary();
        chars = vocabulary.texts().chars;
        ends = vocabulary.texts().ends;
        types = vocabulary.types();
        longestPiece = vocabulary.longestPiece();
        ranks = new int[vocabulary.size()];
        rank();
        numberSymbols();
        emitted = new int[symbolCount];
        pairs = new PairTable(2 * vocabulary.size());
        addPieces();
        decideEmitted();
    }

    static BpeTables of(SentencePieceModel model) {
        return new BpeTables(model);
    }

    /** {@return the symbol of a character, or {@link #NO_SYMBOL}} */
    int symbol(int codePoint) {
        return codePoint < BMP ? bmpSymbols[codePoint] - 1 : supplementarySymbols.get(codePoint);
    }

    /** {@return the piece that two adjacent symbols form, or -1} */
    int merged(int left, int right) {
        return pairs.get(left, right);
    }

    /** Whether two chars may stand side by side in some piece. Where they do not, no merge can reach across. */
    boolean mayJoin(char left, char right) {
        int bit = neighbourBit(left, right);
        return (neighbours[bit >> 6] & 1L << bit) != 0;
    }

    private static int neighbourBit(char left, char right) {
        return (left * 0x9E3779B1 ^ right * 0x85EBCA77) >>> Integer.SIZE - 20;
    }

    int rank(int piece) {
        return ranks[piece];
    }

    /** {@return the number of different ranks} */
    int rankCount() {
        return rankCount;
    }

    int emitted(int symbol) {
        return emitted[symbol];
    }

    /** Whether an unused piece can come out of a merge. Then how it is split again depends on the whole text before. */
    boolean unusedCanMerge() {
        return unusedCanMerge;
    }

    /**
     * The highest score first. Trainers of BPE models give whole numbers close to each other, which are ranks but for the sign, and one far below
     * to pieces that they only keep; other scores are sorted.
     */
    private void rank() {
        float[] scores = vocabulary.scores();
        float highest = Float.NEGATIVE_INFINITY;
        boolean whole = true;
        for (float score : scores) {
            highest = score > highest ? score : highest;
            whole &= score == (int) score;
        }
        int dense = SPARSE_RANKS * scores.length;
        float low = highest - dense;
        float lowest = Float.NaN;
        for (float score : scores) {
            if (score < low) {
                whole &= lowest != lowest || score == lowest;
                lowest = score;
            }
        }
        if (!whole || Math.abs(highest) > MAX_EXACT || dense > MAX_EXACT) {
            rankBySorting();
            return;
        }
        rankCount = dense + 2;
        for (int id = 0; id < scores.length; id++) {
            float score = scores[id];
            ranks[id] = score < low ? dense + 1 : (int) highest - (int) score;
        }
    }

    /** For any scores. Adding +0.0 turns -0.0 into +0.0, which the reference's comparison holds equal. */
    private void rankBySorting() {
        int size = ranks.length;
        float[] distinct = new float[size];
        for (int id = 0; id < size; id++) {
            distinct[id] = vocabulary.score(id) + 0.0f;
        }
        Arrays.sort(distinct);
        int count = 0;
        for (int i = 0; i < size; i++) {
            if (i == 0 || distinct[i] != distinct[i - 1]) {
                distinct[count++] = distinct[i];
            }
        }
        rankCount = count;
        for (int id = 0; id < size; id++) {
            ranks[id] = count - 1 - Arrays.binarySearch(distinct, 0, count, vocabulary.score(id) + 0.0f);
        }
    }

    private boolean isMatchable(int id) {
        int type = types[id];
        return type == Vocabulary.NORMAL || type == Vocabulary.USER_DEFINED || type == Vocabulary.UNUSED;
    }

    // What is done for each piece stands in methods of its own: those are compiled after some hundred calls, a long loop much later.

    private void numberSymbols() {
        symbolCount = vocabulary.size();
        for (int id = 0; id < types.length; id++) {
            if (ends[id] - (id == 0 ? 0 : ends[id - 1]) <= 2) {
                numberIfSingle(id);
            }
        }
        for (int id = 0; id < types.length; id++) {
            numberCharacters(id);
        }
        if (symbolCount > 1 << PairTable.SYMBOL_BITS) {
            throw new TokenizerFormatException(model.source(), "there are %d pieces and other characters, more than the %d that are supported"
                    .formatted(symbolCount, 1 << PairTable.SYMBOL_BITS));
        }
    }

    private void numberIfSingle(int id) {
        int from = vocabulary.texts().start(id);
        int codePoint = Character.codePointAt(chars, from, ends[id]);
        if (isMatchable(id) && ends[id] - from == Character.charCount(codePoint)) {
            setSymbol(codePoint, id);
        }
    }

    private void numberCharacters(int id) {
        if (!isMatchable(id)) {
            return;
        }
        int to = ends[id];
        for (int i = vocabulary.texts().start(id); i < to; i++) {
            int codePoint = chars[i];
            if (bmpSymbols[codePoint] == 0) {
                if (Character.isHighSurrogate((char) codePoint)) {
                    codePoint = Character.codePointAt(chars, i++, to);
                }
                if (symbol(codePoint) == NO_SYMBOL) {
                    setSymbol(codePoint, symbolCount++);
                }
            }
        }
    }

    private void setSymbol(int codePoint, int symbol) {
        if (codePoint < BMP) {
            bmpSymbols[codePoint] = symbol + 1;
        } else {
            supplementarySymbols.put(codePoint, symbol);
        }
    }

    private void addPieces() {
        boolean[] lengthExists = new boolean[longestPiece + 1];
        int start = 0;
        for (int end : ends) {
            lengthExists[end - start] = true;
            start = end;
        }
        long[] prefixHashes = new long[lengthExists.length];
        long[] powers = new long[lengthExists.length];
        powers[0] = 1;
        for (int i = 1; i < powers.length; i++) {
            powers[i] = powers[i - 1] * vocabulary.matchable().base();
        }
        for (int id = 0; id < types.length; id++) {
            if (isMatchable(id)) {
                addPiece(id, lengthExists, prefixHashes, powers);
            }
        }
    }

    /** Enters every way to form the piece of two symbols. Linear in its length but for comparisons of parts that really are pieces. */
    private void addPiece(int id, boolean[] lengthExists, long[] prefixHashes, long[] powers) {
        int start = id == 0 ? 0 : ends[id - 1];
        int length = ends[id] - start;
        long base = vocabulary.matchable().base();
        long hash = 0;
        for (int i = 0; i < length; i++) {
            char c = chars[start + i];
            hash = hash * base + c + 1;
            prefixHashes[i + 1] = hash;
            if (i > 0) {
                int bit = neighbourBit(chars[start + i - 1], c);
                neighbours[bit >> 6] |= 1L << bit;
            }
        }
        for (int i = 1; i < length; i++) {
            if (Character.isLowSurrogate(chars[start + i])) {
                continue;
            }
            int left = part(start, start + i, lengthExists[i], prefixHashes[i]);
            if (left >= 0) {
                int right = part(start + i, start + length, lengthExists[length - i], hash - prefixHashes[i] * powers[length - i]);
                if (right >= 0) {
                    pairs.add(left, right, id);
                    unusedCanMerge |= types[id] == Vocabulary.UNUSED;
                }
            }
        }
        if (pairs.size() > MAX_PAIRS) {
            throw new TokenizerFormatException(model.source(),
                    "the pieces up to piece %d have more than %d ways to merge, which no real vocabulary needs".formatted(id, MAX_PAIRS));
        }
    }

    /** {@return the symbol that is written {@code chars[from, to)} and has that hash, or {@link #NO_SYMBOL}} */
    private int part(int from, int to, boolean lengthExists, long hash) {
        int length = to - from;
        if (length <= 2) {
            char first = chars[from];
            if (length == 1) {
                return bmpSymbols[first] - 1;
            }
            if (Character.isHighSurrogate(first)) {
                return symbol(Character.toCodePoint(first, chars[from + 1]));
            }
        }
        return lengthExists ? vocabulary.matchable().id(hash, chars, from, to) : NO_SYMBOL;
    }

    /**
     * SentencePiece maps the final strings to ids by asking for a reserved piece first. So text that merges to a normal piece written
     * like a byte piece, or like the unknown one, comes out as that. Written like a control piece it would be an error there; here the
     * normal piece is used, since a control piece never comes from text.
     */
    private void decideEmitted() {
        for (int symbol = 0; symbol < emitted.length; symbol++) {
            int type = symbol < types.length ? types[symbol] : NOT_A_PIECE;
            emitted[symbol] = type == Vocabulary.NORMAL || type == Vocabulary.USER_DEFINED ? symbol
                    : type == Vocabulary.UNUSED ? EMIT_HALVES : EMIT_UNKNOWN;
        }
        for (int id = 0; id < types.length; id++) {
            if (types[id] != Vocabulary.NORMAL) {
                decideEmittedAlike(id, vocabulary.type(id));
            }
        }
    }

    private void decideEmittedAlike(int id, PieceType type) {
        if (type == PieceType.BYTE || type == PieceType.UNKNOWN) {
            int alike = vocabulary.matchable().id(vocabulary.piece(id));
            if (alike >= 0) {
                emitted[alike] = type == PieceType.BYTE ? id : EMIT_UNKNOWN;
            }
        }
    }
}
