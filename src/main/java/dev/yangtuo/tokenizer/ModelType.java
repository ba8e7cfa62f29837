package dev.yangtuo.tokenizer;

/** How a SentencePiece model cuts text into pieces. The numbers are those of {@code TrainerSpec.ModelType} in the model file. */
public enum ModelType {
    /** The most probable segmentation under a unigram language model. */
    UNIGRAM(1),
    /** Byte pair encoding: the best adjacent pair is merged until none is left. */
    BPE(2),
    /** Words between whitespace. */
    WORD(3),
    /** Single characters. */
    CHAR(4);

    private final int number;

    ModelType(int number) {
        this.number = number;
    }

    /** {@return the number that stands for this kind in a model file} */
    public int number() {
        return number;
    }
}
