package dev.yangtuo.llamacpp;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.CCompiler;
import dev.yangtuo.exception.NativeLibraryException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Libraries that the dynamic linker must not be given. */
@EnabledOnOs(OS.LINUX)
class ElfFileTest {
    private static final String ARCH = System.getProperty("os.arch");

    @TempDir
    Path folder;

    private Path library;
    private byte[] bytes;

    @BeforeEach
    void compile() throws IOException, InterruptedException {
        library = CCompiler.library(folder, "libllama", "int answer(void) { return 42; } int data[5000] = {1};");
        bytes = Files.readAllBytes(library);
    }

    private void assertRefused(byte[] changed, String... message) throws IOException {
        Files.write(library, changed);
        assertThatThrownBy(() -> ElfFile.require(library, ARCH))
                .isInstanceOf(NativeLibraryException.class)
                .hasMessageStartingWith(library + ": ")
                .hasMessageContainingAll(message);
    }

    @Test
    void aCompleteLibraryOfThisMachineIsLoadable() {
        assertThatCode(() -> ElfFile.require(library, ARCH)).doesNotThrowAnyException();
    }

    @Test
    void aLibraryThatIsCutOffAnywhereIsRefused() throws IOException {
        for (int length : new int[] {0, 1, 63}) {
            assertRefused(Arrays.copyOf(bytes, length), "is not a shared library");
        }
        assertRefused(Arrays.copyOf(bytes, 64), "damaged or cut off");
        assertRefused(Arrays.copyOf(bytes, bytes.length / 2), "is cut off", "it has %d bytes".formatted(bytes.length / 2));
    }

    @Test
    void aFileOfAnotherKindIsRefused() throws IOException {
        assertRefused("GGUF and no library at all, but longer than the header of one would be".getBytes(), "is not a shared library");
    }

    @Test
    void aLibraryOfAnotherMachineIsRefused() throws IOException {
        byte[] foreign = bytes.clone();
        foreign[18] = (byte) (ARCH.equals("aarch64") ? 62 : 183);
        assertRefused(foreign, "is a shared library for %s".formatted(ARCH.equals("aarch64") ? "amd64" : "aarch64"), "this Java runs on " + ARCH);
        foreign[18] = 40;
        assertRefused(foreign, "for another machine");
    }

    @Test
    void placesThatAreNoneAreRefused() throws IOException {
        for (long offset : new long[] {Long.MAX_VALUE, -1, bytes.length - 3}) {
            byte[] damaged = bytes.clone();
            ByteBuffer.wrap(damaged).order(ByteOrder.LITTLE_ENDIAN).putLong(32, offset);
            assertRefused(damaged, "damaged or cut off");
        }
        byte[] damaged = bytes.clone();
        int firstHeader = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(32);
        for (int at = firstHeader; at < firstHeader + 56 * 4; at += 56) {
            ByteBuffer.wrap(damaged).order(ByteOrder.LITTLE_ENDIAN).putInt(at, 1).putLong(at + 8, Long.MAX_VALUE).putLong(at + 32, Long.MAX_VALUE);
        }
        assertRefused(damaged, "is cut off");
    }
}
