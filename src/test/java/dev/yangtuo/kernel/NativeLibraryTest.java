package dev.yangtuo.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.CCompiler;
import dev.yangtuo.exception.NativeLibraryException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** A library is loaded once per process, hence each of these runs a Java of its own. */
class NativeLibraryTest {
    private static final int TIMEOUT_SECONDS = 60;

    @TempDir
    Path folder;

    /** The program of the other Java: what is loaded, and whether it stays so. */
    static final class Probe {
        private Probe() {}

        /** Loads twice at once, and prints one line for each: the path or the message. */
        public static void main(String[] args) throws InterruptedException {
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                threads.add(Thread.ofPlatform().start(Probe::report));
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }

        private static void report() {
            try {
                System.out.println("loaded " + NativeLibrary.path());
            } catch (NativeLibraryException e) {
                System.out.println("failed " + e.getMessage());
            }
        }
    }

    /** The two lines, which must be the same; if the library was loaded, nothing else was printed, not even a warning of the JVM. */
    private String probe(Map<String, String> environment, String... options) throws IOException, InterruptedException {
        Path output = folder.resolve("output");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp", System.getProperty("java.class.path"), "-Dstdout.encoding=UTF-8", "-Dsun.jnu.encoding=UTF-8"));
        command.addAll(List.of(options));
        if (List.of(options).stream().noneMatch(o -> o.contains("native-access"))) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        command.add(Probe.class.getName());
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().put("LC_ALL", "C.UTF-8");
        builder.environment().putAll(environment);
        Process process = builder.start();
        if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("the probe hangs");
        }
        List<String> lines = Files.readAllLines(output);
        List<String> outcomes = lines.stream().filter(line -> line.startsWith("loaded ") || line.startsWith("failed ")).toList();
        assertThat(outcomes).as("output %s", lines).hasSize(2);
        assertThat(outcomes.get(1)).isEqualTo(outcomes.get(0));
        if (outcomes.get(0).startsWith("loaded ")) {
            assertThat(lines).isEqualTo(outcomes);
        }
        return outcomes.get(0);
    }

    @Test
    @DisabledIfSystemProperty(named = "yangtuo.native.skip", matches = "true")
    void isUnpackedIntoTheCacheThatTheEnvironmentNames() throws Exception {
        Path cache = folder.resolve("缓存 cache");

        assertThat(probe(Map.of("YANGTUO_CACHE", cache.toString())))
                .startsWith("loaded " + cache.resolve("native"))
                .endsWith(NativePlatform.current().fileName());
    }

    @Test
    @DisabledIfSystemProperty(named = "yangtuo.native.skip", matches = "true")
    void aCacheThatCannotBeWrittenGivesWayToATemporaryFolderThatIsDeleted() throws Exception {
        Path file = Files.write(folder.resolve("a file"), new byte[1]);
        Path temporary = Files.createDirectory(folder.resolve("temporary"));

        assertThat(probe(Map.of("YANGTUO_CACHE", file.toString()), "-Djava.io.tmpdir=" + temporary))
                .startsWith("loaded " + temporary);
        try (var left = Files.list(temporary)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    @DisabledIfSystemProperty(named = "yangtuo.native.skip", matches = "true")
    void whenNoFolderCanBeWrittenBothAreNamed() throws Exception {
        Path file = Files.write(folder.resolve("a file"), new byte[1]);
        Path missing = folder.resolve("missing");

        assertThat(probe(Map.of("YANGTUO_CACHE", file.toString()), "-Djava.io.tmpdir=" + missing))
                .startsWith("failed ")
                .contains(file.toString(), missing.toString(), "YANGTUO_CACHE", "yangtuo.library.path");
    }

    @Test
    void aForcedPathThatDoesNotExistIsNamed() throws Exception {
        Path missing = folder.resolve("missing.so");

        assertThat(probe(Map.of(), "-Dyangtuo.library.path=" + missing))
                .startsWith("failed " + missing + ": no such file")
                .contains("yangtuo.library.path");
    }

    @Test
    void aForcedFileThatIsNoLibraryIsNamedWithTheReason() throws Exception {
        Path text = Files.writeString(folder.resolve("text.so"), "no library");

        assertThat(probe(Map.of(), "-Dyangtuo.library.path=" + text))
                .startsWith("failed " + text + ": cannot be loaded")
                .contains("yangtuo.library.path");
    }

    @Test
    void aLibraryOfAnotherAbiIsRefused() throws Exception {
        Path library = CCompiler.library(folder, "other-abi", "int yt_abi_version(void) { return 987; }");

        assertThat(probe(Map.of(), "-Dyangtuo.library.path=" + library))
                .startsWith("failed " + library + ": has ABI version 987, this program needs ");
    }

    @Test
    void aLibraryOfAnotherProgramIsRefused() throws Exception {
        Path library = CCompiler.library(folder, "foreign", "int something_else(void) { return 1; }");

        assertThat(probe(Map.of(), "-Dyangtuo.library.path=" + library))
                .startsWith("failed " + library + ": is not Yangtuo's native library");
    }

    @Test
    @DisabledIfSystemProperty(named = "yangtuo.native.skip", matches = "true")
    void forbiddenNativeAccessIsAnErrorWithItsRemedy() throws Exception {
        assertThat(probe(Map.of("YANGTUO_CACHE", folder.toString()), "--illegal-native-access=deny"))
                .startsWith("failed ")
                .contains("--enable-native-access=ALL-UNNAMED");
    }

    @Test
    void theCacheFollowsTheVariablesInTheirOrder() {
        assertThat(NativeLibrary.cacheFolder(Map.of("YANGTUO_CACHE", "/a", "XDG_CACHE_HOME", "/b"), "/home/x")).isEqualTo(Path.of("/a"));
        assertThat(NativeLibrary.cacheFolder(Map.of("YANGTUO_CACHE", "", "XDG_CACHE_HOME", "/b"), "/home/x"))
                .isEqualTo(Path.of("/b/yangtuo"));
        assertThat(NativeLibrary.cacheFolder(Map.of("XDG_CACHE_HOME", "relative"), "/home/x")).isEqualTo(Path.of("/home/x/.cache/yangtuo"));
        assertThat(NativeLibrary.cacheFolder(Map.of(), "?")).isNull();
    }
}
