package dev.yangtuo.kernel;

import java.util.Locale;

/**
 * The kind of machine that a native library was compiled for.
 *
 * @param os {@code linux}, {@code macos}, {@code windows}, or whatever else the JDK says, in lower case
 * @param arch {@code x86_64}, {@code aarch64}, or whatever else the JDK says, in lower case
 */
record NativePlatform(String os, String arch) {

    /** The machine that this program runs on. */
    static NativePlatform current() {
        return of(System.getProperty("os.name"), System.getProperty("os.arch"));
    }

    /** From the JDK's names, of which there are several for the same thing. */
    static NativePlatform of(String osName, String osArch) {
        String os = osName.toLowerCase(Locale.ROOT);
        String arch = osArch.toLowerCase(Locale.ROOT);
        if (os.startsWith("mac") || os.startsWith("darwin")) {
            os = "macos";
        } else if (os.startsWith("windows")) {
            os = "windows";
        }
        return switch (arch) {
            case "amd64", "x64", "x86-64" -> new NativePlatform(os, "x86_64");
            case "arm64" -> new NativePlatform(os, "aarch64");
            default -> new NativePlatform(os, arch);
        };
    }

    /** Name of the library's file as this operating system has it, such as {@code libyangtuo.so}. */
    String fileName() {
        return fileName("yangtuo");
    }

    /**
     * Name of the file of any library.
     *
     * @param baseName its name without what operating systems put before and behind it
     */
    String fileName(String baseName) {
        return switch (os) {
            case "windows" -> baseName + ".dll";
            case "macos" -> "lib" + baseName + ".dylib";
            default -> "lib" + baseName + ".so";
        };
    }

    /** Name of the module that a jar of this platform's library is on the module path. */
    String moduleName() {
        return "dev.yangtuo.natives." + os + "." + arch;
    }

    /** Where a jar holds the library of this platform. */
    String resource() {
        return resource("yangtuo");
    }

    /** Where a jar holds any library of this platform. */
    String resource(String baseName) {
        return "/META-INF/native/" + this + "/" + fileName(baseName);
    }

    @Override
    public String toString() {
        return os + "-" + arch;
    }
}
