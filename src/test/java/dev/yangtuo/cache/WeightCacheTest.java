package dev.yangtuo.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.kernel.NativeBackend;
import dev.yangtuo.tensor.TensorType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The folder of packed weights: what is found again and what is not, and what is left behind. */
@Timeout(60)
class WeightCacheTest {
    private static final int LAYOUT = 1;

    @TempDir
    private Path temporary;

    private Path folder() {
        return temporary.resolve("cache");
    }

    private WeightCache cache() throws IOException {
        return WeightCache.open(folder(), LAYOUT, userId(), 2);
    }

    private static long userId() {
        try (NativeBackend backend = NativeBackend.open(1)) {
            return backend.packedFiles().userId();
        }
    }

    /** The slot of a file that is mapped now. */
    private WeightCache.Slot slot(WeightCache cache, Path model) throws IOException {
        long opened = WeightCache.now();
        try (Arena arena = Arena.ofShared(); FileChannel channel = FileChannel.open(model)) {
            CacheKey key = new CacheKey();
            key.add("a", "b");
            key.addContent(model, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
            return cache.slot(key, opened);
        }
    }

    private Path model(String text) throws IOException {
        return Files.writeString(temporary.resolve("model"), text);
    }

    private static final List<CachedParameter> PARAMETERS = List.of(CachedParameter.vector("v", 3), new CachedParameter("m", TensorType.F32, 16, 2_000_000 / 16));

    /** A vector, and 8 MB of something, so that there are several pieces. */
    private static List<PackedParameter> packed() {
        MemorySegment bytes = MemorySegment.ofArray(new byte[8_000_000]);
        bytes.set(ValueLayout.JAVA_BYTE, 7_654_321, (byte) 5);
        return List.of(
                PackedParameter.vector("v", new float[] {1, -2, 3}),
                new PackedParameter(PARAMETERS.get(1), bytes.byteSize(), (at, target) -> MemorySegment.copy(bytes, at, target, 0, target.byteSize())));
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(folder())) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private WeightCache.Slot written() throws IOException {
        WeightCache.Slot slot = slot(cache(), model("weights"));
        assertThat(slot.find(PARAMETERS)).isNull();
        assertThat(slot.write(packed(), new byte[] {9})).isTrue();
        return slot;
    }

    @Test
    void whatWasWrittenIsFound() throws IOException {
        WeightCache.Slot slot = written();
        CacheFile found = slot(cache(), temporary.resolve("model")).find(PARAMETERS);
        assertThat(found).isNotNull();
        assertThat(found.path()).isEqualTo(slot.file());
        assertThat(found.note()).containsExactly(9);
        assertThat(found.vectors().getFirst()).containsExactly(1, -2, 3);
        byte[] file = Files.readAllBytes(slot.file());
        assertThat(found.byteOffset(1) % (2 << 20)).isZero();
        assertThat(file[(int) found.byteOffset(1) + 7_654_321]).isEqualTo((byte) 5);
        assertThat(files()).containsExactlyInAnyOrder("index", "lock", slot.file().getFileName().toString());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder()))).isEqualTo("rwx------");
    }

    @Test
    void aChangedByteIsAnotherKeyAlsoWithTheTimesPutBack() throws IOException, InterruptedException {
        Path model = model("weights");
        FileTime old = FileTime.fromMillis(System.currentTimeMillis() - 100_000);
        Files.setLastModifiedTime(model, old);
        Thread.sleep(2_200); // from now on it is settled, and what it holds is remembered
        Path before = slot(cache(), model).file();
        assertThat(Files.readString(folder().resolve("index"))).contains(model.toRealPath().toString());
        assertThat(slot(cache(), model).file()).isEqualTo(before);
        Files.writeString(model, "wEights");
        Files.setLastModifiedTime(model, old);
        assertThat(slot(cache(), model).file()).isNotEqualTo(before);
        Files.writeString(model, "weights");
        Files.setLastModifiedTime(model, old);
        assertThat(slot(cache(), model).file()).isEqualTo(before);
    }

    @Test
    void aFileThatWasJustWrittenIsNotRemembered() throws IOException {
        Path model = model("weights");
        slot(cache(), model);
        assertThat(folder().resolve("index")).doesNotExist();
    }

    @Test
    void otherParametersAreNotTaken() throws IOException {
        WeightCache.Slot slot = written();
        try (Warnings warnings = new Warnings()) {
            assertThat(slot.find(List.of(PARAMETERS.getFirst()))).isNull();
            assertThat(slot.find(List.of(PARAMETERS.getFirst(), new CachedParameter("m", TensorType.F16, 16, 2_000_000 / 16)))).isNull();
            assertThat(warnings.messages()).hasSize(2).allMatch(message -> message.contains("another model"));
        }
    }

    @Test
    void damagedFilesAreNotTakenAndAreReplaced() throws IOException {
        WeightCache.Slot slot = written();
        byte[] good = Files.readAllBytes(slot.file());
        for (int at : new int[] {0, 9, 13, 17, 40, 70, 100, good.length - 8_000_000 + 7_654_321, good.length - 1, -1}) {
            byte[] bad = good.clone();
            if (at < 0) {
                bad = Arrays.copyOf(good, good.length - 1);
            } else {
                bad[at] ^= 0x20;
            }
            Files.write(slot.file(), bad);
            try (Warnings warnings = new Warnings()) {
                assertThat(slot(cache(), temporary.resolve("model")).find(PARAMETERS)).as("byte " + at).isNull();
                assertThat(warnings.messages()).singleElement().asString().contains(slot.file().toString(), "will be replaced");
            }
        }
        assertThat(slot.write(packed(), new byte[0])).isTrue();
        assertThat(slot.find(PARAMETERS)).isNotNull();
    }

    @Test
    void aDamagedIndexIsIgnoredAndReplaced() throws IOException {
        WeightCache.Slot slot = written();
        Path index = folder().resolve("index");
        String good = Files.readString(index);
        for (String bad : List.of("", "x", good + "x\n", good.replaceFirst("\n.", "\n"), good.substring(1), "\0\1\n".repeat(100), good.replace(' ', '\n'))) {
            Files.writeString(index, bad);
            try (Warnings warnings = new Warnings()) {
                assertThat(slot(cache(), temporary.resolve("model")).find(PARAMETERS)).isNotNull();
                assertThat(warnings.messages()).isNotEmpty().allMatch(message -> message.contains("damaged"));
            }
        }
        assertThat(slot.write(packed(), new byte[0])).isTrue();
        try (Warnings warnings = new Warnings()) {
            cache();
            assertThat(warnings.messages()).isEmpty();
        }
    }

    /** A program that was killed leaves its file without a lock; one that still writes holds it. */
    @Test
    void leftoversOfKilledWritersAreRemoved() throws IOException {
        WeightCache.Slot slot = slot(cache(), model("weights"));
        String name = slot.file().getFileName().toString();
        Path left = Files.writeString(folder().resolve(name + ".1-0123abcd.partial"), "left");
        Path own = Files.writeString(folder().resolve(name + "." + ProcessHandle.current().pid() + "-0123abcd.partial"), "in work");
        Path foreign = Files.writeString(folder().resolve("notes.partial"), "of a person");
        assertThat(slot.write(packed(), new byte[0])).isTrue();
        assertThat(left).doesNotExist();
        assertThat(own).exists();
        assertThat(foreign).exists();
    }

    @Test
    void whatAnotherProgramIsWritingStays() throws Exception {
        WeightCache.Slot slot = slot(cache(), model("weights"));
        Path other = folder().resolve(slot.file().getFileName() + ".1-0123abcd.partial");
        try (FileChannel channel = FileChannel.open(other, StandardOpenOption.CREATE, StandardOpenOption.WRITE); FileLock _ = channel.lock()) {
            // This program's own lock looks like another's: it cannot be had.
            assertThat(slot.write(packed(), new byte[0])).isTrue();
            assertThat(other).exists();
        }
    }

    @Test
    void anInterruptedWriterLeavesNothing() throws IOException {
        WeightCache.Slot slot = slot(cache(), model("weights"));
        try (Warnings warnings = new Warnings()) {
            Thread.currentThread().interrupt();
            assertThat(slot.write(packed(), new byte[0])).isFalse();
            assertThat(Thread.interrupted()).isTrue();
            assertThat(warnings.messages()).hasSize(1);
        }
        assertThat(files()).allMatch(name -> name.equals("lock"));
    }

    @Test
    void aModelThatChangedMeanwhileIsNotKept() throws IOException {
        WeightCache.Slot slot = slot(cache(), model("weights"));
        Files.writeString(temporary.resolve("model"), "other weights");
        try (Warnings warnings = new Warnings()) {
            assertThat(slot.write(packed(), new byte[0])).isFalse();
            assertThat(warnings.messages()).singleElement().asString().contains("has been changed while it was loaded");
        }
    }

    @Test
    void aFolderThatOthersCanWriteIsRefused() throws IOException {
        Files.createDirectory(folder());
        Files.setPosixFilePermissions(folder(), PosixFilePermissions.fromString("rwxrwxrwx"));
        assertThatThrownBy(this::cache).isInstanceOf(IOException.class).hasMessageContaining("other users can write it");
    }

    @Test
    void anotherUsersFolderIsRefused() {
        assertThatThrownBy(() -> WeightCache.open(folder(), LAYOUT, userId() + 1, 1)).isInstanceOf(IOException.class).hasMessageContaining("belongs to another user");
    }

    @Test
    void aFileInTheFoldersPlaceIsRefused() throws IOException {
        Files.writeString(folder(), "x");
        assertThatThrownBy(this::cache).isInstanceOf(IOException.class);
    }
}
