package dev.yangtuo.packaging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.packaging.Program.Outcome;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A project outside the checkout that depends on the artifacts as Maven resolves them: it compiles, and generates what PyTorch does.
 *
 * <p>Its local repository is a folder below {@code target}. What is not ours comes from the user's local repository, which is read as a remote one.
 */
class ConsumerTest {
    private static final String SETTINGS = """
            <settings>
              <localRepository>%s</localRepository>
              <profiles>
                <profile>
                  <id>here</id>
                  <repositories>%2$s%3$s</repositories>
                  <pluginRepositories>%4$s</pluginRepositories>
                </profile>
              </profiles>
              <activeProfiles>
                <activeProfile>here</activeProfile>
              </activeProfiles>
            </settings>
            """;

    private static final Path MODEL = Artifacts.CHECKOUT.resolve("examples/demo-model/base");
    private static final String PROMPT = "《静夜思》李白\n";
    /** The beginning of {@code greedy_ids} of this prompt in {@code examples/demo-model/golden/golden.json}. */
    private static final String IDS = "ids [12, 12, 350, 1606, 1539]";

    @TempDir
    static Path folder;

    private static Path project;
    private static Path library;
    private static Path natives;
    /** The library as it is for a machine of another kind than the one that built it. */
    private static Path libraryWithoutNative;

    @BeforeAll
    static void build() throws Exception {
        project = copy(Artifacts.CHECKOUT.resolve("packaging/consumer"), folder.resolve("project"));
        Path local = Artifacts.CHECKOUT.resolve("target/packaging-tests/m2");
        deleteTree(local.resolve("dev/yangtuo"));
        Path settings = Files.writeString(folder.resolve("settings.xml"), SETTINGS.formatted(
                local, repository("repository", "built", Artifacts.REPOSITORY), repository("repository", "user", userRepository()),
                repository("pluginRepository", "user", userRepository())));
        maven(List.of("--settings", settings.toString(), "-Dyangtuo.version=" + Artifacts.version("yangtuo"), "-Dyangtuo.platform=" + Artifacts.platform(),
                "compile", "dependency:copy-dependencies"));
        String version = Artifacts.version("yangtuo");
        library = project.resolve("target/lib/yangtuo-" + version + ".jar");
        natives = project.resolve("target/lib/yangtuo-%s-natives-%s.jar".formatted(version, Artifacts.platform()));
        libraryWithoutNative = Files.copy(library, folder.resolve("library.jar"));
        try (FileSystem jar = FileSystems.newFileSystem(libraryWithoutNative)) {
            deleteTree(jar.getPath("META-INF/native"));
        }
    }

    private static Path userRepository() {
        return Path.of(System.getProperty("userRepository"));
    }

    private static String repository(String element, String id, Path place) {
        String policy = "<enabled>true</enabled><checksumPolicy>ignore</checksumPolicy>";
        return "<%s><id>%s</id><url>file://%s</url><releases>%s</releases><snapshots>%4$s</snapshots></%1$s>".formatted(element, id, place, policy);
    }

