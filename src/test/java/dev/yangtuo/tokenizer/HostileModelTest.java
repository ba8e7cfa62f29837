package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.tokenizer.TestModels.Message;
import dev.yangtuo.tokenizer.TestModels.PieceList;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Damaged and malicious model files give a clear exception. */
class HostileModelTest {
    private static final Message RULES = Message.rules(true, false, true);

    private static SentencePieceModel parse(byte[] bytes) {
        return SentencePieceModel.parse(TestModels.MADE, bytes);
    }

    private static Message piece(String text) {
        return new Message().string(1, text);
    }

    private static Message unk() {
        return new Message().message(1, piece("<unk>").varint(3, 2));
    }

    private static Message specs() {
        return new Message().message(2, Message.bpe()).message(3, RULES);
    }

    @Test
    void truncatedAtEveryByte() {
        byte[] whole = new PieceList().specials().bytes().add("▁a", -1).add("中", 0)
                .modelFile(Message.bpe().varint(35, 1), RULES);
        assertThat(parse(whole).vocabulary().size()).isEqualTo(261);
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> parse(cut)).as("cut at byte %d", length).isInstanceOf(TokenizerFormatException.class)
                    .hasMessageStartingWith("made.model: at byte ");
        }
    }

    @Test
    void anyByteChangedGivesAModelOrAClearException() {
        byte[] whole = new PieceList().specials().add("▁a", -1).add("中", 0).add("ab", 1, PieceType.USER_DEFINED)
                .add("aab", 1, PieceType.UNUSED).modelFile(Message.bpe(), RULES);
        for (long seed = 0; seed < 20_000; seed++) {
            Random random = new Random(seed);
            byte[] changed = whole.clone();
            for (int i = random.nextInt(3); i >= 0; i--) {
                changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
            }
            try {
                Tokenizer tokenizer = Tokenizer.of(parse(changed));
                tokenizer.decode(tokenizer.encode("a ab 中 aab"));
            } catch (TokenizerFormatException expected) {
                assertThat(expected.getMessage()).as("seed %d", seed).startsWith("made.model: ");
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    static Stream<Arguments> hostileFiles() {
        String tooLarge = "claims 2147483647 bytes, but only";
        return Stream.of(
                Arguments.of("empty file", new Message(), "at byte 0: the model has no trainer_spec"),
                Arguments.of("text file", new Message().raw("hello world, this is no model".getBytes(StandardCharsets.US_ASCII)),
                        "at byte 2: a group ends that did not begin"),
                Arguments.of("piece of 2 GB", new Message().raw(0x0A).number(Integer.MAX_VALUE), "at byte 1: a piece " + tooLarge),
                Arguments.of("text of 2 GB", new Message().message(1, new Message().raw(0x0A).number(Integer.MAX_VALUE)),
                        "at byte 3: the text of piece 0 " + tooLarge),
                Arguments.of("length of 2^64 - 1", new Message().raw(0x0A).number(-1), "claims 18446744073709551615 bytes"),
                Arguments.of("character map of 2 GB", new Message().message(3, new Message().raw(0x12).number(Integer.MAX_VALUE)),
                        tooLarge),
                Arguments.of("unknown field of 2 GB", new Message().raw(0x7A).number(Integer.MAX_VALUE), "field 15 " + tooLarge),
                Arguments.of("number without end", new Message().raw(0x20).raw(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0),
                        "at byte 1: a number is longer than 10 bytes"),
                Arguments.of("field number 0", new Message().raw(0x02), "at byte 0: the tag 2 has no valid field number"),
                Arguments.of("tag above 32 bits", new Message().number(1L << 32 | 8), "no valid field number"),
                Arguments.of("wire type 7", new Message().raw(0x7F), "at byte 0: field 15 has the unknown wire type 7"),
                Arguments.of("piece as a number", new Message().varint(1, 5), "at byte 0: a piece has wire type 0, expected 2"),
                Arguments.of("score as a number", new Message().message(1, piece("a").varint(2, 1)),
                        "at byte 5: the score of a piece has wire type 0, expected 5"),
                Arguments.of("type as a string", new Message().message(1, piece("a").string(3, "x")), "at byte 5: the type of a piece"),
                Arguments.of("group without end", new Message().raw(0x7B), "at byte 1: the model ends inside a group"),
                Arguments.of("end of no group", new Message().raw(0x7C), "at byte 0: a group ends that did not begin"),
                Arguments.of("groups nested deep", new Message().raw(bytes(100_000, 0x7B)), "groups are nested deeper than 100"),
                Arguments.of("unknown piece type", unk().message(1, piece("a").varint(3, 7)), "piece 1 has the unknown type 7"),
                Arguments.of("negative piece type", unk().message(1, piece("a").varint(3, -1)), "unknown type -1"),
                Arguments.of("unknown model type", unk().message(2, new Message().varint(3, 9)), "the model type 9 is unknown"),
                Arguments.of("invalid UTF-8", unk().message(1, new Message().bytes(1, new byte[] {'a', (byte) 0xFF})),
                        "the text of piece 1 is not valid UTF-8"),
                Arguments.of("surrogate in UTF-8", unk().message(1, new Message().raw(0x0A, 3, 0xED, 0xA0, 0x80)), "not valid UTF-8"),
                Arguments.of("no pieces", specs(), "none of the 0 pieces is of type UNKNOWN"),
                Arguments.of("no normalizer_spec", unk().message(2, Message.bpe()), "the model has no normalizer_spec"),
                Arguments.of("no unknown", new Message().message(1, piece("a")).raw(specs().bytes()),
                        "none of the 1 pieces is of type UNKNOWN"),
                Arguments.of("two unknowns", unk().message(1, piece("<u>").varint(3, 2)).raw(specs().bytes()),
                        "piece 1 (byte 11) '<u>' is of type UNKNOWN, but so is piece 0 (byte 0)"),
                Arguments.of("empty piece", unk().message(1, piece("")).raw(specs().bytes()), "piece 1 (byte 11) is empty"),
                Arguments.of("piece without text", unk().message(1, new Message().fixed32(2, 1)).raw(specs().bytes()),
                        "piece 1 (byte 11) is empty"),
                Arguments.of("duplicate piece", unk().message(1, piece("ab")).message(1, piece("ab").varint(3, 5)).raw(specs().bytes()),
                        "piece 2 (byte 17) 'ab' occurs before as piece 1 (byte 11)"),
                Arguments.of("duplicate control piece", unk().message(1, piece("<unk>").varint(3, 3)).raw(specs().bytes()),
                        "'<unk>' occurs before as piece 0"),
                Arguments.of("score NaN", unk().message(1, piece("a").fixed32(2, Float.NaN)).raw(specs().bytes()),
                        "piece 1 (byte 11) 'a' has the score NaN"),
                Arguments.of("NUL in a user-defined piece", unk().message(1, piece("a\0b").varint(3, 4)).raw(specs().bytes()),
                        "is user-defined and holds a NUL"),
                Arguments.of("byte piece with a wrong name", unk().message(1, piece("<0x0a>").varint(3, 6)).raw(specs().bytes()),
                        "'<0x0a>' is of type BYTE, expected a name from <0x00> to <0xFF>"),
                Arguments.of("one byte piece", unk().message(1, piece("<0x0A>").varint(3, 6)).raw(specs().bytes()),
                        "there are 1 byte pieces, expected 256: <0x00> is missing"),
                Arguments.of("byte fallback without byte pieces", unk().message(2, Message.bpe().varint(35, 1)).message(3, RULES),
                        "byte_fallback is set, but there are no byte pieces"),
                Arguments.of("piece of 100,000 characters", unk().message(1, piece("a".repeat(100_000))).raw(specs().bytes()),
                        "has 100000 characters, more than the 65536"),
                Arguments.of("denormalizer", unk().raw(specs().bytes()).message(5, new Message().string(2, "x")), "denormalizer"));
    }

    private static byte[] bytes(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("hostileFiles")
    void hostileFileIsRefused(String name, Message file, String message) {
        assertThatThrownBy(() -> parse(file.bytes())).isInstanceOf(TokenizerFormatException.class)
                .hasMessageStartingWith("made.model: ").hasMessageContaining(message);
    }

    @Test
    void bytePiecesWithoutByteFallbackAreRefused() {
        byte[] file = new PieceList().specials().bytes().modelFile(Message.bpe(), RULES);
        assertThatThrownBy(() -> parse(file)).isInstanceOf(TokenizerFormatException.class)
                .hasMessageContaining("byte_fallback is not set");
    }

    @Test
    void piecesWithTooManyWaysToMergeAreRefused() {
        PieceList pieces = new PieceList().specials();
        for (int length = 1; length <= 3000; length++) {
            pieces.add("a".repeat(length), 0);
        }
        SentencePieceModel model = SentencePieceModel.bpe(TestModels.MADE, pieces.vocabulary(), NormalizerSpec.identity(true),
                new SpecialTokens(1, 2, -1, true, false));
        assertThatThrownBy(() -> Tokenizer.of(model)).isInstanceOf(TokenizerFormatException.class)
                .hasMessageContaining("ways to merge");
    }

    @Test
    void missingFileDirectoryAndHugeFileAreRefused(@TempDir Path folder) throws IOException {
        assertThatThrownBy(() -> Tokenizer.load(folder.resolve("none.model"))).isInstanceOf(TokenizerFormatException.class)
                .hasMessageContaining("none.model: there is no such file");
        assertThatThrownBy(() -> Tokenizer.load(folder)).isInstanceOf(TokenizerFormatException.class)
                .hasMessageContaining("is a directory");
        Path huge = folder.resolve("huge.model");
        try (var file = Files.newByteChannel(huge, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE,
                StandardOpenOption.SPARSE)) {
            file.position(3L << 30).write(ByteBuffer.wrap(new byte[1]));
        }
        assertThatThrownBy(() -> Tokenizer.load(huge)).isInstanceOf(TokenizerFormatException.class)
                .hasMessageContaining("has 3221225473 bytes");
    }
}
