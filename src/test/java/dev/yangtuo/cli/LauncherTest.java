package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./yangtuo test} in a made-up checkout that is built, with made-up build tools. */
class LauncherTest {
    @TempDir
    Path folder;

    private Path checkout;
    private Path tools;

    private record Outcome(int exitCode, String output) {}

    @BeforeEach
    void makeCheckout() throws IOException {
        checkout = Files.createDirectory(folder.resolve("check out"));
        tools = Files.createDirectory(folder.resolve("tools"));
        for (String name : List.of("yangtuo", "packaging/cli/launch.sh")) {
            Path copy = checkout.resolve(name);
            Files.createDirectories(copy.getParent());
            Files.copy(Path.of(name), copy);
        }
        for (String name : List.of("src/main", "native", "bindings", "target/lib", "target/launcher")) {
            Files.createDirectories(checkout.resolve(name));
        }
        Files.createFile(checkout.resolve("pom.xml"));
        Files.createFile(checkout.resolve("target/yangtuo-0.1.0.jar"));
        Path stamp = Files.createFile(checkout.resolve("target/launcher/stamp"));
        Files.setLastModifiedTime(stamp, FileTime.from(Instant.now().plusSeconds(60)));
        tool("cc", "exit 0");
        tool("make", "exit 0");
        tool("mvn", "echo Apache Maven 3.9.9");
        tool("cmake", "echo cmake version 3.31.0");
        tool("ctest", "exit 0");
    }

