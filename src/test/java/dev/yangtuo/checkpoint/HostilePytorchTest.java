package dev.yangtuo.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import dev.yangtuo.checkpoint.PytorchBuilder.Pickle;
import dev.yangtuo.exception.CheckpointFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Zip archives and pickles that lie, or that would run code in Python. Each must be refused by name, soon, and nothing in them may happen. */
@Timeout(60)
class HostilePytorchTest {
    private static final long SEED = 43;
    private static final int FLIPPED_FILES = 3_000;
    private static final int END_BYTES = 22;

    @TempDir
    private Path directory;

    private static Pickle pickle() {
        return new Pickle().proto(2);
    }

    /** What a pickle that was obeyed would leave in the working directory. */
    private static final String TRACE = "left-by-a-pickle";

    /** A pickle that calls a function with a string. */
    private static Arguments call(String module, String name) {
        Pickle pickle = pickle().global(module, name).text("touch " + TRACE).op(0x85).op('R').op('.');
        return refused("call of " + module + "." + name, pickle, "'%s.%s', which weights do not need".formatted(module, name));
    }

    private static Arguments refused(String name, Pickle pickle, String... mentions) {
        return argumentSet(name, PytorchBuilder.of(pickle).build(), mentions);
    }

    private static Arguments tensor(String name, Pickle tensor, String... mentions) {
        Pickle pickle = pickle().op('}').text("a");
        pickle.raw(new String(tensor.bytes(), StandardCharsets.ISO_8859_1)).op('s').op('.');
        return refused(name, pickle, mentions);
    }

    private static Pickle view(long elements, int offset, int[] shape, int[] strides) {
        return new Pickle().tensor("0", "FloatStorage", elements, offset, shape, strides);
    }

    /** The small archive with some bytes changed. */
    private static Arguments zip(String name, Consumer<ByteBuffer> damage, String... mentions) {
        byte[] archive = PytorchBuilder.small().build();
        damage.accept(ByteBuffer.wrap(archive).order(ByteOrder.LITTLE_ENDIAN));
        return argumentSet(name, archive, mentions);
    }

    private static int end(ByteBuffer archive) {
        return archive.capacity() - END_BYTES;
    }

    /** Where the directory begins. */
    private static int directory(ByteBuffer archive) {
        return archive.getInt(end(archive) + 16);
    }

    private static String repeated(String text, int times) {
        return text.repeat(times);
    }

