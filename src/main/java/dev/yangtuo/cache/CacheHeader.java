package dev.yangtuo.cache;

import dev.yangtuo.tensor.TensorType;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * What a cache file begins with; docs/formats.md has its layout.
 *
 * @param layoutVersion of the packed matrices
 * @param key what the file belongs to, 64 hexadecimal digits
 * @param fileBytes size of the whole file
 * @param places where the parameters are, in the order of the file
 * @param note what the writer wants to know again; at most {@link #MAX_TABLE_BYTES} with all the rest
 */
record CacheHeader(int layoutVersion, String key, long fileBytes, List<Place> places, byte[] note) {
    static final int FORMAT_VERSION = 1;
    /** Bytes before the table: magic, versions, sizes, checksum. */
    static final int PREFIX_BYTES = 64;
    /** Far more than the largest model's; what a damaged file may make us read. */
    static final int MAX_TABLE_BYTES = 64 << 20;
    /** Bytes that share a checksum. */
    static final int PIECE_BYTES = 4 << 20;

    /** Where matrices begin: at multiples of this, as the largest pages are that a system maps files by. */
    static final long MATRIX_ALIGNMENT = 65536;
    private static final long MAGIC = 0x0A6F_7574_676E_6179L; // "yangtuo\n"
    private static final int CHECKED_PREFIX_BYTES = 32;
    private static final int HASH_BYTES = 32;
    private static final int MAX_PARAMETERS = 1 << 20;

    /**
     * A parameter's bytes.
     *
     * @param checksums CRC-32C of each {@link #PIECE_BYTES} of them
     */
    record Place(CachedParameter parameter, long byteOffset, long byteSize, int[] checksums) {
        int pieces() {
            return pieces(byteSize);
        }

        static int pieces(long byteSize) {
            return Math.toIntExact((byteSize + PIECE_BYTES - 1) / PIECE_BYTES);
        }
    }

    /** The header is not one, or not whole. */
    static final class Damaged extends Exception {
        private static final long serialVersionUID = 1;

        Damaged(String problem) {
            super(problem);
        }
    }

    /** The header as it stands in the file. */
    byte[] encode() {
        byte[] table = table();
        ByteBuffer out = ByteBuffer.allocate(PREFIX_BYTES + table.length).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(MAGIC).putInt(FORMAT_VERSION).putInt(layoutVersion).putLong(fileBytes).putLong(table.length);
        out.put(checksum(out.array(), table)).put(table);
        return out.array();
    }

    /** Bytes of the encoded header. */
    static long bytes(List<CachedParameter> parameters, long pieces, int noteBytes) {
        long bytes = PREFIX_BYTES + HASH_BYTES + 2 * Integer.BYTES + noteBytes + pieces * Integer.BYTES;
        for (CachedParameter parameter : parameters) {
            bytes += 2 * Short.BYTES + utf8(parameter.name()).length + utf8(parameter.type().name()).length + 3 * Long.BYTES + Integer.BYTES;
        }
        return bytes;
    }

    private byte[] table() {
        long pieces = places.stream().mapToLong(Place::pieces).sum();
        long bytes = bytes(places.stream().map(Place::parameter).toList(), pieces, note.length) - PREFIX_BYTES;
        ByteBuffer out = ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
        out.put(HexFormat.of().parseHex(key)).putInt(places.size());
        for (Place place : places) {
            CachedParameter parameter = place.parameter;
            putText(out, parameter.name());
            putText(out, parameter.type().name());
            out.putLong(parameter.rows()).putInt(parameter.columns()).putLong(place.byteOffset).putLong(place.byteSize);
            for (int checksum : place.checksums) {
                out.putInt(checksum);
            }
        }
        return out.putInt(note.length).put(note).array();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static void putText(ByteBuffer out, String text) {
        byte[] bytes = utf8(text);
        out.putShort((short) bytes.length).put(bytes);
    }

    private static byte[] checksum(byte[] prefix, byte[] table) {
        MessageDigest digest = ContentHash.sha256();
        digest.update(prefix, 0, CHECKED_PREFIX_BYTES);
        return digest.digest(table);
    }

    /**
     * Reads the part before the table.
     *
     * @param prefix {@link #PREFIX_BYTES} bytes
     * @param fileBytes size of the file
     * @param layoutVersion that is wanted
     * @return bytes of the table
     */
    static int tableBytes(byte[] prefix, long fileBytes, int layoutVersion) throws Damaged {
        ByteBuffer in = ByteBuffer.wrap(prefix).order(ByteOrder.LITTLE_ENDIAN);
        if (in.getLong() != MAGIC) {
            throw new Damaged("it is no file of packed weights");
        }
        int format = in.getInt();
        if (format != FORMAT_VERSION) {
            throw new Damaged("its format has version %d, this program writes %d".formatted(format, FORMAT_VERSION));
        }
        int layout = in.getInt();
        if (layout != layoutVersion) {
            throw new Damaged("its matrices have layout version %d, this library %d".formatted(layout, layoutVersion));
        }
        long announced = in.getLong();
        if (announced != fileBytes) {
            throw new Damaged("it has %d bytes, but says %d".formatted(fileBytes, announced));
        }
        long table = in.getLong();
        if (table < HASH_BYTES || table > Math.min(MAX_TABLE_BYTES, fileBytes - PREFIX_BYTES)) {
            throw new Damaged("its table of %d bytes is not possible in a file of %d".formatted(table, fileBytes));
        }
        return (int) table;
    }

    /**
     * Reads the table. Every place lies behind it, inside the file, and behind the one before.
     *
     * @param prefix what {@link #tableBytes} has read
     * @param table so many bytes
     */
    static CacheHeader decode(byte[] prefix, byte[] table) throws Damaged {
        if (!Arrays.equals(checksum(prefix, table), Arrays.copyOfRange(prefix, CHECKED_PREFIX_BYTES, PREFIX_BYTES))) {
            throw new Damaged("its table is damaged");
        }
        ByteBuffer start = ByteBuffer.wrap(prefix).order(ByteOrder.LITTLE_ENDIAN);
        int layout = start.getInt(Long.BYTES + Integer.BYTES);
        long fileBytes = start.getLong(2 * Long.BYTES);
        ByteBuffer in = ByteBuffer.wrap(table).order(ByteOrder.LITTLE_ENDIAN);
        try {
            byte[] key = new byte[HASH_BYTES];
            in.get(key);
            int count = in.getInt();
            if (count < 0 || count > MAX_PARAMETERS) {
                throw new Damaged("it announces %d parameters".formatted(count));
            }
            List<Place> places = new ArrayList<>();
            long end = PREFIX_BYTES + table.length;
            for (int i = 0; i < count; i++) {
                Place place = place(in, end, fileBytes);
                places.add(place);
                end = place.byteOffset + place.byteSize;
            }
            int noteBytes = in.getInt();
            if (noteBytes != in.remaining()) {
                throw new Damaged("its table does not end where it should");
            }
            byte[] note = new byte[noteBytes];
            in.get(note);
            return new CacheHeader(layout, HexFormat.of().formatHex(key), fileBytes, places, note);
        } catch (BufferUnderflowException e) {
            throw new Damaged("its table ends too early");
        }
    }

    private static Place place(ByteBuffer in, long least, long fileBytes) throws Damaged {
        String name = text(in);
        TensorType type = type(text(in));
        CachedParameter parameter = new CachedParameter(name, type, in.getLong(), in.getInt());
        long offset = in.getLong();
        long size = in.getLong();
        if (parameter.rows() < 0 || parameter.columns() < 1 || size < 1 || offset < least || offset > fileBytes || size > fileBytes - offset) {
            throw new Damaged("parameter %d x %d with %d bytes from byte %d on is not possible in a file of %d".formatted(
                    parameter.rows(), parameter.columns(), size, offset, fileBytes));
        }
        boolean fits = parameter.isVector() ? type == TensorType.F32 && size == (long) Float.BYTES * parameter.columns() : offset % MATRIX_ALIGNMENT == 0;
        if (!fits || (size - 1) / PIECE_BYTES >= in.remaining() / Integer.BYTES) {
            throw new Damaged("parameter %d x %d with %d bytes from byte %d on is not possible".formatted(parameter.rows(), parameter.columns(), size, offset));
        }
        int[] checksums = new int[Place.pieces(size)];
        for (int i = 0; i < checksums.length; i++) {
            checksums[i] = in.getInt();
        }
        return new Place(parameter, offset, size, checksums);
    }

    private static String text(ByteBuffer in) {
        byte[] bytes = new byte[Math.min(Short.toUnsignedInt(in.getShort()), in.remaining())];
        in.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static TensorType type(String name) throws Damaged {
        for (TensorType type : TensorType.values()) {
            if (type.name().equals(name)) {
                return type;
            }
        }
        throw new Damaged("it has a type that is not known");
    }
}
