package dev.yangtuo.packaging;

import static dev.yangtuo.packaging.Artifacts.children;
import static dev.yangtuo.packaging.Artifacts.entries;
import static dev.yangtuo.packaging.Artifacts.entry;
import static dev.yangtuo.packaging.Artifacts.file;
import static dev.yangtuo.packaging.Artifacts.pom;
import static dev.yangtuo.packaging.Artifacts.text;
import static dev.yangtuo.packaging.Artifacts.version;
import static dev.yangtuo.packaging.Artifacts.xml;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.Attributes;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Element;

/** What a release consists of: each artifact has in it what it is for. */
class ArtifactsTest {
    /** Processors as the field {@code e_machine} of an ELF file says them, at byte 18. */
    private static final Map<String, Integer> ELF_MACHINES = Map.of("x86_64", 62, "aarch64", 183);

    private static Path library() throws IOException {
        return file("yangtuo", "", "jar");
    }

    private static Attributes manifest(Path jar) throws IOException {
        return new Manifest(new ByteArrayInputStream(entry(jar, "META-INF/MANIFEST.MF"))).getMainAttributes();
    }

    @Test
    void theLibraryHasItsLicenceAndTheNativeLibraryOfTheMachineThatBuiltIt() throws Exception {
        assertThat(entries(library()))
                .contains("module-info.class", "dev/yangtuo/Llama.class", "META-INF/LICENSE")
                .filteredOn(name -> name.startsWith("META-INF/native/") && !name.endsWith(".sha256"))
                .singleElement().asString().startsWith("META-INF/native/" + Artifacts.platform() + "/");
        assertThat(manifest(library()).getValue("Implementation-Version")).isEqualTo(version("yangtuo"));
        // It would name files that are not there: what a program needs, its build tool adds.
        assertThat(manifest(library()).getValue("Class-Path")).isNull();
    }

    @Test
    void theSourcesHaveEveryClassTheBindingsIncluded() throws Exception {
        TreeSet<String> sources = entries(file("yangtuo", "sources", "jar"));
        assertThat(sources).contains("dev/yangtuo/bindings/YangtuoNative.java", "dev/yangtuo/bindings/llamacpp/LlamaCpp.java");
        assertThat(entries(library()).stream()
                        .filter(name -> name.endsWith(".class") && !name.contains("$"))
                        .map(name -> name.replaceFirst("class$", "java")))
                .isNotEmpty()
                .allSatisfy(source -> assertThat(sources).contains(source));
    }

    @Test
    void theJavadocIsOfTheExportedPackages() throws Exception {
        ModuleDescriptor module = ModuleDescriptor.read(new ByteArrayInputStream(entry(library(), "module-info.class")));
        assertThat(entries(file("yangtuo", "javadoc", "jar")).stream().filter(name -> name.endsWith("/package-summary.html")))
                .containsExactlyInAnyOrderElementsOf(module.exports().stream()
                        .map(exports -> "dev.yangtuo/" + exports.source().replace('.', '/') + "/package-summary.html")
                        .toList());
    }

    @Test
    void thereIsANativeJarOfThisMachine() throws Exception {
        assertThat(Artifacts.nativeClassifiers()).contains("natives-" + Artifacts.platform());
    }

