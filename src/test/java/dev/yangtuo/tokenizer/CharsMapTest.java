package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.yangtuo.exception.TokenizerFormatException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Precompiled character maps, whole and damaged. */
class CharsMapTest {
    private static final byte[] NFKC = SentencePieceModel.read(TestModels.made("bpe-nfkc")).normalizer().precompiledCharsmap();

    /** Where the units of a made map begin. */
    private static final int HEADER = 4;

    private static byte[] map(int[] units, String replacements) {
        byte[] strings = replacements.getBytes(StandardCharsets.UTF_8);
        ByteBuffer buffer = ByteBuffer.allocate(HEADER + 4 * units.length + strings.length).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putInt(4 * units.length);
        for (int unit : units) {
            buffer.putInt(unit);
        }
        return buffer.put(strings).array();
    }

    /** A unit with its byte, the offset to its children (below 2^21), and whether a key ends there. */
    private static int unit(int label, int offset, boolean endsKey) {
        return offset << 10 | (endsKey ? 1 << 8 : 0) | label;
    }

    /** A map of "a" to something: the root's children from unit 256 on, those of "a" from 512 on. */
    private static int[] oneKey(int value) {
        int[] units = new int[1024];
        units[0] = unit(0, 256, false);
        units[256 ^ 'a'] = unit('a', 256 ^ 'a' ^ 512, true);
        units[512] = 1 << 31 | value;
        return units;
    }

    private static CharsMap read(byte[] blob) {
        return CharsMap.of(TestModels.MADE, blob);
    }

    private static String replaced(CharsMap map, String text) {
        char[] chars = text.toCharArray();
        long match = map.match(chars, 0, chars.length);
        if (match < 0) {
            return null;
        }
        char[] target = new char[map.replacementBytes((int) (match >> 32))];
        return (int) match + ":" + new String(target, 0, map.copy((int) (match >> 32), target, 0));
    }

    @Test
    void replacesTheLongestKey() {
        CharsMap map = read(NFKC);
        assertThat(replaced(map, "ﬃx")).isEqualTo("1:ffi");
        assertThat(replaced(map, "e\u0301")).isEqualTo("2:é");
        assertThat(replaced(map, "㍿")).isEqualTo("1:株式会社");
        assertThat(replaced(map, "\uD835\uDD18")).as("U+1D518").isEqualTo("2:U");
        assertThat(replaced(map, "e")).isNull();
        assertThat(replaced(map, "中")).isNull();
        assertThat(replaced(map, "\uD835")).isNull();
        assertThat(map.mayBegin('ﬃ')).isTrue();
        assertThat(map.mayBegin('中')).isFalse();
        assertThat(map.longestKey()).isBetween(3, 20);
    }

    @Test
    void whatMayBeginAKeyIsExactBelowU10000() {
        CharsMap map = read(NFKC);
        for (int c = 1; c < 0x10000; c++) {
            if (!Character.isSurrogate((char) c) && replaced(map, String.valueOf((char) c)) != null) {
                assertThat(map.mayBegin((char) c)).as("U+%04X", c).isTrue();
            }
        }
    }

    @Test
    void aHandMadeMap() {
        CharsMap map = read(map(oneKey(2), "x\0yz\0"));
        assertThat(replaced(map, "ab")).isEqualTo("1:yz");
        assertThat(replaced(map, "b")).isNull();
        assertThat(map.longestKey()).isEqualTo(1);
        assertThat(replaced(read(map(oneKey(0), "x")), "a")).as("the last replacement may lack its NUL").isEqualTo("1:x");
        assertThat(CharsMap.of(TestModels.MADE, new byte[0])).isNull();
    }

