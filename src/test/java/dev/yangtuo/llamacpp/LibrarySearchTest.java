package dev.yangtuo.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.NativeLibraryException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LibrarySearchTest {
    @TempDir
    Path folder;

    private Path file(String name) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.createFile(file);
    }

    private LibrarySearch named(Path path) {
        return LibrarySearch.of(path, "", "", "");
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "libllama.so", "lib/libllama.so.0", "lib64/libllama.so.0.5.0", "build/bin/libllama.dylib", "libllama.0.5.0.dylib", "bins/linux-x64/libllama.v0.5.0.so",
        "bins/linux-x64-vulkan/libllama.vulkan.v0.5.0.so", "llama.dll"
    })
    void installationsBuildsAndNpmPackagesAreKnownByTheirFolder(String name) throws IOException {
        Path library = file(name);
        file(name.replace("llama", "llama-common"));
        file(name.replace("llama", "ggml"));
        assertThat(named(folder).require()).isEqualTo(library);
        assertThat(named(library).require()).isEqualTo(library);
    }

    @Test
    void ofALibraryAndItsLinksTheShortestNameCounts() throws IOException {
        file("libllama.so.0.5.0");
        file("libllama.so.0");
        assertThat(named(folder).require()).isEqualTo(folder.resolve("libllama.so.0"));
    }

    @Test
    void thePathComesBeforeThePropertyBeforeTheVariableBeforeTheUsualPlaces() throws IOException {
        Path path = file("path/libllama.so");
        Path property = file("property/libllama.so");
        Path variable = file("variable/libllama.so");
        Path usual = file("usual/libllama.so");
        String libraryPath = folder.resolve("none") + File.pathSeparator + usual.getParent();
        String propertyText = property.getParent().toString();
        String variableText = variable.getParent().toString();
        assertThat(LibrarySearch.of(path.getParent(), propertyText, variableText, libraryPath).require()).isEqualTo(path);
        assertThat(LibrarySearch.of(null, propertyText, variableText, libraryPath).require()).isEqualTo(property);
        assertThat(LibrarySearch.of(null, "", variableText, libraryPath).require()).isEqualTo(variable);
        assertThat(LibrarySearch.of(null, "", "", libraryPath).require()).isEqualTo(usual);
    }

    @Test
    void whereSomethingIsNamedNothingElseIsTaken() throws IOException {
        Path usual = file("usual/libllama.so");
        LibrarySearch search = LibrarySearch.of(null, "", folder.resolve("none").toString(), usual.getParent().toString());
        assertThat(search.find()).isEmpty();
        assertThatThrownBy(search::require)
                .isInstanceOf(NativeLibraryException.class)
                .hasMessageContainingAll(folder.resolve("none") + ": no such file or folder", "YANGTUO_LLAMA_CPP_PATH", "docs/llama-cpp.md");
    }

    @Test
    void messagesSayWhatWasLookedAt() throws IOException {
        Path text = file("readme.txt");
        Path common = file("libllama-common.so");
        assertThatThrownBy(() -> named(folder).require()).hasMessageContainingAll(folder + ": no shared library of llama.cpp", "build/bin");
        assertThatThrownBy(() -> named(text).require()).hasMessageContaining(text + ": is not llama.cpp's shared library");
        assertThatThrownBy(() -> named(common).require()).hasMessageContaining("is not llama.cpp's shared library");
        assertThatThrownBy(() -> LibrarySearch.of(null, "a\0b", "", "").require()).hasMessageContainingAll("is no path", "yangtuo.llama.cpp.path");
    }

    @Test
    void aFolderBelowTheCurrentOneMustBeNamedToBeTrusted() {
        assertThat(LibrarySearch.of(null, "", "", "." + File.pathSeparator + "lib" + File.pathSeparator).places()).allMatch(Path::isAbsolute);
    }
}
