package dev.yangtuo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import dev.yangtuo.BackendType;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.ModelFolders;
import dev.yangtuo.checkpoint.GgufBuilder;
import dev.yangtuo.checkpoint.SafetensorsCheckpoint;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The tiny model in llama2.c's formats, written here from their description: the same logits, and clear errors for files that lie. */
class Llama2cModelTest {
    private static final int[] IDS = {1, 182, 353, 1839, 405, 2870};
    private static final int LAYERS = 3;
    private static final int HEAD_DIM = 16;
    private static final int GROUP = 32;
    private static final int MAGIC = 0x616b3432;

    @TempDir
    private Path folder;

    /** Writes what {@code export.py} of llama2.c writes. */
    private static final class Writer {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private final SafetensorsCheckpoint base;
        private final int version;

        Writer(SafetensorsCheckpoint base, int version) {
            this.base = base;
            this.version = version;
        }

        byte[] write(boolean tied) {
            ByteBuffer header = GgufBuilder.little(version == 0 ? 28 : 256);
            if (version > 0) {
                header.putInt(MAGIC).putInt(version);
            }
            int vocabulary = version == 0 && !tied ? -3000 : 3000;
            for (int value : new int[] {64, 96, LAYERS, 4, 2, vocabulary, 256}) {
                header.putInt(value);
            }
            if (version > 0) {
                header.put((byte) (tied ? 1 : 0));
            }
            if (version == 2) {
                header.putInt(GROUP);
            }
            out.writeBytes(header.array());
            if (version == 0) {
                tensor(ModelSource.EMBEDDING, false);
                layers(LayerParameter.ATTENTION_NORM);
                attention();
                layers(LayerParameter.FFN_NORM);
                feedForward();
                tensor(ModelSource.NORM, false);
                out.writeBytes(new byte[2 * 256 * HEAD_DIM / 2 * Float.BYTES]);
            } else {
                layers(LayerParameter.ATTENTION_NORM, LayerParameter.FFN_NORM);
                tensor(ModelSource.NORM, false);
                tensor(ModelSource.EMBEDDING, false);
                attention();
                feedForward();
            }
            if (!tied) {
                tensor(ModelSource.OUTPUT, false);
            }
            return out.toByteArray();
        }

        private void attention() {
            layers(LayerParameter.Q, LayerParameter.K, LayerParameter.V, LayerParameter.O);
        }

        private void feedForward() {
            layers(LayerParameter.GATE, LayerParameter.DOWN, LayerParameter.UP);
        }

        private void layers(LayerParameter... parameters) {
            for (LayerParameter parameter : parameters) {
                for (int layer = 0; layer < LAYERS; layer++) {
                    tensor(parameter.name(layer), parameter.isRotated());
                }
            }
        }

        private void tensor(String name, boolean rotated) {
            FloatRows rows = base.rows(base.require(name));
            int columns = rows.columns();
            float[] values = new float[(int) rows.rows() * columns];
            for (int row = 0; row < rows.rows(); row++) {
                int inHead = row % HEAD_DIM;
                int source = rotated ? row - inHead + inHead % 2 * (HEAD_DIM / 2) + inHead / 2 : row;
                rows.read(source, 1, values, row * columns);
            }
            boolean vector = rows.rows() == 1;
            if (version == 2 && !vector) {
                groups(values);
            } else {
                ByteBuffer bytes = GgufBuilder.little(values.length * Float.BYTES);
                bytes.asFloatBuffer().put(values);
                out.writeBytes(bytes.array());
            }
        }

        private void groups(float[] values) {
            ByteBuffer scales = GgufBuilder.little(values.length / GROUP * Float.BYTES);
            for (int from = 0; from < values.length; from += GROUP) {
                float max = 0;
                for (int i = from; i < from + GROUP; i++) {
                    max = Math.max(max, Math.abs(values[i]));
                }
                float scale = max / 127;
                scales.putFloat(scale);
                for (int i = from; i < from + GROUP; i++) {
                    out.write(Math.round(values[i] / scale));
                }
            }
            out.writeBytes(scales.array());
        }
    }

    private static byte[] model(int version, boolean tied) {
        try (SafetensorsCheckpoint base = SafetensorsCheckpoint.openDirectory(ModelFolders.tiny("base"), "model")) {
            return new Writer(base, version).write(tied);
        }
    }

