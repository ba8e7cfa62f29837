package dev.yangtuo.llamacpp;

import java.util.List;

/** The versions of llama.cpp that the bindings have been run with. */
final class LlamaCppVersion {
    /** Oldest first. {@code bindings/llama.cpp/VERSION} is one of them: the bindings are made from its headers. */
    static final List<String> SUPPORTED = List.of("0.4.0", "0.5.0");
    /** What builds that are not made for a release append to the version of the last one. */
    private static final String DEVELOPMENT = "-dev";

    private LlamaCppVersion() {}

    /** Whether the bindings fit a library that says it is of this version, or was built from a development state behind it, whose structs must then be compared. */
    static boolean isSupported(String version) {
        return SUPPORTED.contains(version.endsWith(DEVELOPMENT) ? version.substring(0, version.length() - DEVELOPMENT.length()) : version);
    }
}
