package dev.yangtuo.cache;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.stream.IntStream;

/** SHA-256 of texts, and of large contents by several threads: of the hashes of their pieces, then. */
final class ContentHash {
    private static final int PIECE_BYTES = 16 << 20;

    private ContentHash() {}

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    /** 64 hexadecimal digits. */
    static String sha256(String text) {
        return HexFormat.of().formatHex(sha256().digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    /**
     * 64 hexadecimal digits.
     *
     * @param bytes a file's, mapped
     * @throws InternalError if the file shrinks meanwhile
     */
    static String ofPieces(MemorySegment bytes, int threads) {
        int pieces = Math.toIntExact((bytes.byteSize() + PIECE_BYTES - 1) / PIECE_BYTES);
        byte[][] hashes = new byte[pieces][];
        Pieces.forEach(pieces, threads, () -> sha256(), (digest, piece) -> {
            long at = (long) piece * PIECE_BYTES;
            digest.update(bytes.asSlice(at, Math.min(PIECE_BYTES, bytes.byteSize() - at)).asByteBuffer());
            hashes[piece] = digest.digest();
        });
        MessageDigest all = sha256();
        all.update(Long.toString(bytes.byteSize()).getBytes(StandardCharsets.US_ASCII));
        IntStream.range(0, pieces).forEach(piece -> all.update(hashes[piece]));
        return HexFormat.of().formatHex(all.digest());
    }
}
