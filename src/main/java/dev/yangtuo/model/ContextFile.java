package dev.yangtuo.model;

import dev.yangtuo.checkpoint.OutputFile;
import dev.yangtuo.checkpoint.PendingFile;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.kernel.KvPool;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * A file with the keys and values of the beginning of a text, in whole pages, for the same model on the same kind of backend. Little-endian: 64 bytes of header (see
 * {@link Header}), the tokens as int32, the pages one after the other, each followed by the CRC-32C of its bytes as int32; that of the header and the tokens stands
 * behind the tokens. A page's bytes are the backend's own.
 */
final class ContextFile {
    private static final long MAGIC = 0x31_56_4B_4F_55_54_47_59L; // "YGTUOKV1"
    private static final int HEADER_BYTES = 64;
    private static final int FINGERPRINT_BYTES = 32;

    private ContextFile() {}

    /**
     * What the file begins with.
     *
     * @param fingerprint of the model, 32 bytes
     * @param pages how many
     * @param pagePositions tokens of a page
     * @param pageBytes of a page
     */
    private record Header(byte[] fingerprint, int pages, int pagePositions, long pageBytes) {
        int tokens() {
            return pages * pagePositions;
        }

        long pagesOffset() {
            return HEADER_BYTES + (long) Integer.BYTES * tokens() + Integer.BYTES;
        }

        long pageOffset(int page) {
            return pagesOffset() + page * (pageBytes + Integer.BYTES);
        }

        long fileBytes() {
            return pageOffset(pages);
        }

