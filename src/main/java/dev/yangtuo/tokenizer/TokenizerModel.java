package dev.yangtuo.tokenizer;

import java.nio.file.Path;

/** Everything that decides how a tokenizer encodes and decodes, whatever its kind. Immutable and thread-safe. */
public sealed interface TokenizerModel permits SentencePieceModel, ByteLevelModel, ForeignModel {
    /** {@return the file that it comes from; error messages begin with it} */
    Path source();

    /** {@return the pieces} */
    Vocabulary vocabulary();

    /** {@return the ids of special tokens} */
    SpecialTokens special();
}
