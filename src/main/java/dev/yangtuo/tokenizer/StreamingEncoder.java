package dev.yangtuo.tokenizer;

import java.util.Objects;

/**
 * Encodes a text that comes in parts, such as one that is larger than memory: the ids are those of the whole text, whatever the parts. Memory stays
 * bounded as long as the text can be cut, which is at every few characters with the models of the LLaMA family; a stretch without a cut is kept whole (of a
 * BPE model with UNUSED pieces that take part in merges, the whole text), and with a {@link ForeignModel} refused if it is long. Used by one thread at a time.
 *
 * <pre>{@code
 * StreamingEncoder encoder = tokenizer.streamingEncoder(EncodeOptions.PLAIN, (ids, count) -> write(ids, count));
 * for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
 *     encoder.append(buffer, 0, n);
 * }
 * encoder.finish();
 * }</pre>
 */
public final class StreamingEncoder {
    private static final int LONGEST_CHARACTER = 4;

    private final Pipeline pipeline;
    private final Workspace work;
    private final IdConsumer consumer;
    private final int eosId;
    /** Bytes that may be the beginning of a character, [pendingCount]. */
    private final byte[] pending = new byte[LONGEST_CHARACTER];
    private int pendingCount;
    /** A high half of a surrogate pair whose low half may come; 0 for none. */
    private char pendingHigh;
    private boolean finished;

    /** @param eosId the id to end with, or -1 */
    StreamingEncoder(Pipeline pipeline, Workspace work, int bosId, int eosId, IdConsumer consumer) {
        this.pipeline = pipeline;
        this.work = work;
        this.eosId = eosId;
        this.consumer = consumer;
        work.tokens.clear();
        work.begin(false, 0);
        if (bosId >= 0) {
            work.tokens.addMark(bosId, 0, 0);
        }
    }

    /**
     * Goes on with the text.
     *
     * @param text any; a surrogate pair may be cut between two calls
     * @throws IllegalStateException after {@link #finish}
     */
    public void append(CharSequence text) {
        checkOpen();
        if (text.isEmpty()) {
            return;
        }
        endBytes();
        int from = 0;
        int to = text.length();
        if (pendingHigh != 0) {
            String pair = new String(new char[] {pendingHigh, text.charAt(0)});
            boolean completes = Character.isLowSurrogate(text.charAt(0));
            pendingHigh = 0;
            feed(work.chars.of(pair, 0, completes ? 2 : 1, false));
            from = completes ? 1 : 0;
        }
        if (to > from && Character.isHighSurrogate(text.charAt(to - 1))) {
            pendingHigh = text.charAt(--to);
        }
        feed(work.chars.of(text, from, to, false));
    }

    /**
     * Goes on with the text.
     *
     * @param utf8 holds it in {@code [from, to)}; a character may be cut between two calls, and each byte that is not part of a valid one counts as U+FFFD
     * @throws IllegalStateException after {@link #finish}
     */
    public void append(byte[] utf8, int from, int to) {
        checkOpen();
        Objects.checkFromToIndex(from, to, utf8.length);
        endHalf();
        int at = from;
        while (pendingCount > 0 && at < to) {
            pending[pendingCount++] = utf8[at++];
            keepRest(pending, feedBytes(pending, 0, pendingCount, true), pendingCount);
        }
        if (at < to) {
            keepRest(utf8, feedBytes(utf8, at, to, true), to);
        }
    }

    /**
     * Ends the text; the last ids follow.
     *
     * @throws IllegalStateException if it was ended before
     */
    public void finish() {
        checkOpen();
        endBytes();
        endHalf();
        finished = true;
        pipeline.end(work);
        if (eosId >= 0) {
            work.tokens.addMark(eosId, 0, 0);
        }
        work.tokens.drainTo(consumer);
    }

    private void checkOpen() {
        if (finished) {
            throw new IllegalStateException("the text was ended before");
        }
    }

    private void feed(TextSource source) {
        pipeline.append(work, source);
        work.tokens.drainTo(consumer);
    }

    /** {@return how many bytes are left of an unfinished character} */
    private int feedBytes(byte[] utf8, int from, int to, boolean more) {
        TextSource.Bytes source = work.bytes.of(utf8, from, to, pipeline.invalidByte(), more);
        feed(source);
        return source.left();
    }

    private void keepRest(byte[] utf8, int rest, int to) {
        System.arraycopy(utf8, to - rest, pending, 0, rest);
        pendingCount = rest;
    }

    private void endBytes() {
        if (pendingCount > 0) {
            feedBytes(pending, 0, pendingCount, false);
            pendingCount = 0;
        }
    }

    private void endHalf() {
        if (pendingHigh != 0) {
            String half = String.valueOf(pendingHigh);
            pendingHigh = 0;
            feed(work.chars.of(half, 0, 1, false));
        }
    }
}