    static Stream<Arguments> pickles() {
        return Stream.of(
                call("os", "system"), call("posix", "system"), call("nt", "system"), call("builtins", "eval"), call("builtins", "exec"),
                call("__builtin__", "eval"), call("subprocess", "Popen"), call("importlib", "import_module"), call("torch.hub", "load"),
                call("torch._utils", "_rebuild_sparse_tensor"), call("torch", "load"), call("torch.jit", "load"), call("numpy", "frombuffer"),
                call("collections", "namedtuple"), call("functools", "partial"), call("webbrowser", "open"), call("builtins", "getattr"),
                refused("name from the stack", pickle().text("os").text("system").op(0x93).op('.'), "'os.system'"),
                refused("name from the stack that is no string", pickle().integer(1).integer(2).op(0x93).op('.'), "expected two strings"),
                refused("hidden in a name with control characters", pickle().global("os\u001b[2J", "system").op('.'), "weights do not need"),
                refused("INST", pickle().op('(').op('i').raw("os\nsystem\n").op('.'), "instruction INST"),
                refused("OBJ", pickle().op('(').global("collections", "OrderedDict").op('o').op('.'), "instruction OBJ"),
                refused("NEWOBJ", pickle().global("collections", "OrderedDict").op(')').op(0x81).op('.'), "instruction NEWOBJ"),
                refused("NEWOBJ_EX", pickle().op(0x92).op('.'), "instruction NEWOBJ_EX"),
                refused("EXT1", pickle().op(0x82).op(1).op('.'), "instruction EXT1"),
                refused("PERSID", pickle().op('P').raw("x\n").op('.'), "instruction PERSID"),
                refused("text of protocol 0", new Pickle().raw("(lp0\n."), "does not begin with PROTO"),
                refused("protocol 1", new Pickle().proto(1).op('}').op('.'), "protocol 1"),
                refused("protocol 6", new Pickle().proto(6).op('}').op('.'), "protocol 6"),
                refused("unknown instruction", pickle().op(0xff).op('.'), "0xff is no instruction"),
                refused("BUILD on a tensor's function", pickle().global("torch._utils", "_rebuild_tensor_v2").op('}').op('b').op('.'), "BUILD"),
                refused("BUILD with a state that is code", pickle().op('}').global("collections", "OrderedDict").op('b').op('.'), "BUILD"),
                refused("call of a dictionary", pickle().op('}').op(')').op('R').op('.'), "nothing that can be called"),
                refused("call of a class of storages", pickle().global("torch", "FloatStorage").op(')').op('R').op('.'), "nothing that can be called"),
                refused("OrderedDict of something", pickle().global("collections", "OrderedDict").op('N').op(0x85).op('R').op('.'), "OrderedDict is made of"),
                refused("empty", new Pickle(), "data.pkl"),
                refused("only a protocol", pickle(), "data.pkl"),
                refused("nothing to stop with", pickle().op('.'), "takes a value where the stack has none"),
                refused("two values", pickle().op('N').op('N').op('.'), "1 values and 0 bytes too many"),
                refused("bytes behind the end", pickle().op('}').op('.').raw("xyz"), "0 values and 3 bytes too many"),
                refused("tuple without a mark", pickle().op('t').op('.'), "there is no mark"),
                refused("items without a mark", pickle().op('}').op('u').op('.'), "there is no mark"),
                refused("odd number of items", pickle().op('}').op('(').text("a").op('u').op('.'), "from 1 values"),
                refused("item of a list", pickle().op(']').op('N').op('N').op('s').op('.'), "sets items of a list"),
                refused("append to a dictionary", pickle().op('}').op('N').op('a').op('.'), "appends to"),
                refused("the same key twice", pickle().op('}').op('(').text("a").raw(new String(view(6, 0, new int[] {6}, new int[] {1}).bytes(),
                        StandardCharsets.ISO_8859_1)).text("a").raw(new String(view(6, 0, new int[] {6}, new int[] {1}).bytes(),
                                StandardCharsets.ISO_8859_1)).op('u').op('.'), "key 'a' twice"),
                refused("key that is a dictionary", pickle().op('}').op('}').op('N').op('s').op('.'), "for a key"),
                refused("memo of nothing", pickle().op('h').op(7).op('.'), "memo 7"),
                refused("memo of a huge number", pickle().op('}').op('r').int32(0x7fffffff).op('.'), "memo 2147483647"),
                refused("memo of a number beyond an int", pickle().op('}').op('r').int32(-1).op('.'), "memo 4294967295"),
                refused("string longer than the file", pickle().op('X').int32(0x7fffffff).op('.'), "2147483647 bytes"),
                refused("string of 2^63", pickle().op(0x8d).int64(Long.MIN_VALUE).op('.'), "9223372036854775808 bytes"),
                refused("bytes longer than the file", pickle().op('B').int32(-1).op('.'), "data.pkl"),
                refused("integer of 2 GB", pickle().op(0x8b).int32(0x7fffffff).op('.'), "2147483647 bytes"),
                refused("integer of negative length", pickle().op(0x8b).int32(-5).op('.'), "an integer has"),
                refused("string that is no UTF-8", pickle().op('X').int32(2).raw("\u00ff\u00fe").op('.'), "not valid UTF-8"),
                refused("frame longer than the file", pickle().op(0x95).int64(Long.MAX_VALUE).op('.'), "a frame has"),
                refused("name without an end", pickle().op('c').raw(repeated("a", 2000)), "more than 1000 bytes"),
                refused("marks upon marks", pickle().raw(repeated("(", 5000)), "nests more than 1000"),
                refused("values upon values", pickle().raw(repeated("N", (1 << 20) + 1)), "more than 1048576 values"),
                refused("a list alone", pickle().op(']').op('.'), "expected a dictionary of tensors"),
                refused("a dictionary of numbers", pickle().op('}').text("a").integer(1).op('s').op('.'), "holds no tensors by name"));
    }

