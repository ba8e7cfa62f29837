package dev.yangtuo.packaging;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/** The files of the Maven repository {@code target/repository}, and what is in them. */
final class Artifacts {
    static final Path CHECKOUT = Path.of(System.getProperty("checkout")).toAbsolutePath().normalize();
    static final Path REPOSITORY = CHECKOUT.resolve("target/repository");

    private Artifacts() {}

    /** An artifact of this classifier (empty: the main one) and extension; it may not exist. */
    static Path file(String artifactId, String classifier, String extension) throws IOException {
        Path pom = pom(artifactId);
        String name = pom.getFileName().toString().replaceFirst("\\.pom$", "");
        return pom.resolveSibling(name + (classifier.isEmpty() ? "" : "-" + classifier) + "." + extension);
    }

    static Path pom(String artifactId) throws IOException {
        try (Stream<Path> files = Files.walk(REPOSITORY.resolve("dev/yangtuo").resolve(artifactId))) {
            List<Path> poms = files.filter(file -> file.toString().endsWith(".pom")).toList();
            if (poms.size() != 1) {
                throw new IOException("%s should have one POM of %s, found %s".formatted(REPOSITORY, artifactId, poms));
            }
            return poms.getFirst();
        }
    }

    /** As the folder of the repository is called: a snapshot is a snapshot, without the time that its files have. */
    static String version(String artifactId) throws IOException {
        return pom(artifactId).getParent().getFileName().toString();
    }

    /** The classifiers of the native jars that were made. */
    static TreeSet<String> nativeClassifiers() throws IOException {
        Path pom = pom("yangtuo");
        String prefix = pom.getFileName().toString().replaceFirst("\\.pom$", "-");
        TreeSet<String> classifiers = new TreeSet<>();
        try (Stream<Path> files = Files.list(pom.getParent())) {
            files.map(file -> file.getFileName().toString())
                    .filter(name -> name.startsWith(prefix + "natives-") && name.endsWith(".jar"))
                    .forEach(name -> classifiers.add(name.substring(prefix.length(), name.length() - ".jar".length())));
        }
        return classifiers;
    }

    /** This machine as the native jars name it. */
    static String platform() {
        String os = System.getProperty("os.name").startsWith("Mac") ? "macos" : "linux";
        return os + "-" + System.getProperty("os.arch").replace("amd64", "x86_64");
    }

    /** Names of the files in a zip or jar, without those of the folders. */
    static TreeSet<String> entries(Path zip) throws IOException {
        try (ZipFile file = new ZipFile(zip.toFile())) {
            TreeSet<String> names = new TreeSet<>();
            file.stream().filter(entry -> !entry.isDirectory()).map(ZipEntry::getName).forEach(names::add);
            return names;
        }
    }

    static byte[] entry(Path zip, String name) throws IOException {
        try (ZipFile file = new ZipFile(zip.toFile())) {
            ZipEntry entry = file.getEntry(name);
            if (entry == null) {
                throw new IOException("%s has no %s".formatted(zip, name));
            }
            return file.getInputStream(entry).readAllBytes();
        }
    }

    /** The root element of an XML file. */
    static Element xml(Path file) throws Exception {
        return DocumentBuilderFactory.newNSInstance().newDocumentBuilder().parse(new ByteArrayInputStream(Files.readAllBytes(file))).getDocumentElement();
    }

    /** The elements at the end of a path of names below an element. */
    static List<Element> children(Element parent, String... path) {
        List<Element> found = List.of(parent);
        for (String name : path) {
            List<Element> next = new ArrayList<>();
            for (Element element : found) {
                for (Node child = element.getFirstChild(); child != null; child = child.getNextSibling()) {
                    if (child instanceof Element candidate && name.equals(candidate.getLocalName())) {
                        next.add(candidate);
                    }
                }
            }
            found = next;
        }
        return found;
    }

    /** The text of the first element at the end of a path, empty if there is none. */
    static String text(Element parent, String... path) {
        List<Element> found = children(parent, path);
        return found.isEmpty() ? "" : found.getFirst().getTextContent().strip();
    }
}
