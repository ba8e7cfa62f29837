package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufBuilder;
import dev.yangtuo.tensor.TensorType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;

/** The tiny model as a GGUF file with a byte-level tokenizer: the 256 bytes and one merge, the rows behind them unused. */
final class ByteLevelGguf {
    private static final int ROWS = 3000;

    private ByteLevelGguf() {}

    static Path write(Path file) {
        Path plain = TinyGguf.write(file.resolveSibling("spm-" + file.getFileName()), TensorType.F32, true);
        GgufBuilder builder = GgufEdit.of(plain, Set.of("tokenizer.ggml.model", "tokenizer.ggml.tokens", "tokenizer.ggml.scores",
                "tokenizer.ggml.token_type"));
        String[] tokens = new String[ROWS];
        int[] types = new int[ROWS];
        int next = 0;
        for (int value = 0; value < 256; value++) {
            boolean visible = value >= '!' && value <= '~' || value >= 0xA1 && value <= 0xAC || value >= 0xAE;
            types[value] = 1;
            tokens[value] = String.valueOf((char) (visible ? value : 256 + next++));
        }
        tokens[256] = "ab";
        types[256] = 1;
        for (int id = 257; id < ROWS; id++) {
            tokens[id] = "[PAD%d]".formatted(id);
        }
        Arrays.fill(types, 257, ROWS, 5);
        return builder.put("tokenizer.ggml.model", "gpt2")
                .put("tokenizer.ggml.pre", "llama-bpe")
                .put("tokenizer.ggml.tokens", tokens)
                .put("tokenizer.ggml.token_type", types)
                .put("tokenizer.ggml.merges", new String[] {"a b"})
                .write(file);
    }
}
