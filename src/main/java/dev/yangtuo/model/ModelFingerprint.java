package dev.yangtuo.model;

import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.KvShape;
import dev.yangtuo.kernel.Layer;
import dev.yangtuo.kernel.PackedFiles;
import dev.yangtuo.kernel.Projection;
import dev.yangtuo.kernel.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Tells models apart whose keys and values differ: SHA-256 over the hyper-parameters, how keys and values are kept, and the beginning and the end of each packed matrix.
 * That is no proof against somebody who makes a model to match; a file of keys and values is the user's own.
 */
final class ModelFingerprint {
    /** Bytes of a matrix that count, from its beginning and before its end: what an adapter or another type of weights changes, it changes everywhere. */
    private static final int SAMPLE_BYTES = 4096;

    private ModelFingerprint() {}

    static byte[] of(ModelConfig config, Backend backend, KvShape shape, ModelWeights weights) {
        MessageDigest digest = sha256();
        PackedFiles packed = backend.packedFiles();
        String words = "%s %s %d %d %s".formatted(config, shape.type(), shape.pagePositions(), packed == null ? 0 : packed.layoutVersion(),
                packed == null ? backend.name() : "packed");
        digest.update(words.getBytes(StandardCharsets.UTF_8));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment sample = arena.allocate(SAMPLE_BYTES, Long.BYTES);
            add(digest, weights.embedding(), sample);
            for (Layer layer : weights.layers()) {
                for (Projection projection : layer.weights().projections()) {
                    add(digest, projection.weight(), sample);
                }
            }
        }
        return digest.digest();
    }

    private static void add(MessageDigest digest, WeightMatrix matrix, MemorySegment sample) {
        long bytes = Math.min(SAMPLE_BYTES, matrix.byteSize());
        MemorySegment part = sample.asSlice(0, bytes);
        matrix.download(0, part);
        digest.update(part.asByteBuffer());
        matrix.download(matrix.byteSize() - bytes, part);
        digest.update(part.asByteBuffer());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
