package dev.yangtuo.batch;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** What is computed with SHA-256, which gives the same on every machine. */
final class Digests {
    private Digests() {}

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    /** SHA-256 of a number, eight bytes, highest first, and of the UTF-8 of a text behind it. */
    static ByteBuffer of(long number, String text) {
        MessageDigest digest = sha256();
        digest.update(ByteBuffer.allocate(Long.BYTES).putLong(0, number));
        return ByteBuffer.wrap(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** The seed of a request: the first 53 bits of {@link #of}, which every reader of JSON can represent. */
    static long seed(long jobSeed, String id) {
        return of(jobSeed, id).getLong(0) >>> 11;
    }
}