    static Stream<Arguments> damagedMaps() {
        int[] circle = oneKey(0);
        circle[512 ^ 'b'] = unit('b', 512 ^ 'b' ^ 256, false); // back to the root's children
        int[] outside = oneKey(0);
        outside[256 ^ 'a'] = unit('a', (1 << 21) - 1, false);
        int[] noValue = oneKey(0);
        noValue[512] = unit(7, 0, false);
        int[] deep = new int[1 << 19];
        for (int depth = 0; depth < 1500; depth++) {
            int self = depth == 0 ? 0 : 256 * depth ^ 'a';
            deep[self] = unit(depth == 0 ? 0 : 'a', self ^ 256 * (depth + 1), false);
        }
        byte[] hugeTrie = map(oneKey(0), "x");
        ByteBuffer.wrap(hugeTrie).order(ByteOrder.LITTLE_ENDIAN).putInt(0, Integer.MAX_VALUE);
        byte[] negativeTrie = map(oneKey(0), "x");
        ByteBuffer.wrap(negativeTrie).order(ByteOrder.LITTLE_ENDIAN).putInt(0, -4);
        byte[] oddTrie = map(oneKey(0), "x");
        ByteBuffer.wrap(oddTrie).order(ByteOrder.LITTLE_ENDIAN).putInt(0, 4093);
        byte[] badText = map(oneKey(0), "x");
        badText[badText.length - 1] = (byte) 0xE4;
        return Stream.of(
                Arguments.of("too short", new byte[3], "at byte 0 of the precompiled character map: it has 3 bytes"),
                Arguments.of("no trie", new byte[8], "its trie claims 0 bytes"),
                Arguments.of("trie of 2 GB", hugeTrie, "its trie claims 2147483647 bytes"),
                Arguments.of("trie of nearly 4 GB", negativeTrie, "its trie claims 4294967292 bytes"),
                Arguments.of("trie that ends within a unit", oddTrie, "its trie claims 4093 bytes"),
                Arguments.of("circle", map(circle, "x"), "the trie runs in a circle"),
                Arguments.of("children outside", map(outside, "x"), "at byte " + (HEADER + 4 * (256 ^ 'a'))),
                Arguments.of("key without a value", map(noValue, "x"), "unit 512 holds no value"),
                Arguments.of("value outside", map(oneKey(5), "x\0yz\0"), "its replacement begins at 5"),
                Arguments.of("value of 2 GB", map(oneKey(Integer.MAX_VALUE), "x"), "its replacement begins at 2147483647"),
                Arguments.of("value within a character", map(oneKey(1), "中\0"), "which is no beginning of a character"),
                Arguments.of("invalid UTF-8", badText, "the replacements are not valid UTF-8"),
                Arguments.of("endless replacement", map(oneKey(0), "x".repeat(5000)), "longer than the 4096 bytes"),
                Arguments.of("endless key", map(deep, "x"), "its key is longer than the 1024 bytes"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("damagedMaps")
    void damagedMapIsRefused(String name, byte[] blob, String message) {
        assertThatThrownBy(() -> assertTimeoutPreemptively(Duration.ofSeconds(20), () -> read(blob)))
                .isInstanceOf(TokenizerFormatException.class).hasMessageStartingWith("made.model: at byte ").hasMessageContaining(message);
    }

    @Test
    void aKeyOfTheGreatestLengthIsFound() {
        int[] units = new int[1 << 19];
        for (int depth = 0; depth <= 1024; depth++) {
            int self = depth == 0 ? 0 : 256 * depth ^ 'a';
            units[self] = unit(depth == 0 ? 0 : 'a', self ^ 256 * (depth + 1), depth == 1024);
        }
        units[256 * 1025] = 1 << 31;
        CharsMap map = read(map(units, "x\0"));
        assertThat(map.longestKey()).isEqualTo(1024);
        assertThat(replaced(map, "a".repeat(2000))).isEqualTo("1024:x");
        assertThat(replaced(map, "a".repeat(1023))).isNull();
    }

    @Test
    void anyByteChangedGivesAMapOrAClearException() {
        for (long seed = 0; seed < 400; seed++) {
            Random random = new Random(seed);
            byte[] changed = random.nextInt(4) == 0 ? Arrays.copyOf(NFKC, random.nextInt(NFKC.length)) : NFKC.clone();
            for (int i = random.nextInt(4); i >= 0 && changed.length > 0; i--) {
                // Half of the damage where the root's units are.
                int at = random.nextInt(random.nextBoolean() ? changed.length : Math.min(changed.length, 2048));
                changed[at] = (byte) random.nextInt(256);
            }
            try {
                CharsMap map = read(changed);
                for (int c = 0; map != null && c < 0x3000; c++) {
                    replaced(map, (char) c + "\u0301\u0327a");
                }
            } catch (TokenizerFormatException expected) {
                assertThat(expected.getMessage()).as("seed %d", seed).startsWith("made.model: at byte ");
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }
}
