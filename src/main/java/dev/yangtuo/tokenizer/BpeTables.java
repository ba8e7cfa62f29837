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

    /** Ranks may have gaps, up to this many for a piece. */
    private static final int SPARSE_RANKS = 4;

    private static final int BMP = 0x10000;

    private final SentencePieceModel model;
    private final Vocabulary vocabulary;
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
    private float highestScore = Float.NEGATIVE_INFINITY;
    private float lowestScore = Float.POSITIVE_INFINITY;
    private boolean wholeScores;
    private int rankCount;
    private final int longestPiece;
    private boolean unusedCanMerge;

    private BpeTables(SentencePieceModel model) {
        this.model = model;
        vocabulary = model.vocabulary();
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

    /** {@return length of the longest piece in chars} */
    int longestPiece() {
        return longestPiece;
    }

    /** Whether an unused piece can come out of a merge. Then how it is split again depends on the whole text before. */
    boolean unusedCanMerge() {
        return unusedCanMerge;
    }

    /**
     * The highest score first. Trainers of BPE models give whole numbers, which are ranks but for the sign; others are sorted. Adding +0.0 turns
     * -0.0 into +0.0, which the reference's comparison holds equal.
     */
    private void rank() {
        wholeScores = true;
        for (int id = 0; id < ranks.length; id++) {
            noteScore(vocabulary.score(id));
        }
        double range = (double) highestScore - lowestScore;
        if (!wholeScores || range > SPARSE_RANKS * (double) ranks.length) {
            rankBySorting();
            return;
        }
        rankCount = (int) range + 1;
        for (int id = 0; id < ranks.length; id++) {
            ranks[id] = rankOf(vocabulary.score(id));
        }
    }

    private void noteScore(float score) {
        highestScore = Math.max(highestScore, score);
        lowestScore = Math.min(lowestScore, score);
        wholeScores &= score == (int) score;
    }

    private int rankOf(float score) {
        return (int) highestScore - (int) score;
    }

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

    // What is done for each piece stands in methods of its own: those are compiled after some hundred calls, a long loop much later.

    private void numberSymbols() {
        symbolCount = vocabulary.size();
        for (int id = 0; id < vocabulary.size(); id++) {
            numberIfSingle(id);
        }
        for (int id = 0; id < vocabulary.size(); id++) {
            numberCharacters(id);
        }
        if (symbolCount > 1 << PairTable.SYMBOL_BITS) {
            throw new TokenizerFormatException(model.source(), "there are %d pieces and other characters, more than the %d that are supported"
                    .formatted(symbolCount, 1 << PairTable.SYMBOL_BITS));
        }
    }

    private void numberIfSingle(int id) {
        String piece = vocabulary.piece(id);
        if (piece.length() <= 2 && !vocabulary.type(id).isReserved() && piece.length() == Character.charCount(piece.codePointAt(0))) {
            setSymbol(piece.codePointAt(0), id);
        }
    }

    private void numberCharacters(int id) {
        if (vocabulary.type(id).isReserved()) {
            return;
        }
        String piece = vocabulary.piece(id);
        for (int i = 0; i < piece.length(); i++) {
            int codePoint = piece.charAt(i);
            if (bmpSymbols[codePoint] == 0) {
                if (Character.isHighSurrogate((char) codePoint)) {
                    codePoint = piece.codePointAt(i++);
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
        for (int id = 0; id < vocabulary.size(); id++) {
            noteLength(id, lengthExists);
        }
        long[] prefixHashes = new long[lengthExists.length];
        long[] powers = new long[lengthExists.length];
        powers[0] = 1;
        for (int i = 1; i < powers.length; i++) {
            powers[i] = vocabulary.matchable().nextPower(powers[i - 1]);
        }
        for (int id = 0; id < vocabulary.size(); id++) {
            addPiece(id, lengthExists, prefixHashes, powers);
        }
    }

    private void noteLength(int id, boolean[] lengthExists) {
        if (!vocabulary.type(id).isReserved()) {
            lengthExists[vocabulary.piece(id).length()] = true;
        }
    }

    /** Enters every way to form the piece of two symbols. Linear in its length but for comparisons of parts that really are pieces. */
    private void addPiece(int id, boolean[] lengthExists, long[] prefixHashes, long[] powers) {
        if (vocabulary.type(id).isReserved()) {
            return;
        }
        PieceIndex index = vocabulary.matchable();
        String piece = vocabulary.piece(id);
        int length = piece.length();
        for (int i = 0; i < length; i++) {
            prefixHashes[i + 1] = index.append(prefixHashes[i], piece.charAt(i));
        }
        for (int i = Character.charCount(piece.codePointAt(0)); i < length; i += Character.charCount(piece.codePointAt(i))) {
            int left = part(piece, 0, i, prefixHashes, powers, lengthExists);
            int right = left < 0 ? NO_SYMBOL : part(piece, i, length, prefixHashes, powers, lengthExists);
            if (right >= 0) {
                pairs.add(left, right, id);
                unusedCanMerge |= vocabulary.type(id) == PieceType.UNUSED;
            }
        }
        for (int i = 1; i < length; i++) {
            int bit = neighbourBit(piece.charAt(i - 1), piece.charAt(i));
            neighbours[bit >> 6] |= 1L << bit;
        }
        if (pairs.size() > MAX_PAIRS) {
            throw new TokenizerFormatException(model.source(),
                    "the pieces up to piece %d have more than %d ways to merge, which no real vocabulary needs".formatted(id, MAX_PAIRS));
        }
    }

    /** {@return the symbol that is written {@code piece[from, to)}, or {@link #NO_SYMBOL}} */
    private int part(String piece, int from, int to, long[] prefixHashes, long[] powers, boolean[] lengthExists) {
        int first = piece.codePointAt(from);
        if (to - from == Character.charCount(first)) {
            return symbol(first);
        }
        if (!lengthExists[to - from]) {
            return NO_SYMBOL;
        }
        PieceIndex index = vocabulary.matchable();
        return index.id(index.suffix(prefixHashes[to], prefixHashes[from], powers[to - from]), piece, from, to);
    }

    /**
     * SentencePiece maps the final strings to ids by asking for a reserved piece first. So text that merges to a normal piece written
     * like a byte piece, or like the unknown one, comes out as that. Written like a control piece it would be an error there; here the
     * normal piece is used, since a control piece never comes from text.
     */
    private void decideEmitted() {
        for (int symbol = 0; symbol < emitted.length; symbol++) {
            decideEmitted(symbol);
        }
        for (int id = 0; id < vocabulary.size(); id++) {
            decideEmittedAlike(id, vocabulary.type(id));
        }
    }

    private void decideEmitted(int symbol) {
        boolean isPiece = symbol < vocabulary.size() && !vocabulary.type(symbol).isReserved();
        emitted[symbol] = !isPiece ? EMIT_UNKNOWN : vocabulary.type(symbol) == PieceType.UNUSED ? EMIT_HALVES : symbol;
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
