package dev.yangtuo.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Models for tests: those of the repository, those of the data folder, and small ones made by hand. */
final class TestModels {
    static final Path DEMO_BASE = Path.of("examples/demo-model/base/tokenizer.model");
    static final Path DEMO_CHINESE = Path.of("examples/demo-model/chinese-lora/tokenizer.model");
    static final Path DEMO_ALPACA = Path.of("examples/demo-model/alpaca-lora/tokenizer.model");

    /** Stands for the file of a model that was made in memory. */
    static final Path MADE = Path.of("made.model");

    private static final String DATA_FOLDER = "YANGTUO_TEST_DATA";

    private TestModels() {}

    /** A model that was trained for tests, by src/test/resources/tokenizer/models/train.sh. */
    static Path made(String name) {
        return Path.of("src/test/resources/tokenizer/models", name + ".model");
    }

    /** A file in the folder of data that is not ours to publish, empty where there is none. */
    static Optional<Path> data(String name) {
        String folder = System.getProperty(DATA_FOLDER, System.getenv(DATA_FOLDER));
        return folder == null ? Optional.empty() : Optional.of(Path.of(folder, name)).filter(Files::exists);
    }

    /** Pieces to which others can be added, beginning as LLaMA's do. */
    static final class PieceList {
        private final List<String> pieces = new ArrayList<>();
        private final List<Float> scores = new ArrayList<>();
        private final List<PieceType> types = new ArrayList<>();

        PieceList add(String piece, float score, PieceType type) {
            pieces.add(piece);
            scores.add(score);
            types.add(type);
            return this;
        }

        PieceList add(String piece, float score) {
            return add(piece, score, PieceType.NORMAL);
        }

        PieceList specials() {
            return add("<unk>", 0, PieceType.UNKNOWN).add("<s>", 0, PieceType.CONTROL).add("</s>", 0, PieceType.CONTROL);
        }

        PieceList bytes() {
            for (int b = 0; b < 256; b++) {
                add("<0x%02X>".formatted(b), 0, PieceType.BYTE);
            }
            return this;
        }

        Vocabulary vocabulary() {
            float[] scoreArray = new float[scores.size()];
            for (int i = 0; i < scoreArray.length; i++) {
                scoreArray[i] = scores.get(i);
            }
            return Vocabulary.of(MADE, pieces, scoreArray, types.stream().mapToInt(PieceType::number).toArray());
        }

        /** The whole model as a file. */
        byte[] modelFile(Message trainerSpec, Message normalizerSpec) {
            Message model = new Message();
            for (int i = 0; i < pieces.size(); i++) {
                model.message(1, new Message().string(1, pieces.get(i)).fixed32(2, scores.get(i)).varint(3, types.get(i).number()));
            }
            return model.message(2, trainerSpec).message(3, normalizerSpec).bytes();
        }
    }

    /** Writes the protobuf wire format, right or wrong as the test wants it. */
    static final class Message {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        static Message bpe() {
            return new Message().varint(3, ModelType.BPE.number());
        }

        static Message rules(boolean dummyPrefix, boolean removeExtraWhitespaces, boolean escapeWhitespaces) {
            return new Message().string(1, "identity").varint(3, dummyPrefix ? 1 : 0).varint(4, removeExtraWhitespaces ? 1 : 0)
                    .varint(5, escapeWhitespaces ? 1 : 0);
        }

        Message raw(int... bytes) {
            for (int b : bytes) {
                out.write(b);
            }
            return this;
        }

        Message raw(byte[] bytes) {
            out.writeBytes(bytes);
            return this;
        }

        Message number(long value) {
            long rest = value;
            while ((rest & ~0x7FL) != 0) {
                out.write((int) (rest & 0x7F | 0x80));
                rest >>>= 7;
            }
            out.write((int) rest);
            return this;
        }

        Message varint(int field, long value) {
            return number((long) field << 3).number(value);
        }

        Message fixed32(int field, float value) {
            int bits = Float.floatToRawIntBits(value);
            return number((long) field << 3 | 5).raw(bits & 0xFF, bits >> 8 & 0xFF, bits >> 16 & 0xFF, bits >>> 24);
        }

        Message string(int field, String value) {
            return bytes(field, value.getBytes(StandardCharsets.UTF_8));
        }

        Message bytes(int field, byte[] value) {
            return number((long) field << 3 | 2).number(value.length).raw(value);
        }

        Message message(int field, Message value) {
            return bytes(field, value.bytes());
        }

        byte[] bytes() {
            return out.toByteArray();
        }

        byte[] bytes(int length) {
            return Arrays.copyOf(bytes(), length);
        }
    }
}
