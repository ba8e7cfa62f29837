package dev.yangtuo;

import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.model.Model;
import dev.yangtuo.model.Sequence;
import dev.yangtuo.sampling.LogProbabilities;
import dev.yangtuo.tokenizer.EncodeOptions;
import dev.yangtuo.tokenizer.StreamingEncoder;
import dev.yangtuo.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.util.stream.IntStream;

/**
 * Measures the perplexity of one text while it is read: its ids fill a window, a full window is computed and forgotten. So the memory is that of a window
 * and of some tokens' logits, however long the text.
 */
final class PerplexityMeter {
    private static final int BUFFER_BYTES = 4096;

    private final Model model;
    private final Tokenizer tokenizer;
    private final PerplexityOptions options;
    private final boolean llamaCpp;
    /** Id that each window begins with, -1 for none. */
    private final int windowBegin;
    /** Int32 [context]: a window being filled, the first {@code count} are valid. */
    private final int[] window;
    /** Float64 [context]: negative logarithms of the probabilities of {@code window[i + 1]} given those up to {@code window[i]}. */
    private final double[] nats;

    private int count;
    private int windows;
    private long tokens;
    private double natsSum;
    private double squaredSum;
    private long textTokens;
    private long textCharacters;
    private long textBytes;

    PerplexityMeter(Model model, Tokenizer tokenizer, PerplexityOptions options) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.options = options;
        this.llamaCpp = options.method() == PerplexityMethod.LLAMA_CPP;
        boolean begins = !llamaCpp || tokenizer.model().special().addBos();
        this.windowBegin = begins ? tokenizer.bosId() : -1;
        this.window = new int[options.contextFor(model.contextLength())];
        this.nats = new double[window.length];
    }

    /**
     * Reads and scores a text to its end.
     *
     * @throws YangtuoException if it is too short
     */
    Perplexity measure(InputStream utf8) throws IOException {
        beginWindow();
        StreamingEncoder encoder = tokenizer.streamingEncoder(EncodeOptions.PLAIN, this::accept);
        byte[] buffer = new byte[BUFFER_BYTES];
        boolean lineFeed = false; // the last byte was one and is not encoded yet
        for (int length = utf8.read(buffer); length >= 0; length = utf8.read(buffer)) {
            if (length == 0) {
                continue;
            }
            if (lineFeed) {
                append(encoder, new byte[] {'\n'}, 1);
            }
            // llama.cpp takes one from the end of the text; whether this is the end shows the next read.
            lineFeed = llamaCpp && buffer[length - 1] == '\n';
            append(encoder, buffer, lineFeed ? length - 1 : length);
        }
        encoder.finish();
        finish();
        return soFar();
    }

    private void append(StreamingEncoder encoder, byte[] utf8, int length) {
        textBytes += length;
        for (int i = 0; i < length; i++) {
            textCharacters += (utf8[i] & 0xC0) == 0x80 ? 0 : 1; // what does not continue a character begins one
        }
        encoder.append(utf8, 0, length);
    }

    private void accept(int[] ids, int length) {
        textTokens += length;
        for (int i = 0; i < length; i++) {
            if (count == window.length) {
                scoreWindow();
                beginWindow();
            }
            window[count++] = ids[i];
        }
    }

    /** llama.cpp puts the beginning of sequence before the text once, and over the first token of every later window. */
    private void beginWindow() {
        count = 0;
        if (windowBegin >= 0 && !(llamaCpp && windows > 0)) {
            window[count++] = windowBegin;
        }
    }

    private void finish() {
        if (textTokens == 0) {
            throw new YangtuoException("the text is empty; there is nothing to measure");
        }
        if (count == window.length || (!llamaCpp && count > 1)) {
            scoreWindow();
        }
        long needed = 2L * window.length;
        if (llamaCpp && windows < 2) {
            throw new YangtuoException("the text has %d tokens, with the method llama.cpp a context of %d needs %d; take a longer text or a shorter context"
                    .formatted(textTokens + (windowBegin >= 0 ? 1 : 0), window.length, needed));
        }
        if (tokens == 0) {
            throw new YangtuoException("the text has a single token, and the vocabulary no beginning of sequence to predict it from; take a longer text");
        }
    }

    private void scoreWindow() {
        if (llamaCpp && windowBegin >= 0) {
            window[0] = windowBegin;
        }
        int first = llamaCpp ? window.length / 2 : 0;
        computeNats(first);
        for (int i = first; i < count - 1; i++) {
            natsSum += nats[i];
            squaredSum += nats[i] * nats[i];
        }
        tokens += count - 1 - first;
        windows++;
        options.listener().accept(soFar());
    }

    /** @param first the first position whose logits are wanted; those of the last would predict a token behind the window */
    private void computeNats(int first) {
        int length = count - 1;
        try (Sequence sequence = model.newSequence()) {
            sequence.ropeLength(length);
            for (int done = 0; done < length; ) {
                int start = done;
                int columns = Math.min(model.maxColumns(), length - start);
                model.forward(sequence, window, start, columns, Math.max(0, first - start), (column, rows, logits) -> computeNats(start + column, rows, logits));
                done += columns;
            }
        }
    }

    /** @param logits float32 [rows][vocabSize], of the tokens from {@code position} on */
    private void computeNats(int position, int rows, float[] logits) {
        int vocabSize = model.vocabSize();
        IntStream.range(0, rows).parallel().forEach(row ->
                nats[position + row] = natsOf(logits, row * vocabSize, vocabSize, window[position + row + 1]));
    }

    private static double natsOf(float[] logits, int offset, int vocabSize, int id) {
        return LogProbabilities.logSumExp(logits, offset, vocabSize) - logits[offset + id];
    }

    private Perplexity soFar() {
        return new Perplexity(options.method(), window.length, windows, tokens, natsSum, squaredSum, textTokens, textCharacters, textBytes);
    }
}
