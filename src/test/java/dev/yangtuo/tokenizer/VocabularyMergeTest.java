package dev.yangtuo.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.tokenizer.TestModels.Message;
import dev.yangtuo.tokenizer.TestModels.PieceList;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One vocabulary out of two: which pieces are added, and which bytes. */
class VocabularyMergeTest {
    private static final Path BASE = Path.of("base.model");
    private static final Path ADD = Path.of("add.model");
    private static final Message RULES = Message.rules(true, false, true);

    private static VocabularyMerge merge(byte[] base, byte[] add, boolean pad) {
        return VocabularyMerge.merge(BASE, base, ADD, add, pad);
    }

    private static byte[] file(PieceList pieces) {
        return pieces.modelFile(Message.bpe(), RULES);
    }

    /** A piece as the merge writes it: its text and a score of 0, no type. */
    private static Message added(String text) {
        return new Message().string(1, text).fixed32(2, 0);
    }

    private static List<String> pieces(byte[] model) {
        Vocabulary vocabulary = SentencePieceModel.parse(BASE, model).vocabulary();
        return IntStream.range(0, vocabulary.size()).mapToObj(vocabulary::piece).toList();
    }

    private static String escaped(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    @Test
    void llamaWithTheChinesePiecesIsThePublishedFile() throws Exception {
        Optional<Path> llama = TestModels.data("tokenizers/llama.model");
        Optional<Path> chinese = TestModels.data("tokenizers/chinese-sp-20k.model");
        assumeTrue(llama.isPresent() && chinese.isPresent(), "YANGTUO_TEST_DATA names no folder with both models");
        VocabularyMerge merge = VocabularyMerge.merge(llama.orElseThrow(), chinese.orElseThrow(), false);
        assertThat(merge.model()).hasSize(757_958);
        assertThat(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(merge.model())))
                .isEqualTo("e2676d4ca29ca1750f6ff203328d73b189321dc5776ceede037cbd36541d70c0");
        assertThat(merge.report()).isEqualTo(new VocabularyMerge.Report(32_000, 20_000, 17_953, 2_047, List.of(), -1, false));
        assertThat(merge.report().describe()).isEqualTo("added 17,953 of 20,000 pieces (ids 32,000 to 49,952); 2,047 were already there;"
                + " vocabulary 32,000 -> 49,953");
        VocabularyMerge.Report padded = VocabularyMerge.merge(llama.orElseThrow(), chinese.orElseThrow(), true).report();
        assertThat(padded.padId()).isEqualTo(49_953);
        assertThat(padded.size()).isEqualTo(49_954);
    }

    /** Files that another program made. */
    @Test
    void theDemonstrationModelsAreRebuiltByteForByte() throws IOException {
        VocabularyMerge chinese = VocabularyMerge.merge(TestModels.DEMO_BASE, TestModels.DEMO_CHINESE, false);
        assertThat(chinese.model()).isEqualTo(Files.readAllBytes(TestModels.DEMO_CHINESE));
        assertThat(chinese.report()).isEqualTo(new VocabularyMerge.Report(3000, 12_183, 9183, 3000, List.of(), -1, false));
        VocabularyMerge alpaca = VocabularyMerge.merge(TestModels.DEMO_BASE, TestModels.DEMO_CHINESE, true);
        assertThat(alpaca.model()).isEqualTo(Files.readAllBytes(TestModels.DEMO_ALPACA));
        assertThat(alpaca.report()).isEqualTo(new VocabularyMerge.Report(3000, 12_183, 9183, 3000, List.of(), 12_183, true));
    }

    @Test
    void smallPiecesAddedToTheDemonstrationModelAreUsedAndItsIdsStay() throws IOException {
        byte[] base = Files.readAllBytes(TestModels.DEMO_BASE);
        byte[] add = file(new PieceList().specials().add("羊驼", -1).add("羊", -2).add("驼", -3).add("▁the", -4));
        VocabularyMerge merge = VocabularyMerge.merge(TestModels.DEMO_BASE, base, ADD, add, false);
        Tokenizer before = Tokenizer.load(TestModels.DEMO_BASE);
        Tokenizer after = Tokenizer.of(SentencePieceModel.parse(BASE, merge.model()));
        for (int id = 0; id < before.vocabSize(); id++) {
            assertThat(after.piece(id)).isEqualTo(before.piece(id));
            assertThat(after.score(id)).isEqualTo(before.score(id));
            assertThat(after.type(id)).isEqualTo(before.type(id));
        }
        assertThat(after.encodeAsPieces("the 羊驼")).containsExactly("▁the", "▁", "羊驼");
        assertThat(after.encode("羊")).endsWith(3001);
        assertThat(after.score(3001)).isZero();
        assertThat(after.encode("In the beginning")).isEqualTo(before.encode("In the beginning"));
        assertThat(((SentencePieceModel) after.model()).byteFallback()).isTrue();
        assertThat(after.bosId()).isEqualTo(1);
    }

