package dev.yangtuo.batch;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;

/** Tells inputs apart by what is in them: their length and SHA-256. */
final class InputMark {
    private InputMark() {}

    static String of(Path input) throws IOException {
        MessageDigest digest = Digests.sha256();
        byte[] buffer = new byte[1 << 16];
        long size = 0;
        try (InputStream in = Files.newInputStream(input)) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                digest.update(buffer, 0, read);
                size += read;
            }
        }
        return "%d bytes, %s".formatted(size, HexFormat.of().formatHex(digest.digest(), 0, 16));
    }
}
