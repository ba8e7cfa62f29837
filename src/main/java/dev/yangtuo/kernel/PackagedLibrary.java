package dev.yangtuo.kernel;

import dev.yangtuo.exception.NativeLibraryException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The native library as a jar holds it, this one's or that of the platform: a file to be unpacked, for the operating system's loader takes files only, and its
 * checksum.
 *
 * @param content the library
 * @param fileName what the unpacked file is called
 * @param sha256 64 hexadecimal digits, lower case
 * @param version of the jar; part of the name of its folder in the cache, for people who look there
 */
record PackagedLibrary(URL content, String fileName, String sha256, String version) {
    private static final int CHECKSUM_DIGITS = 64;
    /** More than the library of the processor has; that of CUDA devices may have a hundred times as many. */
    private static final int COMPARED_BYTES = 1 << 22;

    /**
     * The library for a platform.
     *
     * @throws NativeLibraryException if no jar holds one, or its checksum cannot be read
     */
    static PackagedLibrary find(NativePlatform platform) {
        PackagedLibrary library = find(platform, "yangtuo");
        if (library == null) {
            throw new NativeLibraryException(
                    "%s: no jar on the class path holds a native library for %s; add the artifact dev.yangtuo:yangtuo with the classifier natives-%2$s (on the"
                                    .formatted(platform.resource(), platform)
                            + " module path with --add-modules %s), build Yangtuo on this machine, or name a library with -D%s=FILE"
                                    .formatted(platform.moduleName(), NativeLibrary.PATH_PROPERTY),
                    null);
        }
        return library;
    }

    /**
     * Any library for a platform; null if no jar holds it.
     *
     * @param baseName as {@link NativePlatform#fileName(String)} takes it
     * @throws NativeLibraryException if its checksum cannot be read
     */
    static @Nullable PackagedLibrary find(NativePlatform platform, String baseName) {
        String resource = platform.resource(baseName);
        URL content = resource(resource);
        if (content == null) {
            return null;
        }
        String version = PackagedLibrary.class.getPackage().getImplementationVersion();
        return new PackagedLibrary(content, platform.fileName(baseName), readChecksum(resource + ".sha256"), version == null ? "unpackaged" : version);
    }

    /** Of this jar, or of another one: on the module path a class finds what is in its own module only, its loader what is in the others. */
    private static @Nullable URL resource(String name) {
        URL own = PackagedLibrary.class.getResource(name);
        ClassLoader loader = PackagedLibrary.class.getClassLoader();
        return own != null || loader == null ? own : loader.getResource(name.substring(1));
    }

    private static String readChecksum(String resource) {
        URL checksum = resource(resource);
        try (InputStream in = checksum == null ? InputStream.nullInputStream() : checksum.openStream()) {
            // A byte more than the digits: the line may end with a newline, and nothing longer is read into memory.
            String digits = new String(in.readNBytes(CHECKSUM_DIGITS + 1), StandardCharsets.ISO_8859_1).strip();
            if (digits.length() != CHECKSUM_DIGITS || !digits.matches("[0-9a-f]*")) {
                throw damaged(resource + " is not a SHA-256 checksum", null);
            }
            return digits;
        } catch (IOException e) {
            throw damaged(resource + " cannot be read: " + e, e);
        }
    }

    /**
     * The library as a file below a cache folder, unpacked if it is not there or is not what it should be. Any number of threads and
     * processes may do this at once: each writes a file of its own and moves it into place, where all of them are the same.
     *
     * @param cache created if it does not exist
     * @return the file, which was that of the jar a moment ago
     * @throws IOException if the cache cannot be written
     * @throws NativeLibraryException if the jar's library does not have the jar's checksum
     */
    Path unpackBelow(Path cache) throws IOException {
        // Part of the checksum in the name: two builds of one version never replace each other's file.
        Path folder = cache.resolve("native").resolve(version + "-" + sha256.substring(0, 16));
        Path file = folder.resolve(fileName);
        if (isIntact(file)) {
            return file;
        }
        Files.createDirectories(folder);
        unpackTo(file);
        return file;
    }

    /** Writes the library beside its place and moves it there, over whatever is there. */
    private void unpackTo(Path file) throws IOException {
        Path unfinished = file.resolveSibling(fileName + "." + UUID.randomUUID() + ".tmp");
        try {
            MessageDigest digest = sha256Digest();
            try (InputStream in = new DigestInputStream(content.openStream(), digest);
                    OutputStream out = Files.newOutputStream(unfinished, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                in.transferTo(out);
            }
            String actual = HexFormat.of().formatHex(digest.digest());
            if (!actual.equals(sha256)) {
                throw damaged("%s has the SHA-256 %s, expected %s".formatted(content, actual, sha256), null);
            }
            try {
                Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(unfinished, file, StandardCopyOption.REPLACE_EXISTING);
            }
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    /** Compared with the jar, byte by byte: at the start of a program, before anything is compiled, a checksum takes ten times as long. */
    private boolean isIntact(Path file) {
        try (InputStream packaged = content.openStream(); InputStream unpacked = Files.newInputStream(file)) {
            byte[] expected;
            do {
                expected = packaged.readNBytes(COMPARED_BYTES);
                if (!Arrays.equals(unpacked.readNBytes(COMPARED_BYTES), expected)) {
                    return false;
                }
            } while (expected.length > 0);
            return true;
        } catch (IOException e) {
            return false; // not there, or not readable: either way it is to be replaced
        }
    }

    private static MessageDigest sha256Digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    private static NativeLibraryException damaged(String problem, @Nullable IOException cause) {
        return new NativeLibraryException(problem + "; the jar is damaged, build or install it again", cause);
    }
}