    @Test
    void newPiecesStandInTheirOrderAfterTheLastPieceOfTheBase() {
        PieceList base = new PieceList().specials().add("a", -1).add("b", -2);
        VocabularyMerge merge = merge(file(base), file(new PieceList().add("z", -1).specials().add("b", 3).add("中文", 0).add("y", 8)), false);
        Message expected = new Message();
        for (String text : List.of("<unk>", "<s>", "</s>")) {
            expected.message(1, new Message().string(1, text).fixed32(2, 0).varint(3, text.equals("<unk>") ? 2 : 3));
        }
        expected.message(1, new Message().string(1, "a").fixed32(2, -1).varint(3, 1));
        expected.message(1, new Message().string(1, "b").fixed32(2, -2).varint(3, 1));
        expected.message(1, added("z")).message(1, added("中文")).message(1, added("y"));
        expected.message(2, Message.bpe()).message(3, RULES);
        assertThat(escaped(merge.model())).isEqualTo(escaped(expected.bytes()));
        assertThat(merge.report()).isEqualTo(new VocabularyMerge.Report(5, 7, 3, 4, List.of(), -1, false));
        assertThat(merge.report().firstNewId()).isEqualTo(5);
        assertThat(merge.report().lastNewId()).isEqualTo(7);
        assertThat(merge.report().size()).isEqualTo(8);
        assertThat(merge.report().describe())
                .isEqualTo("added 3 of 7 pieces (ids 5 to 7); 4 were already there; vocabulary 5 -> 8");
    }

    /** Protobuf leaves the order of the fields free, and lets anyone add fields. */
    @Test
    void fieldsOfTheBaseInAnyOrderAndUnknownOnesAreKept() {
        Message strange = new Message().varint(200, 1).number(201 << 3 | 1).raw(1, 2, 3, 4, 5, 6, 7, 8).string(202, "x").fixed32(203, 1)
                .raw(0xE3, 0x0C).varint(1, 7).raw(0xE4, 0x0C);
        Message trainer = Message.bpe().varint(4, 99).raw(strange.bytes());
        byte[] upToTheLastPiece = new Message().message(2, trainer)
                .message(1, new Message().string(1, "<unk>").varint(3, 2).raw(strange.bytes()))
                .raw(strange.bytes()).message(3, RULES)
                // A length in more bytes than it needs, and a piece's fields in the other order.
                .raw(0x0A, 0x88, 0x00).fixed32(2, -1).string(1, "a").bytes();
        byte[] rest = new Message().message(2, new Message().string(44, "later")).raw(strange.bytes())
                .message(4, new Message().string(1, "self test")).bytes();
        byte[] base = new Message().raw(upToTheLastPiece).raw(rest).bytes();
        VocabularyMerge merge = merge(base, file(new PieceList().specials().add("b", 0)), false);
        byte[] expected = new Message().raw(upToTheLastPiece).message(1, added("b")).raw(rest).bytes();
        assertThat(escaped(merge.model())).isEqualTo(escaped(expected));
        assertThat(pieces(merge.model())).containsExactly("<unk>", "a", "b");
        assertThat(SentencePieceModel.parse(BASE, merge.model()).unkSurface()).isEqualTo("later");
    }