    static Stream<Arguments> tensors() {
        return Stream.of(
                tensor("storage that is not there", new Pickle().tensor("1", "FloatStorage", 6, 0, new int[] {6}, new int[] {1}), "no entry 'archive/data/1'"),
                tensor("storage outside the folder", new Pickle().tensor("../0", "FloatStorage", 6, 0, new int[] {6}, new int[] {1}), "is not in the archive"),
                tensor("storage larger than its entry", view(7, 0, new int[] {6}, new int[] {1}), "7 elements of 4 bytes", "24 bytes"),
                tensor("storage of 2^63 elements", view(Long.MIN_VALUE, 0, new int[] {6}, new int[] {1}), "-9223372036854775808 elements"),
                tensor("storage whose bytes overflow", view(1L << 62, 0, new int[] {6}, new int[] {1}), "elements of 4 bytes"),
                tensor("storage of an unknown class", new Pickle().tensor("0", "QInt8Storage", 6, 0, new int[] {6}, new int[] {1}), "torch.QInt8Storage"),
                tensor("element beyond the end", view(6, 0, new int[] {7}, new int[] {1}), "ends at element 6 of a storage of 6"),
                tensor("offset beyond the end", view(6, 7, new int[] {1}, new int[] {1}), "begins at element 7"),
                tensor("negative offset", view(6, -1, new int[] {1}, new int[] {1}), "begins at element -1"),
                tensor("negative size", view(6, 0, new int[] {-1}, new int[] {1}), "integers from 0 on"),
                tensor("negative stride", view(6, 5, new int[] {6}, new int[] {-1}), "integers from 0 on"),
                tensor("stride beyond the end", view(6, 0, new int[] {2, 3}, new int[] {1 << 30, 1}), "ends at element"),
                tensor("extent that overflows", view(6, 0, new int[] {0x7fffffff, 0x7fffffff, 0x7fffffff}, new int[] {0x7fffffff, 1, 1}), "overflows 64 bits"),
                tensor("elements repeated without end", view(6, 0, new int[] {0x7fffffff, 6}, new int[] {0, 1}), "it repeats some"),
                tensor("more sizes than strides", view(6, 0, new int[] {2, 3}, new int[] {1}), "as many dimensions"),
                tensor("hundred dimensions", view(6, 0, new int[100], new int[100]), "100 dimensions"),
                tensor("too few arguments", new Pickle().global("torch._utils", "_rebuild_tensor_v2").op('(').storage("0", "FloatStorage", 6).op('t').op('R'),
                        "1 arguments that are not those of a tensor"),
                tensor("id that is a string", new Pickle().text("storage").op('Q'), "a persistent id is"),
                tensor("id of a module", new Pickle().op('(').text("module").text("x").text("y").text("z").integer(1).op('t').op('Q'), "expected ('storage'"));
    }