        ByteBuffer encode(int[] tokens) {
            ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(pagesOffset())).order(ByteOrder.LITTLE_ENDIAN);
            bytes.putLong(MAGIC).putInt(pages).putInt(pagePositions).putLong(pageBytes).put(fingerprint);
            bytes.position(HEADER_BYTES);
            for (int i = 0; i < tokens(); i++) {
                bytes.putInt(tokens[i]);
            }
            bytes.putInt(checksum(bytes.duplicate().flip()));
            return bytes.flip();
        }
    }

    private static int checksum(ByteBuffer bytes) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes);
        return (int) checksum.getValue();
    }

    /**
     * Writes the full pages of a sequence. The file appears under its name when it is complete.
     *
     * @param tokens of the sequence's positions
     * @return how many tokens are in it
     */
    static int write(Path file, byte[] fingerprint, KvPool pool, PagedSequence sequence, int[] tokens) {
        int positions = pool.shape().pagePositions();
        Header header = new Header(fingerprint, sequence.length() / positions, positions, pool.pageBytes());
        try (PendingFile pending = PendingFile.create(file, header.fileBytes()); Arena arena = Arena.ofConfined()) {
            OutputFile out = pending.out();
            out.write(0, MemorySegment.ofBuffer(header.encode(tokens)));
            MemorySegment page = arena.allocate(header.pageBytes() + Integer.BYTES, Long.BYTES);
            MemorySegment contents = page.asSlice(0, header.pageBytes());
            for (int i = 0; i < header.pages(); i++) {
                pool.downloadPage(sequence.pages()[i], contents);
                page.set(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), header.pageBytes(), checksum(contents.asByteBuffer()));
                out.write(header.pageOffset(i), page);
            }
            pending.complete();
        }
        return header.tokens();
    }

    /**
     * Reads a file into a new sequence, and remembers its pages for texts that begin like it.
     *
     * @return how many tokens there were
     * @throws CheckpointFormatException if the file is damaged, or of another model
     * @throws KvMemoryException if there is not enough memory
     */
    static int read(Path file, byte[] fingerprint, KvCache cache, int vocabSize) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ); Arena arena = Arena.ofConfined(); PagedSequence sequence = cache.open()) {
            Header header = readHeader(file, channel, fingerprint, cache);
            int[] tokens = readTokens(file, channel, header, vocabSize);
            MemorySegment page = arena.allocate(header.pageBytes() + Integer.BYTES, Long.BYTES);
            MemorySegment contents = page.asSlice(0, header.pageBytes());
            for (int i = 0; i < header.pages(); i++) {
                readFully(channel, page.asByteBuffer(), header.pageOffset(i));
                int expected = page.get(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), header.pageBytes());
                if (checksum(contents.asByteBuffer()) != expected) {
                    throw damaged(file, "the checksum of page %d of %d does not fit".formatted(i + 1, header.pages()));
                }
                sequence.reserve(header.pagePositions());
                cache.pool().uploadPage(sequence.pages()[i], contents);
                sequence.advance(header.pagePositions());
            }
            sequence.remember(tokens);
            return tokens.length;
        } catch (NoSuchFileException e) {
            throw new CheckpointFormatException(file, "there is no such file; a saved context was expected", e);
        } catch (EOFException e) {
            throw damaged(file, "it has become shorter while it was read");
        } catch (IOException e) {
            throw new UncheckedIOException("%s: the saved context cannot be read: %s".formatted(file, e.getMessage()), e);
        }
    }

    private static Header readHeader(Path file, FileChannel channel, byte[] fingerprint, KvCache cache) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new CheckpointFormatException(file, "is not a plain file; a saved context was expected");
        }
        long size = channel.size();
        ByteBuffer bytes = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        if (size < HEADER_BYTES) {
            throw damaged(file, "it has %d bytes, fewer than its header".formatted(size));
        }
        readFully(channel, bytes, 0);
        bytes.flip();
        if (bytes.getLong() != MAGIC) {
            throw new CheckpointFormatException(file, "is no saved context, or one of another version of this library; save it anew");
        }
        int pages = bytes.getInt();
        int positions = bytes.getInt();
        long pageBytes = bytes.getLong();
        byte[] found = new byte[FINGERPRINT_BYTES];
        bytes.get(found);
        if (!Arrays.equals(found, fingerprint)) {
            throw new CheckpointFormatException(file, "was saved with another model, adapter, type of weights or of keys and values; save it anew with this one");
        }
        if (pages < 0 || pages > cache.pagesPerSequence() || positions != cache.pagePositions() || pageBytes != cache.pool().pageBytes()) {
            throw damaged(file, "its %d pages of %d tokens and %d bytes do not fit this model's context of %d, in pages of %d tokens and %d bytes".formatted(
                    pages, positions, pageBytes, cache.contextLength(), cache.pagePositions(), cache.pool().pageBytes()));
        }
        Header header = new Header(found, pages, positions, pageBytes);
        if (size != header.fileBytes() || header.tokens() > cache.contextLength()) {
            throw damaged(file, "it has %d bytes, %d were expected for %d tokens".formatted(size, header.fileBytes(), header.tokens()));
        }
        return header;
    }

    private static int[] readTokens(Path file, FileChannel channel, Header header, int vocabSize) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(header.pagesOffset())).order(ByteOrder.LITTLE_ENDIAN);
        readFully(channel, bytes, 0);
        bytes.flip();
        int expected = bytes.getInt(bytes.limit() - Integer.BYTES);
        if (checksum(bytes.duplicate().limit(bytes.limit() - Integer.BYTES)) != expected) {
            throw damaged(file, "the checksum of its header does not fit");
        }
        int[] tokens = new int[header.tokens()];
        bytes.position(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(tokens);
        for (int token : tokens) {
            if (token < 0 || token >= vocabSize) {
                throw damaged(file, "token %d is outside the vocabulary of %d".formatted(token, vocabSize));
            }
        }
        return tokens;
    }

    private static void readFully(FileChannel channel, ByteBuffer target, long offset) throws IOException {
        while (target.hasRemaining()) {
            if (channel.read(target, offset + target.position()) < 0) {
                throw new EOFException();
            }
        }
    }

    private static CheckpointFormatException damaged(Path file, String problem) {
        return new CheckpointFormatException(file, "the saved context is damaged: %s; save it anew".formatted(problem));
    }
}