    private void tool(String name, String script) throws IOException {
        Path file = tools.resolve(name);
        Files.writeString(file, "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Outcome test() throws Exception {
        return run("yangtuo", "test", "-Dtest=None");
    }

    private Outcome run(String program, String... arguments) throws Exception {
        Path output = folder.resolve("output");
        ProcessBuilder builder = new ProcessBuilder(Stream.concat(Stream.of(checkout.resolve(program).toString()), Stream.of(arguments)).toList())
                .redirectErrorStream(true).redirectOutput(output.toFile()).redirectInput(Path.of("/dev/null").toFile());
        builder.environment().put("PATH", tools + ":" + System.getenv("PATH"));
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("FOLDER", folder.toString());
        builder.environment().keySet().removeAll(List.of("CC", "YANGTUO_LLAMA_CPP_PATH", "YANGTUO_CUDA", "CUDA_HOME"));
        Process process = builder.start();
        try {
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        return new Outcome(process.exitValue(), Files.readString(output));
    }

    @Test
    void succeedsWhenBothDo() throws Exception {
        Outcome outcome = test();

        assertThat(outcome.exitCode()).as(outcome.output()).isZero();
    }

    /** The tests of an earlier build would still run, and pass. */
    @Test
    void codeThatDoesNotCompileFailsTheTestsInC() throws Exception {
        tool("cmake", "case $1 in --build) echo a.c: error; exit 2 ;; *) echo cmake version 3.31.0 ;; esac");

        Outcome outcome = test();

        assertThat(outcome.exitCode()).as(outcome.output()).isOne();
        assertThat(outcome.output()).contains("a.c: error", "tests in C failed");
    }

    @Test
    void failuresOfBothAreNamed() throws Exception {
        tool("mvn", "case \"$*\" in *verify*) exit 1 ;; *) echo Apache Maven 3.9.9 ;; esac");
        tool("ctest", "exit 8");

        Outcome outcome = test();

        assertThat(outcome.exitCode()).as(outcome.output()).isOne();
        assertThat(outcome.output()).contains("tests in Java and C failed");
    }

    @Test
    void theTestsInCEndWithTheLauncher() throws Exception {
        tool("ctest", "echo $$ > \"$FOLDER/pid.new\"; mv \"$FOLDER/pid.new\" \"$FOLDER/pid\"; sleep 60; exit 0");
        tool("mvn", "case \"$*\" in *verify*) while [ ! -f \"$FOLDER/pid\" ]; do sleep 0.1; done; kill -TERM $PPID; exit 1 ;; *) echo Apache Maven 3.9.9 ;; esac");

        Outcome outcome = test();

        assertThat(outcome.exitCode()).as(outcome.output()).isEqualTo(143);
        long pid = Long.parseLong(Files.readString(folder.resolve("pid")).strip());
        ProcessHandle.of(pid).ifPresent(process -> assertThat(process.onExit()).succeedsWithin(5, TimeUnit.SECONDS));
    }

    /** It takes minutes, so what was tried is not tried again until something changes. */
    @Test
    void theLibraryForCudaDevicesIsBuiltOnce() throws Exception {
        String made = "the library for CUDA devices";
        for (String name : List.of("native/cuda/a.cu", "native/include/a.h", "native/src/device.h", "native/CMakeLists.txt")) {
            Files.createDirectories(checkout.resolve(name).getParent());
            Files.createFile(checkout.resolve(name));
        }
        tool("nvcc", "echo Cuda compilation tools, release 12.3, V12.3.107");
        assertThat(run("yangtuo", "generate").output()).doesNotContain("nvcc");
        assertThat(run("yangtuo", "generate", "--device", "cpu").output()).doesNotContain("nvcc");
        assertThat(run("yangtuo", "doctor").output()).contains("nvcc is of CUDA 12.3; 12.4 or newer builds " + made);
        assertThat(run("yangtuo", "doctor").output()).doesNotContain("nvcc");

        tool("nvcc", "echo Cuda compilation tools, release 12.4, V12.4.99");
        tool("cmake", "echo cmake version 3.31.0; [ $1 != --build ] || touch \"$2/libyangtuo-cuda.so\"");
        Files.createDirectory(checkout.resolve("target/native-cuda"));
        Path source = checkout.resolve("native/cuda/a.cu");
        Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(2)));
        assertThat(run("yangtuo", "generate", "--prompt", "cuda").output()).doesNotContain(made);
        assertThat(run("yangtuo", "generate", "--device", "cuda:0").output()).contains("yangtuo: building " + made, "yangtuo: built " + made);
        assertThat(checkout.resolve("target/native-cuda/libyangtuo-cuda.so")).exists();
        Files.setLastModifiedTime(source, FileTime.from(Instant.EPOCH));
        assertThat(run("yangtuo", "doctor").output()).doesNotContain(made);

        tool("cmake", "echo cmake version 3.31.0; [ $1 != --build ]");
        Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(2)));
        assertThat(run("yangtuo", "generate", "--device=auto").output()).contains(made + " could not be built, so there is none; the log is in");
        assertThat(checkout.resolve("target/native-cuda/libyangtuo-cuda.so")).doesNotExist();
    }

    @Test
    void theIntegrationTakesLlamaCppWhereItIsWholeAndGoesOnWithoutIt() throws Exception {
        Files.createDirectory(checkout.resolve(".ci"));
        Files.copy(Path.of(".ci/run"), checkout.resolve(".ci/run"));
        Files.writeString(checkout.resolve("yangtuo"), "#!/bin/sh\necho tests with ${YANGTUO_LLAMA_CPP_PATH:-none}\n");
        tool("apt-get", "exit 1");
        tool("uname", "echo Linux x86_64");
        tool("fc-list", "echo a font");
        tool("timeout", "shift; exec \"$@\"");

        tool("npm", "exit 1");
        assertThat(run(".ci/run").output()).endsWith("tests with none\n");
        tool("npm", "touch package.tgz");
        tool("tar", "mkdir package; exit 1");
        assertThat(run(".ci/run").output()).endsWith("tests with none\n");
        tool("tar", "mkdir package");
        Outcome whole = run(".ci/run");
        assertThat(whole.exitCode()).isZero();
        assertThat(whole.output()).endsWith("/package\n");
        tool("npm", "exit 1");
        assertThat(run(".ci/run")).isEqualTo(whole);
    }
}