    static Stream<Arguments> archives() {
        byte[] small = PytorchBuilder.small().build();
        return Stream.of(
                argumentSet("cut off", Arrays.copyOf(small, small.length - 1), new String[] {"does not end as one"}),
                argumentSet("only a beginning", Arrays.copyOf(small, 60), new String[] {"does not end as one"}),
                argumentSet("bytes behind the end", Arrays.copyOf(small, small.length + 3), new String[] {"does not end as one"}),
                argumentSet("no pickle", new PytorchBuilder().entry("archive/data/0", new byte[4]).build(), new String[] {"0 entries FOLDER/data.pkl"}),
                argumentSet("two pickles", PytorchBuilder.small().entry("b/data.pkl", new byte[1]).build(), new String[] {"2 entries FOLDER/data.pkl"}),
                argumentSet("pickle in no folder", new PytorchBuilder().entry("data.pkl", new byte[4]).build(), new String[] {"0 entries FOLDER/data.pkl"}),
                argumentSet("zip bomb", PytorchBuilder.small().compressed("archive/data/1", new byte[1 << 20]).build(), new String[] {"is compressed (method 8)"}),
                argumentSet("name that leaves its folder", PytorchBuilder.small().entry("archive/../../etc/passwd", new byte[1]).build(),
                        new String[] {"has a name that is not accepted"}),
                argumentSet("absolute name", PytorchBuilder.small().entry("/etc/passwd", new byte[1]).build(), new String[] {"has a name that is not accepted"}),
                argumentSet("name with a backslash", PytorchBuilder.small().entry("a\\b", new byte[1]).build(), new String[] {"has a name that is not accepted"}),
                argumentSet("name with an escape sequence", PytorchBuilder.small().entry("a\u001b[2J", new byte[1]).build(),
                        new String[] {"has a name that is not accepted"}),
                argumentSet("big-endian", PytorchBuilder.small().entry("archive/byteorder", "big".getBytes(StandardCharsets.US_ASCII)).build(),
                        new String[] {"says 'big'", "expected 'little'"}),
                argumentSet("huge byte order", PytorchBuilder.small().entry("archive/byteorder", new byte[1000]).build(), new String[] {"expected 'little'"}),
                argumentSet("TorchScript", PytorchBuilder.small().entry("archive/constants.pkl", new byte[1]).build(), new String[] {"TorchScript"}),
                argumentSet("pickle of 17 MB", new PytorchBuilder().entry("archive/data.pkl", new byte[17 << 20]).build(), new String[] {"at most 16777216"}),
                zip("number of entries", b -> b.putShort(end(b) + 8, (short) 9).putShort(end(b) + 10, (short) 9), "announces 9 entries"),
                zip("one entry too few", b -> b.putShort(end(b) + 8, (short) 1).putShort(end(b) + 10, (short) 1), "follow the last of 1 entries"),
                zip("several volumes", b -> b.putShort(end(b) + 4, (short) 1), "several volumes"),
                zip("directory beyond the end", b -> b.putInt(end(b) + 16, 0x7fffffff), "expected it to end at byte"),
                zip("directory larger than the file", b -> b.putInt(end(b) + 12, -2), "expected it to end at byte"),
                zip("entry beyond the end", b -> b.putInt(directory(b) + 42, 0x7fffffff), "begins at byte 2147483647"),
                zip("two entries in one place", b -> {
                    int second = directory(b) + 46 + b.getShort(directory(b) + 28);
                    b.putInt(second + 42, b.getInt(directory(b) + 42));
                }, "says something else than the directory"),
                zip("size beyond the end", b -> b.putInt(directory(b) + 20, 0x7ffffff0).putInt(directory(b) + 24, 0x7ffffff0), "the directory at byte"),
                zip("other sizes inside and outside", b -> b.putInt(directory(b) + 24, 5), "bytes outside and"),
                zip("encrypted", b -> b.putShort(directory(b) + 8, (short) 1), "is encrypted"),
                zip("another method in the local header", b -> b.putShort(8, (short) 8), "says something else than the directory"),
                zip("another name in the local header", b -> b.put(30, (byte) 'X'), "says something else than the directory"),
                zip("no signature in the directory", b -> b.putInt(directory(b), 0), "expected an entry of the zip archive's directory"));
    }

