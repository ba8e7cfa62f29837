package dev.yangtuo.llamacpp;

import dev.yangtuo.model.KvMemoryException;
import dev.yangtuo.model.Sequence;

/** A sequence in llama.cpp's memory. What it does there waits for the pass that is running. */
final class LlamaCppSequence implements Sequence {
    private final LlamaCppModel model;
    private final SequenceMemory.Part part;
    private int ropeLength;
    private boolean closed;

    LlamaCppSequence(LlamaCppModel model, SequenceMemory.Part part) {
        this.model = model;
        this.part = part;
    }

    SequenceMemory.Part part() {
        if (closed) {
            throw new IllegalStateException("the sequence is closed");
        }
        return part;
    }

    @Override
    public int length() {
        return part.length();
    }

    @Override
    public int remaining() {
        return model.contextLength() - part.length();
    }

    @Override
    public Sequence fork(int positions) {
        return new LlamaCppSequence(model, model.locked(() -> part().fork(positions)));
    }

    /** Says nothing here: llama.cpp has no scaling that depends on the length of a prompt. */
    @Override
    public int ropeLength() {
        return ropeLength;
    }

    @Override
    public void ropeLength(int length) {
        if (length < 0 || length > model.contextLength()) {
            throw new IllegalArgumentException("a prompt of %d tokens does not fit the context of %d".formatted(length, model.contextLength()));
        }
        ropeLength = length;
    }

    @Override
    public void truncate(int newLength) {
        model.locked(() -> part().truncate(newLength));
    }

    @Override
    public int pagesNeeded(int count) {
        return model.locked(() -> part.pagesNeeded(count));
    }

    @Override
    public boolean tryReserve(int count) {
        return model.locked(() -> {
            try {
                part().reserve(count);
                return true;
            } catch (KvMemoryException e) {
                return false;
            }
        });
    }

    /** Does nothing: others take over from a sequence while it is there, and from then on from what {@link #rememberEnd} remembers. */
    @Override
    public void remember(int[] tokens) {}

    @Override
    public void rememberEnd(int[] tokens) {
        model.locked(() -> {
            if (!closed) {
                closed = true;
                part.rememberEnd(tokens);
            }
        });
    }

    @Override
    public void close() {
        model.locked(() -> {
            if (!closed) {
                closed = true;
                part.close();
            }
        });
    }
}
