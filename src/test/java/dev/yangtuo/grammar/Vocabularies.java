package dev.yangtuo.grammar;

import dev.yangtuo.tokenizer.NormalizerSpec;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Tokenizers for tests of grammars. */
final class Vocabularies {
    /** The demonstration model's Chinese vocabulary: 12,183 pieces with byte pieces. */
    static final Path DEMO_CHINESE = Path.of("examples/demo-model/chinese-lora/tokenizer.model");

    private Vocabularies() {}

    static Tokenizer demo() {
        return Tokenizer.load(DEMO_CHINESE);
    }
}
