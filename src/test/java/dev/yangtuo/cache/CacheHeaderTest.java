package dev.yangtuo.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.tensor.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a cache file begins with: read as it was written, and refused in an orderly way whatever stands there. */
@Timeout(60)
class CacheHeaderTest {
    private static final int LAYOUT = 3;
    private static final String KEY = "0123456789abcdef".repeat(4);
    private static final long FILE_BYTES = 20L << 20;

    private static CacheHeader header() {
        return new CacheHeader(LAYOUT, KEY, FILE_BYTES, List.of(
                new CacheHeader.Place(CachedParameter.vector("norm 规范", 64), 4096, 256, new int[] {7}),
                new CacheHeader.Place(new CachedParameter("q", TensorType.Q4_0, 48, 64), 65536, 9 << 20, new int[] {1, -2, 3})), new byte[] {1, 2, 3});
    }

    private static CacheHeader read(byte[] file, long size) throws CacheHeader.Damaged {
        byte[] prefix = Arrays.copyOf(file, CacheHeader.PREFIX_BYTES);
        int table = CacheHeader.tableBytes(prefix, size, LAYOUT);
        if (table > file.length - prefix.length) {
            throw new CacheHeader.Damaged("the test has no more bytes");
        }
        return CacheHeader.decode(prefix, Arrays.copyOfRange(file, prefix.length, prefix.length + table));
    }

    @Test
    void isReadAsItWasWritten() throws CacheHeader.Damaged {
        CacheHeader header = header();
        CacheHeader read = read(header.encode(), FILE_BYTES);
        assertThat(read).usingRecursiveComparison().isEqualTo(header);
        assertThat(header.encode()).hasSize((int) CacheHeader.bytes(header.places().stream().map(CacheHeader.Place::parameter).toList(), 4, 3));
    }

    @Test
    void isRefusedForAnotherLayoutFormatSizeOrMagic() {
        byte[] file = header().encode();
        assertThatThrownBy(() -> CacheHeader.tableBytes(file, FILE_BYTES, LAYOUT + 1)).hasMessageContaining("layout version 3, this library 4");
        assertThatThrownBy(() -> read(file, FILE_BYTES - 1)).hasMessageContaining("says " + FILE_BYTES);
        byte[] magic = file.clone();
        magic[0] ^= 1;
        assertThatThrownBy(() -> read(magic, FILE_BYTES)).hasMessageContaining("no file of packed weights");
        byte[] format = file.clone();
        format[8]++;
        assertThatThrownBy(() -> read(format, FILE_BYTES)).hasMessageContaining("format has version 2");
    }

    @Test
    void everyDamagedByteIsFound() {
        byte[] file = header().encode();
        for (int i = 0; i < file.length; i++) {
            byte[] damaged = file.clone();
            damaged[i] ^= 0x10;
            assertThatThrownBy(() -> read(damaged, FILE_BYTES)).as("byte " + i).isInstanceOf(CacheHeader.Damaged.class);
        }
    }

    /** Somebody may make a header whose checksum is right: then every number in it is held against the file. */
    @Test
    void hostileTablesAreRefusedOrHarmless() {
        long seed = 20261124;
        System.out.println("CacheHeaderTest: seed " + seed);
        SplittableRandom random = new SplittableRandom(seed);
        byte[] good = header().encode();
        int refused = 0;
        for (int round = 0; round < 20_000; round++) {
            byte[] file = round % 5 == 0 ? Arrays.copyOf(good, random.nextInt(CacheHeader.PREFIX_BYTES, good.length + 8)) : good.clone();
            for (int change = random.nextInt(4); change >= 0; change--) {
                int at = random.nextInt(file.length - CacheHeader.PREFIX_BYTES + 1) + CacheHeader.PREFIX_BYTES - 1;
                file[at] = random.nextBoolean() ? (byte) random.nextInt() : (byte) (random.nextBoolean() ? 0xFF : 0x7F);
            }
            sign(file);
            try {
                CacheHeader read = read(file, FILE_BYTES);
                long end = CacheHeader.PREFIX_BYTES;
                for (CacheHeader.Place place : read.places()) {
                    assertThat(place.byteOffset()).isGreaterThanOrEqualTo(end);
                    end = Math.addExact(place.byteOffset(), place.byteSize());
                    assertThat(place.byteSize()).isPositive();
                    assertThat(place.checksums()).hasSize(place.pieces());
                    assertThat(place.parameter().columns()).isPositive();
                }
                assertThat(end).isLessThanOrEqualTo(FILE_BYTES);
            } catch (CacheHeader.Damaged e) {
                refused++;
            }
        }
        assertThat(refused).isBetween(5_000, 19_999);
    }

    /** Gives a header the table's size and the checksum that it should have. */
    private static void sign(byte[] file) {
        ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putLong(24, file.length - CacheHeader.PREFIX_BYTES);
        var digest = ContentHash.sha256();
        digest.update(file, 0, 32);
        digest.update(file, CacheHeader.PREFIX_BYTES, file.length - CacheHeader.PREFIX_BYTES);
        System.arraycopy(digest.digest(), 0, file, 32, 32);
    }
}