    private static void maven(List<String> arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("maven.home"), "bin", "mvn").toString(), "--batch-mode", "--no-transfer-progress"));
        command.addAll(arguments);
        Map<String, String> environment = new HashMap<>(System.getenv());
        environment.put("JAVA_HOME", System.getProperty("java.home"));
        environment.put("MAVEN_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"); // it runs for seconds
        environment.keySet().removeIf(name -> name.startsWith("MAVEN_CMD_LINE") || name.equals("MAVEN_ARGS") || name.equals("MAVEN_PROJECTBASEDIR"));
        Program.run(project, environment, command);
    }

    private static Path copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file).toString()));
            }
        }
        return to;
    }

    private static void deleteTree(Path tree) throws IOException {
        if (Files.exists(tree)) {
            try (Stream<Path> files = Files.walk(tree)) {
                for (Path file : files.toList().reversed()) {
                    Files.delete(file);
                }
            }
        }
    }

    /** The libraries that are not ours. */
    private static List<Path> others() throws IOException {
        try (Stream<Path> files = Files.list(project.resolve("target/lib"))) {
            return files.filter(file -> !file.getFileName().toString().startsWith("yangtuo")).sorted().toList();
        }
    }

    private static String path(Path... jars) throws IOException {
        return Stream.of(Stream.of(project.resolve("target/classes")), Stream.of(jars), others().stream())
                .flatMap(paths -> paths)
                .map(Path::toString)
                .collect(Collectors.joining(":"));
    }

    /** Runs the program; the cache is empty, so the native library is unpacked from a jar. */
    private static Outcome java(String... options) throws Exception {
        Path cache = Files.createTempDirectory(folder, "cache");
        List<String> command = new ArrayList<>(List.of(Program.JAVA.toString(), "-XX:+UseSerialGC", "-Xmx256m"));
        command.addAll(List.of(options));
        command.addAll(List.of(MODEL.toString(), PROMPT));
        return Program.run(folder, Map.of("YANGTUO_CACHE", cache.toString(), "LC_ALL", "C.UTF-8"), command);
    }

    private static Outcome onClassPath(Path... jars) throws Exception {
        return java("--enable-native-access=ALL-UNNAMED", "-cp", path(jars), "consumer.Consumer");
    }

    private static String nativesModule() {
        return "dev.yangtuo.natives." + Artifacts.platform().replace('-', '.');
    }

    @Test
    void theProgramGetsJacksonAndNothingOfTheCommandLine() throws Exception {
        assertThat(library).hasSameBinaryContentAs(Artifacts.file("yangtuo", "", "jar"));
        assertThat(natives).hasSameBinaryContentAs(Artifacts.file("yangtuo", "natives-" + Artifacts.platform(), "jar"));
        assertThat(others()).extracting(file -> file.getFileName().toString().replaceFirst("-[0-9].*", ""))
                .containsExactly("jackson-annotations", "jackson-core", "jackson-databind", "jspecify");
    }

    @Test
    void itGeneratesOnTheClassPath() throws Exception {
        Outcome outcome = onClassPath(library, natives);

        assertThat(outcome.output().lines()).hasSize(2).contains(IDS).anyMatch(line -> line.startsWith("backend native"));
        assertThat(outcome.errors()).isEmpty();
    }

    @Test
    void itGeneratesOnTheModulePath() throws Exception {
        Outcome outcome = java("--enable-native-access=dev.yangtuo", "-p", path(library), "-m", "consumer/consumer.Consumer");

        assertThat(outcome.output().lines()).hasSize(2).contains(IDS).anyMatch(line -> line.startsWith("backend native"));
        assertThat(outcome.errors()).isEmpty();
    }

    @Test
    void theNativeJarIsFoundOnTheClassPathWhereTheLibraryHasNone() throws Exception {
        assertThat(onClassPath(libraryWithoutNative, natives).output()).contains("backend native", IDS);
    }

    @Test
    void theNativeJarIsFoundOnTheModulePathOnceItsModuleIsAdded() throws Exception {
        Outcome outcome = java("--enable-native-access=dev.yangtuo", "--add-modules", nativesModule(), "-p", path(libraryWithoutNative, natives),
                "-m", "consumer/consumer.Consumer");

        assertThat(outcome.output()).contains("backend native", IDS);
    }

    @Test
    void withoutANativeJarPlainJavaComputesTheSameAndSaysWhatToAdd() throws Exception {
        Outcome outcome = onClassPath(libraryWithoutNative);

        assertThat(outcome.output().lines()).contains("backend scalar", IDS);
        assertThat(outcome.errors()).contains("dev.yangtuo:yangtuo", "natives-" + Artifacts.platform(), "--add-modules " + nativesModule());
    }
}