    @ParameterizedTest
    @MethodSource("dev.yangtuo.packaging.Artifacts#nativeClassifiers")
    void aNativeJarHasTheLibraryOfItsPlatformAndNoClasses(String classifier) throws Exception {
        Path jar = file("yangtuo", classifier, "jar");
        String module = classifier.substring("natives-".length());
        boolean isCuda = module.endsWith("-cuda");
        String platform = isCuda ? module.substring(0, module.length() - "-cuda".length()) : module;
        String folder = "META-INF/native/" + platform + "/";
        String library = folder + (platform.startsWith("macos") ? "libyangtuo.dylib" : isCuda ? "libyangtuo-cuda.so" : "libyangtuo.so");

        assertThat(entries(jar)).containsExactlyInAnyOrder("META-INF/MANIFEST.MF", "META-INF/LICENSE", library, library + ".sha256");
        byte[] content = entry(jar, library);
        assertThat(new String(entry(jar, library + ".sha256"), StandardCharsets.US_ASCII).strip())
                .isEqualTo(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content)));
        if (platform.startsWith("linux")) {
            assertThat((int) content[18] & 0xFF).isEqualTo(ELF_MACHINES.get(platform.substring("linux-".length())));
        }
        assertThat(manifest(jar).getValue("Automatic-Module-Name")).isEqualTo("dev.yangtuo.natives." + module.replace('-', '.'));
    }

    @Test
    void theBomManagesTheLibraryAndEveryNativeJarInItsOwnVersion() throws Exception {
        Element bom = xml(pom("yangtuo-bom"));
        TreeSet<String> managed = new TreeSet<>();
        for (Element dependency : children(bom, "dependencyManagement", "dependencies", "dependency")) {
            assertThat(text(dependency, "groupId")).isEqualTo("dev.yangtuo");
            assertThat(text(dependency, "artifactId")).isEqualTo("yangtuo");
            assertThat(text(dependency, "version")).isEqualTo("${project.version}");
            managed.add(text(dependency, "classifier"));
        }

        assertThat(managed).contains("").containsAll(Artifacts.nativeClassifiers());
        assertThat(text(bom, "version")).isEqualTo(version("yangtuo")).isEqualTo(version("yangtuo-bom"));
    }

    @Test
    void theBillOfMaterialsListsTheDependenciesOfThePom() throws Exception {
        TreeMap<String, String> declared = new TreeMap<>();
        for (Element dependency : children(xml(pom("yangtuo")), "dependencies", "dependency")) {
            declared.put(
                    "pkg:maven/%s/%s@%s?type=jar".formatted(text(dependency, "groupId"), text(dependency, "artifactId"), text(dependency, "version")),
                    text(dependency, "optional").equals("true") ? "optional" : "required");
        }
        Element bill = xml(file("yangtuo", "cyclonedx", "xml"));
        String root = children(bill, "metadata", "component").getFirst().getAttribute("bom-ref");
        TreeSet<String> direct = new TreeSet<>();
        for (Element node : children(bill, "dependencies", "dependency")) {
            if (node.getAttribute("ref").equals(root)) {
                children(node, "dependency").forEach(dependency -> direct.add(dependency.getAttribute("ref")));
            }
        }
        Map<String, String> listed = children(bill, "components", "component").stream()
                .filter(component -> direct.contains(component.getAttribute("bom-ref")))
                .collect(Collectors.toMap(component -> text(component, "purl"), component -> text(component, "scope"), (a, b) -> a, TreeMap::new));

        assertThat(declared).isNotEmpty();
        assertThat(listed).isEqualTo(declared);
        assertThat(file("yangtuo", "cyclonedx", "json")).exists();
    }

    @ParameterizedTest
    @ValueSource(strings = {"yangtuo", "yangtuo-bom"})
    void thePomHasWhatMavenCentralAsksFor(String artifactId) throws Exception {
        Element pom = xml(pom(artifactId));
        for (String[] path : new String[][] {
            {"name"}, {"description"}, {"url"}, {"licenses", "license", "name"}, {"licenses", "license", "url"},
            {"developers", "developer", "name"}, {"scm", "connection"}, {"scm", "url"}
        }) {
            assertThat(text(pom, path)).as(String.join("/", path)).isNotEmpty();
        }
        // Both are the same project's.
        String properties = children(pom, "properties").isEmpty() ? "" : text(pom, "properties", "yangtuo.repository");
        assertThat(text(pom, "scm", "url").replace("${yangtuo.repository}", properties)).isEqualTo(text(xml(pom("yangtuo")), "scm", "url"));
    }

    @Test
    void theLibrarysPomIsMetadataAndDependenciesAlone() throws Exception {
        Element pom = xml(pom("yangtuo"));
        assertThat(children(pom, "build")).isEmpty();
        assertThat(children(pom, "profiles")).isEmpty();
        assertThat(Files.readString(pom("yangtuo"))).doesNotContain("${");
        assertThat(children(pom, "dependencies", "dependency")).extracting(dependency -> text(dependency, "scope")).containsOnly("compile", "runtime");
    }
}