    @Test
    void aPieceOfAnyTypeCountsAsAlreadyThere() {
        PieceList base = new PieceList().specials().add("user", 0, PieceType.USER_DEFINED).add("unused", 0, PieceType.UNUSED)
                .add("<sep>", 0, PieceType.CONTROL);
        PieceList add = new PieceList().add("<other>", 0, PieceType.UNKNOWN).add("user", 0).add("unused", 0).add("<sep>", 0).add("<s>", 0)
                .add("<unk>", 0).add("new", 0);
        VocabularyMerge merge = merge(file(base), file(add), false);
        assertThat(pieces(merge.model())).endsWith("<sep>", "new").hasSize(7);
        assertThat(merge.report()).isEqualTo(new VocabularyMerge.Report(6, 7, 1, 5, List.of("<other>"), -1, false));
        assertThat(merge.report().describe()).isEqualTo("added 1 of 7 pieces (id 6); 5 were already there;"
                + " 1 reserved or unused passed over ('<other>'); vocabulary 6 -> 7");
    }

    @Test
    void reservedAndUnusedPiecesThatTheBaseLacksArePassedOverAndListed() {
        PieceList add = new PieceList().specials().bytes().add("<sep>\n", 0, PieceType.CONTROL).add("odd", 0, PieceType.UNUSED)
                .add("<mark>", 0, PieceType.USER_DEFINED).add("x", -1);
        VocabularyMerge merge = merge(file(new PieceList().specials()), add.modelFile(Message.bpe().varint(35, 1), RULES), false);
        assertThat(pieces(merge.model())).containsExactly("<unk>", "<s>", "</s>", "<mark>", "x");
        assertThat(SentencePieceModel.parse(BASE, merge.model()).vocabulary().type(3)).isEqualTo(PieceType.NORMAL);
        assertThat(merge.report().passedOver()).hasSize(258).startsWith("<0x00>", "<0x01>").endsWith("<0xFF>", "<sep>\n", "odd");
        assertThat(merge.report().alreadyThere()).isEqualTo(3);
        assertThat(merge.report().describe()).isEqualTo("added 2 of 263 pieces (ids 3 to 4); 3 were already there; 258 reserved or unused"
                + " passed over ('<0x00>', '<0x01>', '<0x02>', '<0x03>', '<0x04>', '<0x05>', '<0x06>', '<0x07>', ...); vocabulary 3 -> 5");
        VocabularyMerge few = merge(file(new PieceList().specials()), file(new PieceList().specials().add("a\nb", 0, PieceType.CONTROL)), false);
        assertThat(few.report().describe()).contains("passed over ('a\\u000Ab')").doesNotContain("\n");
    }

    /** Two maps, so a reserved piece and an ordinary one may be written alike in one model. */
    @Test
    void ofTwoPiecesWrittenAlikeTheOrdinaryOneIsAdded() {
        PieceList add = new PieceList().specials().add("<sep>", 0, PieceType.CONTROL).add("<sep>", 0);
        VocabularyMerge merge = merge(file(new PieceList().specials()), file(add), false);
        assertThat(merge.report()).isEqualTo(new VocabularyMerge.Report(3, 5, 1, 3, List.of("<sep>"), -1, false));
        assertThat(SentencePieceModel.parse(BASE, merge.model()).vocabulary().type(3)).isEqualTo(PieceType.NORMAL);
    }

    @Test
    void nothingToAddGivesTheBaseByteForByte() {
        byte[] base = file(new PieceList().specials().add("a", -1));
        VocabularyMerge merge = merge(base, base, false);
        assertThat(merge.model()).isEqualTo(base).isNotSameAs(base);
        assertThat(merge.report()).isEqualTo(new VocabularyMerge.Report(4, 4, 0, 4, List.of(), -1, false));
        assertThat(merge.report().firstNewId()).isEqualTo(-1);
        assertThat(merge.report().lastNewId()).isEqualTo(-1);
        assertThat(merge.report().describe()).isEqualTo("added 0 of 4 pieces; 4 were already there; vocabulary 4");
    }

    @Test
    void mergingAgainAddsNothing() {
        byte[] base = file(new PieceList().specials().add("a", -1));
        byte[] add = file(new PieceList().specials().add("a", 0).add("b", 0));
        byte[] once = merge(base, add, true).model();
        VocabularyMerge twice = merge(once, add, true);
        assertThat(twice.model()).isEqualTo(once);
        assertThat(twice.report()).isEqualTo(new VocabularyMerge.Report(6, 5, 0, 5, List.of(), 5, false));
        assertThat(twice.report().describe())
                .isEqualTo("added 0 of 5 pieces; 5 were already there; so was [PAD] (id 5); vocabulary 6");
    }

