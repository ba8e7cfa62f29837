package dev.yangtuo.cache;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * A file of packed weights that has been found to be what it should be.
 *
 * @param path where it is
 * @param header what it begins with
 */
public record CacheFile(Path path, CacheHeader header) {

    /** Reads the header, and holds it against the file. */
    static CacheFile open(Path path, int layoutVersion) throws IOException, CacheHeader.Damaged {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            long size = channel.size();
            byte[] prefix = new byte[CacheHeader.PREFIX_BYTES];
            if (size < prefix.length) {
                throw new CacheHeader.Damaged("it has %d bytes, fewer than its header".formatted(size));
            }
            readFully(channel, 0, ByteBuffer.wrap(prefix));
            byte[] table = new byte[CacheHeader.tableBytes(prefix, size, layoutVersion)];
            readFully(channel, prefix.length, ByteBuffer.wrap(table));
            return new CacheFile(path, CacheHeader.decode(prefix, table));
        }
    }

    /** What its writer wanted to know again. */
    public byte[] note() {
        return header.note();
    }

    /** Its parameters, in their order. */
    public List<CachedParameter> parameters() {
        return header.places().stream().map(CacheHeader.Place::parameter).toList();
    }

    /** The byte from which on a parameter stands. */
    public long byteOffset(int parameter) {
        return header.places().get(parameter).byteOffset();
    }

    /** Its bytes. */
    public long byteSize(int parameter) {
        return header.places().get(parameter).byteSize();
    }

    /**
     * The elements of all vectors, in the order of the parameters; empty arrays for matrices.
     *
     * @throws IOException if they cannot be read
     */
    public List<float[]> vectors() throws IOException {
        List<float[]> vectors = new ArrayList<>();
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            for (CacheHeader.Place place : header.places()) {
                float[] values = new float[place.parameter().isVector() ? place.parameter().columns() : 0];
                ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
                readFully(channel, place.byteOffset(), bytes);
                bytes.flip().asFloatBuffer().get(values);
                vectors.add(values);
            }
        }
        return vectors;
    }

    private record Piece(CacheHeader.Place place, int index) {}

    /** Reads everything and compares its checksums. */
    boolean isIntact(int threads) throws IOException {
        List<Piece> pieces = new ArrayList<>();
        for (CacheHeader.Place place : header.places()) {
            for (int i = 0; i < place.pieces(); i++) {
                pieces.add(new Piece(place, i));
            }
        }
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            Pieces.forEach(pieces.size(), threads, () -> ByteBuffer.allocateDirect(CacheHeader.PIECE_BYTES), (buffer, number) -> {
                CacheHeader.Place place = pieces.get(number).place;
                int index = pieces.get(number).index;
                long at = (long) index * CacheHeader.PIECE_BYTES;
                buffer.clear().limit((int) Math.min(CacheHeader.PIECE_BYTES, place.byteSize() - at));
                try {
                    readFully(channel, place.byteOffset() + at, buffer);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
                if (checksum(buffer.flip()) != place.checksums()[index]) {
                    throw new UncheckedIOException(new IOException("other bytes than were written"));
                }
            });
            return true;
        } catch (UncheckedIOException e) {
            return false;
        }
    }

    /** CRC-32C of what is left in a buffer, which is then empty. */
    static int checksum(ByteBuffer bytes) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes);
        return (int) checksum.getValue();
    }

    private static void readFully(FileChannel channel, long from, ByteBuffer target) throws IOException {
        long at = from;
        while (target.hasRemaining()) {
            int count = channel.read(target, at);
            if (count < 0) {
                throw new EOFException("it has become shorter");
            }
            at += count;
        }
    }
}