    private Path write(byte[] model) throws IOException {
        Path file = Files.write(folder.resolve("model.bin"), model);
        if (!Files.exists(folder.resolve("tokenizer.model"))) {
            Files.copy(ModelFolders.tiny("base").resolve("tokenizer.model"), folder.resolve("tokenizer.model"));
        }
        return file;
    }

    private static float[] logits(Path model) {
        try (Llama llama = Llama.load(model, LoadOptions.defaults().backend(BackendType.SCALAR).threads(1))) {
            float[] last = new float[llama.vocabSize()];
            llama.logits(IDS, (position, logits, offset) -> System.arraycopy(logits, offset, last, 0, last.length));
            return last;
        }
    }

    @ParameterizedTest
    @CsvSource({"0", "1"})
    void floatVersionsGiveTheSameLogits(int version) throws IOException {
        assertThat(logits(write(model(version, false)))).containsExactly(logits(ModelFolders.tiny("base")));
    }

    @Test
    void bytesInGroupsGiveNearlyTheSameLogits() throws IOException {
        float[] expected = logits(ModelFolders.tiny("base"));
        float[] actual = logits(write(model(2, false)));
        double error = 0;
        double size = 0;
        for (int i = 0; i < expected.length; i++) {
            error += Math.pow(expected[i] - actual[i], 2);
            size += Math.pow(expected[i], 2);
        }
        // Eight bits: steps of 1/127 of a group's largest value, so relative errors of some thousandths in each product.
        assertThat(Math.sqrt(error / size)).isBetween(1e-6, 0.03);
    }

    @ParameterizedTest
    @CsvSource({"0", "1", "2"})
    void outputMayBeTheEmbedding(int version) throws IOException {
        try (Llama llama = Llama.load(write(model(version, true)), LoadOptions.defaults().backend(BackendType.SCALAR))) {
            assertThat(llama.vocabSize()).isEqualTo(3000);
        }
        assertThat(logits(folder.resolve("model.bin"))).isNotEqualTo(logits(ModelFolders.tiny("base")));
    }

    private static byte[] ownTokenizer(UnaryOperator<String> change) {
        Tokenizer tokenizer = Tokenizer.load(ModelFolders.tiny("base").resolve("tokenizer.model"));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(GgufBuilder.little(4).putInt(64).array());
        for (int id = 0; id < tokenizer.vocabSize(); id++) {
            String piece = tokenizer.type(id) == PieceType.CONTROL ? "\n" + tokenizer.piece(id) + "\n" : tokenizer.piece(id).replace('\u2581', ' ');
            byte[] text = change.apply(piece).getBytes(StandardCharsets.UTF_8);
            out.writeBytes(GgufBuilder.little(8).putFloat(tokenizer.score(id)).putInt(text.length).array());
            out.writeBytes(text);
        }
        return out.toByteArray();
    }

