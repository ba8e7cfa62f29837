package dev.yangtuo.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.NativeLibraryException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The cache, with a file that only looks like a library. */
class PackagedLibraryTest {
    @TempDir
    Path folder;

    private byte[] content;
    private PackagedLibrary library;

    @BeforeEach
    void packLibrary() throws Exception {
        content = new byte[300_000];
        new Random(7).nextBytes(content);
        library = packaged(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content)));
    }

    private PackagedLibrary packaged(String sha256) throws IOException {
        Path packed = Files.write(folder.resolve("packed"), content);
        return new PackagedLibrary(packed.toUri().toURL(), "libyangtuo.so", sha256, "1.2.3");
    }

    private Path cache() {
        return folder.resolve("缓存 cache");
    }

    @Test
    void unpacksIntoAFolderNamedAfterVersionAndChecksum() throws IOException {
        Path file = library.unpackBelow(cache());

        assertThat(file)
                .isEqualTo(cache().resolve("native/1.2.3-" + library.sha256().substring(0, 16) + "/libyangtuo.so"))
                .hasBinaryContent(content);
    }

    @Test
    void leavesAnIntactFileAlone() throws IOException {
        Object before = Files.readAttributes(library.unpackBelow(cache()), "unix:ino,ctime").toString();

        assertThat(Files.readAttributes(library.unpackBelow(cache()), "unix:ino,ctime")).hasToString(before.toString());
    }

    @Test
    void replacesADamagedFile() throws IOException {
        Path file = library.unpackBelow(cache());
        byte[] damaged = content.clone();
        damaged[content.length / 2] ^= 1;
        Files.write(file, damaged);

        assertThat(library.unpackBelow(cache())).hasBinaryContent(content);
    }

    @Test
    void replacesATruncatedFile() throws IOException {
        Files.write(library.unpackBelow(cache()), new byte[0]);

        assertThat(library.unpackBelow(cache())).hasBinaryContent(content);
    }

    @Test
    void manyAtOnceGetTheSameIntactFileAndLeaveNothingElse() throws Exception {
        int threads = 8;
        CyclicBarrier start = new CyclicBarrier(threads);
        Callable<Path> unpack = () -> {
            start.await();
            return library.unpackBelow(cache());
        };
        List<Path> files = new ArrayList<>();
        try (var executor = Executors.newFixedThreadPool(threads)) {
            for (int round = 0; round < 10; round++) {
                for (Future<Path> file : executor.invokeAll(Collections.nCopies(threads, unpack))) {
                    files.add(file.get());
                    assertThat(file.get()).hasBinaryContent(content);
                }
                Files.write(files.getFirst(), new byte[] {1});
            }
        }

        assertThat(files).containsOnly(files.getFirst());
        try (var left = Files.list(files.getFirst().getParent())) {
            assertThat(left).containsExactly(files.getFirst());
        }
    }

    @Test
    void aJarWhoseChecksumDoesNotFitIsRefusedAndNothingIsLeft() throws IOException {
        PackagedLibrary lying = packaged("0".repeat(64));

        assertThatThrownBy(() -> lying.unpackBelow(cache()))
                .isInstanceOf(NativeLibraryException.class)
                .hasMessageContaining(library.sha256())
                .hasMessageContaining("the jar is damaged");
        try (var left = Files.walk(cache())) {
            assertThat(left.filter(Files::isRegularFile)).isEmpty();
        }
    }

    @Test
    void aCacheThatIsAFileIsAnIoException() throws IOException {
        Path file = Files.write(folder.resolve("file"), new byte[1]);

        assertThatThrownBy(() -> library.unpackBelow(file)).isInstanceOf(IOException.class);
    }

    @Test
    void aPlatformWithoutLibraryIsNamedWithTheArtifactThatWouldBringIt() {
        assertThatThrownBy(() -> PackagedLibrary.find(new NativePlatform("plan9", "vax")))
                .isInstanceOf(NativeLibraryException.class)
                .hasMessageContaining("for plan9-vax;")
                .hasMessageContaining("classifier natives-plan9-vax")
                .hasMessageContaining("--add-modules dev.yangtuo.natives.plan9.vax")
                .hasMessageContaining("yangtuo.library.path");
    }
}