    @Test
    void padIsTheLastPiece() {
        VocabularyMerge merge = merge(file(new PieceList().specials()), file(new PieceList().specials().add("b", 0)), true);
        assertThat(pieces(merge.model())).containsExactly("<unk>", "<s>", "</s>", "b", "[PAD]");
        assertThat(merge.report()).isEqualTo(new VocabularyMerge.Report(3, 4, 1, 3, List.of(), 4, true));
        assertThat(merge.report().lastNewId()).isEqualTo(3);
        assertThat(merge.report().describe())
                .isEqualTo("added 1 of 4 pieces (id 3) and [PAD] (id 4); 3 were already there; vocabulary 3 -> 5");
        byte[] base = file(new PieceList().specials());
        assertThat(merge(base, base, true).report().describe())
                .isEqualTo("added 0 of 3 pieces and [PAD] (id 3); 3 were already there; vocabulary 3 -> 4");
    }

    @Test
    void padThatTheOtherModelBringsIsNotAddedTwice() {
        byte[] add = file(new PieceList().specials().add("[PAD]", 0).add("b", 0));
        VocabularyMerge merge = merge(file(new PieceList().specials()), add, true);
        assertThat(pieces(merge.model())).containsExactly("<unk>", "<s>", "</s>", "[PAD]", "b");
        assertThat(merge.report()).isEqualTo(new VocabularyMerge.Report(3, 5, 2, 3, List.of(), 3, false));
        assertThat(merge.report().describe())
                .isEqualTo("added 2 of 5 pieces (ids 3 to 4), [PAD] (id 3) among them; 3 were already there; vocabulary 3 -> 5");
        byte[] control = file(new PieceList().specials().add("[PAD]", 0, PieceType.CONTROL));
        assertThat(merge(control, add, true).report()).isEqualTo(new VocabularyMerge.Report(4, 5, 1, 4, List.of(), 3, false));
        assertThat(merge(file(new PieceList().specials()), control, true).report())
                .isEqualTo(new VocabularyMerge.Report(3, 4, 0, 3, List.of("[PAD]"), 3, true));
    }

    @Test
    void longPiecesHaveLongLengths() {
        for (int length : new int[] {1, 118, 119, 120, 127, 128, 16_370, 16_383, 16_384, Vocabulary.MAX_PIECE_CHARS}) {
            String text = "x".repeat(length);
            byte[] model = merge(file(new PieceList().specials()), file(new PieceList().specials().add(text, -1)), false).model();
            assertThat(pieces(model)).as("%d characters", length).endsWith(text);
            byte[] piece = new Message().message(1, added(text)).bytes();
            byte[] before = new PieceList().specials().modelFile(new Message(), new Message());
            int start = before.length - 4; // without the two empty messages
            assertThat(Arrays.copyOfRange(model, start, start + piece.length)).as("%d characters", length).isEqualTo(piece);
        }
    }

    @Test
    void randomModelsKeepEveryByteOfTheBaseAndGainWhatTheyLack() {
        for (long seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            byte[] base = random(random);
            byte[] add = random(random);
            VocabularyMerge merge = merge(base, add, random.nextBoolean());
            VocabularyMerge.Report report = merge.report();
            List<String> before = pieces(base);
            List<String> after = pieces(merge.model());
            assertThat(after.subList(0, before.size())).as("seed %d", seed).isEqualTo(before);
            assertThat(after).as("seed %d", seed).containsAll(pieces(add)).doesNotHaveDuplicates().hasSize(report.size());
            assertThat(report.added() + report.alreadyThere() + report.passedOver().size()).as("seed %d", seed)
                    .isEqualTo(report.addModelSize());
            int inserted = merge.model().length - base.length;
            int same = Arrays.mismatch(base, merge.model());
            int from = same < 0 ? base.length : same;
            int tail = 0;
            while (tail < base.length && base[base.length - 1 - tail] == merge.model()[merge.model().length - 1 - tail]) {
                tail++;
            }
            assertThat(from + tail).as("seed %d: the base is a beginning and an end of the result", seed).isGreaterThanOrEqualTo(base.length);
            assertThat(inserted).as("seed %d", seed).isNotNegative();
        }
    }