    @Test
    void itsOwnTokenizerGivesTheSameIds() throws IOException {
        Path model = write(model(1, false));
        Files.delete(folder.resolve("tokenizer.model"));
        Files.write(folder.resolve("tokenizer.bin"), ownTokenizer(piece -> piece));
        Tokenizer expected = Tokenizer.load(ModelFolders.tiny("base").resolve("tokenizer.model"));
        try (Llama llama = Llama.load(model, LoadOptions.defaults().backend(BackendType.SCALAR))) {
            for (String text : new String[] {"In the beginning", "  two  spaces", "春眠不觉晓", "a\nb <s>"}) {
                assertThat(llama.tokenizer().encode(text)).containsExactly(expected.encode(text));
                assertThat(llama.tokenizer().decode(expected.encode(text))).isEqualTo(expected.decode(expected.encode(text)));
            }
            assertThat(llama.tokenizer().bosId()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @CsvSource({"0, out.gguf", "1, out", "2, out.gguf"})
    void exportedModelGivesTheSameLogitsAndIds(int version, String output) throws IOException {
        Path model = write(model(version, version == 1));
        Files.delete(folder.resolve("tokenizer.model"));
        Files.write(folder.resolve("tokenizer.bin"), ownTokenizer(piece -> piece));
        Path exported = folder.resolve(output);
        Llama.convert(model, exported, LoadOptions.defaults());
        assertThat(logits(exported)).containsExactly(logits(model));
        Tokenizer expected = Tokenizer.load(ModelFolders.tiny("base").resolve("tokenizer.model"));
        for (String text : new String[] {"In the beginning", "  two  spaces", "春眠不觉晓", "a\nb <s>"}) {
            assertThat(Llama.loadTokenizer(exported).encode(text)).containsExactly(expected.encode(text));
        }
    }

    private void assertTokenizerRefused(byte[] tokenizer, String... mentions) throws IOException {
        Path model = write(model(1, false));
        Files.delete(folder.resolve("tokenizer.model"));
        Files.write(folder.resolve("tokenizer.bin"), tokenizer);
        assertThatThrownBy(() -> Llama.load(model)).isInstanceOf(TokenizerFormatException.class).hasMessageContaining("tokenizer.bin").hasMessageContainingAll(mentions);
    }

    @Test
    void damagedTokenizersAreRefused() throws IOException {
        byte[] whole = ownTokenizer(piece -> piece);
        assertTokenizerRefused(Arrays.copyOf(whole, 100), "too few for the 3000 pieces");
        assertTokenizerRefused(Arrays.copyOf(whole, whole.length - 1), "has a length of");
        assertTokenizerRefused(Arrays.copyOf(whole, whole.length + 5), "5 bytes follow");
        byte[] huge = whole.clone();
        huge[11] = 0x7F;
        assertTokenizerRefused(huge, "at byte 4: piece 0 has a length of");
        byte[] negative = whole.clone();
        negative[11] = -1;
        assertTokenizerRefused(negative, "at byte 4: piece 0 has a length of -");
    }

    @Test
    void missingTokenizerIsNamed() throws IOException {
        Path model = write(model(1, false));
        Files.delete(folder.resolve("tokenizer.model"));
        assertThatThrownBy(() -> Llama.load(model)).isInstanceOf(TokenizerFormatException.class)
                .hasMessageContainingAll("tokenizer.bin", "no such file", "tokenizer.model");
    }

    private static byte[] withInt(int version, int offset, int value) {
        byte[] model = model(version, false);
        ByteBuffer.wrap(model).order(ByteOrder.LITTLE_ENDIAN).putInt(offset, value);
        return model;
    }

    static Stream<Arguments> damagedModels() {
        byte[] whole = model(1, false);
        return Stream.of(
                argumentSet("unknown version", withInt(1, 4, 3), "version 3"),
                argumentSet("negative version", withInt(1, 4, -1), "version -1"),
                argumentSet("width 0", withInt(1, 8, 0), "a size is out of range"),
                argumentSet("negative width", withInt(1, 8, -64), "a size is out of range"),
                argumentSet("huge width", withInt(1, 8, 1 << 30), "a size is out of range"),
                argumentSet("huge number of layers", withInt(1, 16, 1 << 20), "a size is out of range"),
                argumentSet("no heads", withInt(1, 20, 0), "a size is out of range"),
                argumentSet("heads that do not divide", withInt(1, 20, 5), "do not divide"),
                argumentSet("more KV heads than heads", withInt(1, 24, 8), "do not divide"),
                argumentSet("another vocabulary", withInt(1, 28, 3001), "it has"),
                argumentSet("negative vocabulary", withInt(1, 28, -3000), "a size is out of range"),
                argumentSet("groups of 0", withInt(2, 37, 0), "groups of 0"),
                argumentSet("groups of 7", withInt(2, 37, 7), "groups of 7"),
                argumentSet("huge everything", withInt(1, 16, 4096), "it has"),
                argumentSet("cut off", Arrays.copyOf(whole, whole.length - 4), "download is probably incomplete"),
                argumentSet("cut off in the header", Arrays.copyOf(whole, 100), "has 256"),
                argumentSet("only a magic number", Arrays.copyOf(whole, 28), "has 256"),
                argumentSet("too long", Arrays.copyOf(whole, whole.length + 4), "The file is damaged"),
                argumentSet("cut off without a magic number", Arrays.copyOf(model(0, false), 4000), "not a kind of file"));
    }

    @ParameterizedTest
    @MethodSource("damagedModels")
    void damagedModelsAreRefused(byte[] model, String mention) throws IOException {
        Path file = write(model);
        assertThatThrownBy(() -> Llama.load(file)).isInstanceOf(CheckpointFormatException.class).hasMessageContainingAll("model.bin", mention);
    }
}
