package dev.yangtuo.chat;

import dev.yangtuo.tokenizer.Tokenizer;

/**
 * The special tokens of a model as they are written in a prompt; each is empty where the model has none.
 *
 * @param bos begin of sequence
 * @param eos end of sequence
 * @param unk stands for what no piece covers
 * @param pad padding
 */
public record SpecialTexts(String bos, String eos, String unk, String pad) {
    /** Those of a tokenizer. */
    public static SpecialTexts of(Tokenizer tokenizer) {
        return new SpecialTexts(
                piece(tokenizer, tokenizer.bosId()), piece(tokenizer, tokenizer.eosId()), piece(tokenizer, tokenizer.unkId()), piece(tokenizer, tokenizer.padId()));
    }

    private static String piece(Tokenizer tokenizer, int id) {
        return id < 0 ? "" : tokenizer.piece(id);
    }
}