    @ParameterizedTest
    @MethodSource({"pickles", "tensors", "archives"})
    void isRefusedByName(byte[] archive, String... mentions) throws IOException {
        Path file = Files.write(directory.resolve("pytorch_model.bin"), archive);
        assertThatThrownBy(() -> PytorchCheckpoint.open(file))
                .isInstanceOf(CheckpointFormatException.class)
                .hasMessageContaining("pytorch_model.bin")
                .hasMessageContainingAll(mentions)
                .satisfies(refusal -> assertThat(refusal.getMessage().chars()).noneMatch(Character::isISOControl));
        assertThat(Path.of(TRACE)).doesNotExist();
    }

    @Test
    void theUndamagedFileIsRead() {
        try (PytorchCheckpoint checkpoint = PytorchCheckpoint.open(PytorchBuilder.small().write(directory.resolve("pytorch_model.bin")))) {
            assertThat(checkpoint.tensors()).extracting(TensorInfo::name).containsExactly("a", "b");
            assertThat(checkpoint.require("a").shape()).containsExactly(2L, 3L);
        }
    }

    @Test
    void tuplesOfTheSameTuplesCostNothing() throws IOException {
        // Each level has the one before twice: 2^60 leaves for whoever walks through them.
        Pickle pickle = pickle().op(')').op(0x94).op('0');
        for (int level = 0; level < 60; level++) {
            pickle.op('h').op(level).op('h').op(level).op(0x86).op(0x94).op('0');
        }
        pickle.op('}').text("a").tensor("0", "FloatStorage", 6, 0, new int[] {6}, new int[] {1}).op('s').text("b").op('h').op(60).op('s').op('.');
        try (PytorchCheckpoint checkpoint = PytorchCheckpoint.open(PytorchBuilder.of(pickle).write(directory.resolve("pytorch_model.bin")))) {
            assertThat(checkpoint.tensors()).extracting(TensorInfo::name).containsExactly("a");
        }
    }

    @Test
    void everyCutIsRefused() throws IOException {
        byte[] pickle = pickle().op('}').op('(').text("a").tensor("0", "FloatStorage", 6, 0, new int[] {2, 3}, new int[] {3, 1}).op('u').op('.').bytes();
        for (int length = 0; length < pickle.length; length++) {
            Pickle cut = new Pickle().raw(new String(pickle, 0, length, StandardCharsets.ISO_8859_1));
            Path file = PytorchBuilder.of(cut).write(directory.resolve("pytorch_model.bin"));
            assertThatThrownBy(() -> PytorchCheckpoint.open(file)).as("%d bytes", length).isInstanceOf(CheckpointFormatException.class);
        }
    }

    @Test
    void flippedBytesGiveOurExceptionOrAReadableFile() throws IOException {
        byte[] whole = PytorchBuilder.small().build();
        Random random = new Random(SEED);
        int readable = 0;
        for (int i = 0; i < FLIPPED_FILES; i++) {
            Path file = Files.write(directory.resolve("pytorch_model.bin"), FlippedBytes.flip(whole, random));
            try (PytorchCheckpoint checkpoint = PytorchCheckpoint.open(file)) {
                FlippedBytes.readEverything(checkpoint);
                readable++;
            } catch (CheckpointFormatException expected) {
                // as it should be
            }
        }
        assertThat(readable).as("seed %d", SEED).isBetween(1, FLIPPED_FILES - 1);
    }

    @ParameterizedTest
    @MethodSource("indexes")
    void indexThatLeavesTheDirectoryIsRefused(String shard) throws IOException {
        Files.writeString(directory.resolve("pytorch_model.bin.index.json"), "{\"weight_map\": {\"a\": \"%s\"}}".formatted(shard));
        assertThatThrownBy(() -> PytorchCheckpoint.openDirectory(directory, "pytorch_model"))
                .isInstanceOf(CheckpointFormatException.class).hasMessageContaining("without folders");
    }

    static Stream<String> indexes() {
        return Stream.of("../pytorch_model.bin", "/etc/pytorch_model.bin", "a/b.bin", "c:b.bin", "b.safetensors", "..");
    }
}
