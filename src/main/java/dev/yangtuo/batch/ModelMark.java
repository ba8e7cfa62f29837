package dev.yangtuo.batch;

import dev.yangtuo.Llama;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;

/**
 * Tells models apart by what they compute: SHA-256 over the pieces of the tokenizer, the length of the context and the logits of some
 * tokens. These are the same to the last bit on every machine, and others with another model, adapter, type of weights, type of keys and values, or scaling of RoPE.
 */
final class ModelMark {
    private static final int TOKENS = 16;

    private ModelMark() {}

    static String of(Llama llama) {
        MessageDigest digest = Digests.sha256();
        Tokenizer tokenizer = llama.tokenizer();
        for (int id = 0; id < tokenizer.vocabSize(); id++) {
            digest.update(tokenizer.piece(id).getBytes(StandardCharsets.UTF_8));
            digest.update((byte) 0);
        }
        digest.update("%d ".formatted(llama.contextLength()).getBytes(StandardCharsets.UTF_8));
        int[] ids = new int[Math.min(TOKENS, llama.contextLength())];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = (int) (i * 7919L % Math.min(llama.vocabSize(), tokenizer.vocabSize()));
        }
        ByteBuffer row = ByteBuffer.allocate(llama.vocabSize() * Float.BYTES);
        llama.logits(ids, (position, logits, offset) -> {
            row.asFloatBuffer().put(logits, offset, llama.vocabSize());
            digest.update(row.array());
        });
        return HexFormat.of().formatHex(digest.digest(), 0, 16);
    }
}