    /** Its pieces stand between its other fields. */
    private static byte[] random(Random random) {
        Message[] fields = new Message[20];
        for (int i = 0; i < fields.length - 2; i++) {
            fields[i] = new Message().message(1, new Message().string(1, Character.toString(0x4E00 + 40 * i + random.nextInt(20)))
                    .fixed32(2, -random.nextFloat()));
        }
        fields[0] = new Message().message(1, new Message().string(1, "<unk>").varint(3, 2));
        fields[1] = new Message().string(random.nextInt(100, 1000), "unknown");
        fields[fields.length - 2] = new Message().message(2, Message.bpe());
        fields[fields.length - 1] = new Message().message(3, RULES);
        Collections.shuffle(Arrays.asList(fields), random);
        Message model = new Message();
        for (Message field : fields) {
            model.raw(field.bytes());
        }
        return model.bytes();
    }

    @Test
    void aDamagedModelIsNamedWithTheByte() {
        byte[] whole = file(new PieceList().specials().add("a", -1));
        for (int length = 1; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> merge(cut, whole, true)).as("base cut at byte %d", length)
                    .isInstanceOf(TokenizerFormatException.class).hasMessageStartingWith("base.model: at byte ");
            assertThatThrownBy(() -> merge(whole, cut, true)).as("added model cut at byte %d", length)
                    .isInstanceOf(TokenizerFormatException.class).hasMessageStartingWith("add.model: at byte ");
        }
    }

    @Test
    void anyByteChangedGivesAModelOrAClearException() {
        byte[] whole = file(new PieceList().specials().add("▁a", -1).add("中", 0).add("ab", 1, PieceType.USER_DEFINED));
        for (long seed = 0; seed < 5000; seed++) {
            Random random = new Random(seed);
            byte[] base = whole.clone();
            byte[] add = whole.clone();
            base[random.nextInt(base.length)] = (byte) random.nextInt(256);
            add[random.nextInt(add.length)] = (byte) random.nextInt(256);
            try {
                VocabularyMerge merge = merge(base, add, true);
                assertThat(pieces(merge.model())).as("seed %d", seed).hasSize(merge.report().size());
            } catch (TokenizerFormatException expected) {
                assertThat(expected.getMessage()).as("seed %d", seed).containsAnyOf("base.model: ", "add.model: ");
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    @Test
    void modelsThatTogetherExceedTheLimitsAreRefused() {
        PieceList base = new PieceList().specials();
        PieceList add = new PieceList().specials();
        String half = "x".repeat(Vocabulary.MAX_PIECE_CHARS - 4);
        for (int i = 0; i < 150; i++) {
            base.add(half + "a" + i, 0);
            add.add(half + "b" + i, 0);
        }
        assertThatThrownBy(() -> merge(file(base), file(add), false)).isInstanceOf(TokenizerFormatException.class)
                .hasMessageStartingWith("base.model: does not take the pieces of add.model: result: ")
                .hasMessageContaining("more than 16777216 characters together");
        byte[] large = new Message().raw(file(new PieceList().specials())).string(999, "x".repeat((64 << 20) - 200)).bytes();
        assertThatThrownBy(() -> merge(large, file(new PieceList().specials().add("y".repeat(200), 0)), false))
                .isInstanceOf(TokenizerFormatException.class).hasMessageStartingWith("base.model: would have ")
                .hasMessageContaining("add.model, more than the 67108864 of any");
    }

    @Test
    void filesThatAreNoModelAreRefused(@TempDir Path folder) throws IOException {
        Path text = Files.writeString(folder.resolve("text.model"), "hello world, this is no model", StandardCharsets.US_ASCII);
        assertThatThrownBy(() -> VocabularyMerge.merge(text, TestModels.DEMO_BASE, false)).isInstanceOf(TokenizerFormatException.class)
                .hasMessageStartingWith(text + ": is no SentencePiece model");
        Path empty = Files.createFile(folder.resolve("empty.model"));
        assertThatThrownBy(() -> VocabularyMerge.merge(TestModels.DEMO_BASE, empty, false)).isInstanceOf(TokenizerFormatException.class)
                .hasMessageStartingWith(empty + ": is no SentencePiece model");
        assertThatThrownBy(() -> VocabularyMerge.merge(TestModels.DEMO_BASE, folder, false)).isInstanceOf(TokenizerFormatException.class)
                .hasMessageContaining("is a directory");
        assertThatThrownBy(() -> VocabularyMerge.merge(folder.resolve("none"), text, false)).isInstanceOf(TokenizerFormatException.class)
                .hasMessageContaining("none: there is no such file");
    }
}
