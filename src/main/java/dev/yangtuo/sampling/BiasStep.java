package dev.yangtuo.sampling;

import java.util.List;

/** Adds biases to logits. */
final class BiasStep implements EditStep {
    private final int[] ids;
    private final float[] biases;

    BiasStep(List<TokenBias> biases, SamplerVocabulary vocabulary) {
        this.ids = new int[biases.size()];
        this.biases = new float[ids.length];
        for (int i = 0; i < ids.length; i++) {
            this.ids[i] = vocabulary.id(biases.get(i).token());
            this.biases[i] = biases.get(i).bias();
        }
    }

    @Override
    public void edit(TokenHistory history, LogitEdits edits) {
        for (int i = 0; i < ids.length; i++) {
            edits.edit(ids[i], 1f, biases[i]);
        }
    }
}
