package dev.yangtuo.tokenizer;

import dev.yangtuo.exception.TokenizerFormatException;
import java.nio.file.Path;

/**
 * The ids with a meaning to the program that uses the model. Each is -1 where the model has none.
 *
 * @param bosId begin of sequence
 * @param eosId end of sequence
 * @param padId padding
 * @param addBos whether the model expects {@code bosId} before a prompt; nothing is added unless {@link EncodeOptions} ask for it
 * @param addEos whether the model expects {@code eosId} after a text
 */
public record SpecialTokens(int bosId, int eosId, int padId, boolean addBos, boolean addEos) {
    /** Throws unless each id is in the vocabulary or -1. */
    void check(Path source, Vocabulary vocabulary) {
        check(source, vocabulary, "bos", bosId);
        check(source, vocabulary, "eos", eosId);
        check(source, vocabulary, "pad", padId);
    }

    private static void check(Path source, Vocabulary vocabulary, String name, int id) {
        if (id < -1 || id >= vocabulary.size()) {
            throw new TokenizerFormatException(source, "the %s id %d is outside the vocabulary of %d pieces; expected -1 for none"
                    .formatted(name, id, vocabulary.size()));
        }
    }
}
