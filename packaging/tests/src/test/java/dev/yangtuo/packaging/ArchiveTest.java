package dev.yangtuo.packaging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.packaging.Program.Outcome;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The archive of the command line program, unpacked elsewhere, runs on a machine that has Java and a shell. */
class ArchiveTest {
    /** All programs that the launcher may use beside Java: no Maven, no CMake, no compiler. */
    private static final List<String> TOOLS = List.of("sh", "dirname", "readlink", "uname", "locale");

    private static final Pattern DOCUMENT = Pattern.compile("docs/[a-z-]+\\.md");

    @TempDir
    static Path folder;

    private static Path unpacked;
    private static Path tools;

    @BeforeAll
    static void unpack() throws Exception {
        Path archive = Artifacts.file("yangtuo", "cli", "tar.gz");
        Path elsewhere = Files.createDirectory(folder.resolve("somewhere else 别处"));
        Program.run(elsewhere, Map.of("PATH", "/usr/bin:/bin", "LC_ALL", "C.UTF-8"), List.of("tar", "xzf", archive.toString()));
        unpacked = elsewhere.resolve("yangtuo-" + Artifacts.version("yangtuo"));
        tools = Files.createDirectories(Artifacts.CHECKOUT.resolve("target/packaging-tests/tools"));
        for (String tool : TOOLS) {
            Path real = Stream.of("/usr/bin", "/bin").map(bin -> Path.of(bin, tool)).filter(Files::exists).findFirst().orElseThrow();
            Files.deleteIfExists(tools.resolve(tool));
            Files.createSymbolicLink(tools.resolve(tool), real);
        }
    }

    private static Outcome run(Path program, String... arguments) throws Exception {
        Map<String, String> environment = Map.of(
                "PATH", tools.toString(),
                "JAVA_HOME", System.getProperty("java.home"),
                "HOME", folder.toString(),
                "YANGTUO_CACHE", folder.resolve("cache").toString());
        return Program.run(folder, environment, Stream.concat(Stream.of(program.toString()), Stream.of(arguments)).toList());
    }

    @Test
    void generatesWithTheDemonstrationModelAndTheNativeLibrary() throws Exception {
        Outcome outcome = run(unpacked.resolve("bin/yangtuo"), "generate", "--seed", "1", "--max-tokens", "12");

        assertThat(outcome.output()).containsPattern("\\p{IsHan}{5}");
        assertThat(outcome.errors()).contains("examples/demo-model/base", "LoRA chinese-lora", "native");
    }

    @Test
    void runsThroughALinkAndKnowsItsVersion() throws Exception {
        Path link = Files.createSymbolicLink(folder.resolve("yt"), unpacked.resolve("bin/yangtuo"));

        assertThat(run(link, "--version").output()).contains(Artifacts.version("yangtuo"));
    }

    @Test
    void hasTheDocumentsThatItsHelpNames() throws Exception {
        String help = run(unpacked.resolve("bin/yangtuo"), "--help").output() + run(unpacked.resolve("bin/yangtuo"), "help", "generate").output();
        List<String> documents = DOCUMENT.matcher(help).results().map(MatchResult::group).toList();

        assertThat(documents).contains("docs/llama-cpp.md").allSatisfy(document -> assertThat(unpacked.resolve(document)).isNotEmptyFile());
    }

    @Test
    void namesTheLicenceOfEveryLibrary() throws Exception {
        String licences = Files.readString(unpacked.resolve("licenses/README.md"));
        try (Stream<Path> files = Files.list(unpacked.resolve("lib"))) {
            List<String> jars = files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".jar")).toList();
            assertThat(jars).hasSizeGreaterThan(10).allSatisfy(jar -> assertThat(licences).contains("`" + jar.replaceFirst("-[0-9].*", "") + "`"));
        }
        for (String text : List.of("LICENSE", "licenses/jline.txt", "licenses/progressbar.txt", "licenses/snappy.txt")) {
            assertThat(unpacked.resolve(text)).isNotEmptyFile();
        }
    }

    /** The library has that of the machine that built it. */
    @Test
    void runsOnAarch64TooWhereTheBuildHasMadeItsNativeJar() throws Exception {
        String classifier = "natives-linux-aarch64";
        Path jar = unpacked.resolve("lib/yangtuo-%s-%s.jar".formatted(Artifacts.version("yangtuo"), classifier));
        if (Artifacts.nativeClassifiers().contains(classifier)) {
            assertThat(jar).hasSameBinaryContentAs(Artifacts.file("yangtuo", classifier, "jar"));
        } else {
            assertThat(jar).doesNotExist();
        }
    }

    @Test
    void theZipHasTheSameFiles() throws Exception {
        int prefix = unpacked.getParent().toString().length() + 1;
        try (Stream<Path> files = Files.walk(unpacked)) {
            List<String> names = files.filter(Files::isRegularFile).map(file -> file.toString().substring(prefix)).toList();
            assertThat(Artifacts.entries(Artifacts.file("yangtuo", "cli", "zip"))).containsExactlyInAnyOrderElementsOf(names);
        }
    }
}
