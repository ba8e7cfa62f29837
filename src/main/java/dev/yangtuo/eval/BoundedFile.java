package dev.yangtuo.eval;

import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** A small text file, read whole. */
final class BoundedFile {
    private static final String BYTE_ORDER_MARK = "\uFEFF";

    private BoundedFile() {}

    /**
     * Its text, without a byte order mark at its beginning.
     *
     * @param maxBytes at most 2^30
     * @throws YangtuoException if it is not there, cannot be read, is longer, or is not UTF-8
     */
    static String text(Path file, long maxBytes) {
        byte[] bytes = bytes(file, Math.toIntExact(maxBytes));
        if (bytes.length > maxBytes) {
            throw new YangtuoException("%s: is longer than %d bytes; expected a small file, break it into several".formatted(file, maxBytes));
        }
        CharBuffer text = CharBuffer.allocate(bytes.length);
        ByteBuffer utf8 = ByteBuffer.wrap(bytes);
        CoderResult result = StandardCharsets.UTF_8.newDecoder().decode(utf8, text, true); // reports what is malformed
        if (result.isError()) {
            throw new YangtuoException("%s, line %d: is not UTF-8 (byte %d); convert the file, such as with iconv -f GB18030 -t UTF-8"
                    .formatted(file, lineAt(bytes, utf8.position()), utf8.position()));
        }
        String whole = text.flip().toString();
        return whole.startsWith(BYTE_ORDER_MARK) ? whole.substring(BYTE_ORDER_MARK.length()) : whole;
    }

    private static byte[] bytes(Path file, int maxBytes) {
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(maxBytes + 1);
        } catch (NoSuchFileException e) {
            throw new YangtuoException("%s: there is no such file".formatted(file), e);
        } catch (AccessDeniedException e) {
            throw new YangtuoException("%s: there is no permission to read it".formatted(file), e);
        } catch (IOException e) {
            throw new YangtuoException("%s: cannot be read: %s".formatted(file, e.getMessage()), e);
        }
    }

    private static long lineAt(byte[] bytes, int position) {
        long line = 1;
        for (int i = 0; i < position; i++) {
            line += bytes[i] == '\n' ? 1 : 0;
        }
        return line;
    }
}
