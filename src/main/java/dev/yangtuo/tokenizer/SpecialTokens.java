package dev.yangtuo.tokenizer;

/**
 * The ids with a meaning to the program that uses the model. Each is -1 where the model has none.
 *
 * @param bosId begin of sequence
 * @param eosId end of sequence
 * @param padId padding
 * @param addBos whether the model expects {@code bosId} before a prompt; nothing is added unless {@link EncodeOptions} ask for it
 * @param addEos whether the model expects {@code eosId} after a text
 */
public record SpecialTokens(int bosId, int eosId, int padId, boolean addBos, boolean addEos) {}
