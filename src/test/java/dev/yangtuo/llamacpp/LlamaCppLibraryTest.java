package dev.yangtuo.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.CCompiler;
import dev.yangtuo.ChildJvm;
import dev.yangtuo.bindings.llamacpp.LlamaCpp;
import dev.yangtuo.bindings.llamacpp.llama_context_params;
import dev.yangtuo.exception.NativeLibraryException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process loads one llama.cpp, hence made-up libraries are each loaded by a Java of its own. */
class LlamaCppLibraryTest {
    private static final int TIMEOUT_SECONDS = 60;

    @TempDir
    Path folder;

    /** The program of the other Java: loads the libraries that are named, one after the other, and prints a line for each. */
    static final class Probe {
        private Probe() {}

        public static void main(String[] args) {
            for (String path : args) {
                try {
                    System.out.println("loaded " + LlamaCppLibrary.load(Path.of(path)).path());
                } catch (NativeLibraryException e) {
                    System.out.println("failed " + e.getMessage());
                }
            }
        }
    }

    private List<String> probe(Object... paths) throws Exception {
        String[] arguments = Stream.of(paths).map(Object::toString).toArray(String[]::new);
        ChildJvm.Outcome outcome = ChildJvm.run(TIMEOUT_SECONDS, Map.of(), List.of(), Probe.class, arguments);
        assertThat(outcome.exitCode()).as(outcome.output()).isZero();
        return outcome.output().lines().toList();
    }

    /** A library with these functions, and all others that are bound, which do nothing. */
    private Path fake(String name, Map<String, String> functions) throws Exception {
        StringBuilder source = new StringBuilder("#include <stdint.h>\n");
        functions.values().forEach(source::append);
        for (Method method : LlamaCpp.class.getMethods()) {
            String function = method.getName().replace("$address", "");
            if (!function.equals(method.getName()) && !functions.containsKey(function)) {
                source.append("void ").append(function).append("(void) {}\n");
            }
        }
        return CCompiler.library(Files.createDirectory(folder.resolve(name)), "libllama", source.toString());
    }

    private static Map<String, String> version(String version) {
        return Map.of("llama_version", "const char *llama_version(void) { return \"%s\"; }\n".formatted(version));
    }

    @Test
    void aLibraryWithoutAVersionIsRefusedAndStaysTheOneOfTheProcess() throws Exception {
        Path library = CCompiler.library(folder, "libllama", "int something_else(void) { return 1; }");
        Path other = CCompiler.library(Files.createDirectory(folder.resolve("other")), "libllama", "int something_else(void) { return 2; }");
        List<String> lines = probe(library, other, folder);
        assertThat(lines.get(0)).startsWith("failed " + library + ": has no llama_version").contains("fits llama.cpp 0.4.0, 0.5.0", "docs/llama-cpp.md");
        assertThat(lines.get(1)).startsWith("failed " + other).contains("this process has already loaded " + library.toRealPath());
        assertThat(lines.get(2)).isEqualTo(lines.get(0));
    }

    @Test
    void aLibraryOfAnotherVersionIsRefused() throws Exception {
        Path library = fake("newer", version("0.6.0"));
        assertThat(probe(library)).singleElement().asString().startsWith("failed " + library + ": is version 0.6.0; this program fits llama.cpp 0.4.0, 0.5.0");
    }

    @Test
    void aLibraryThatLacksFunctionsIsRefused() throws Exception {
        String source = "const char *llama_version(void) { return \"0.5.0\"; }";
        Path library = CCompiler.library(folder, "libllama", source);
        assertThat(probe(library)).singleElement().asString()
                .startsWith("failed " + library + ": lacks functions: ggml_backend_dev_backend_reg, ")
                .contains("llama_decode");
    }

    /** Right by its version, but a member was put into one struct, and another has become smaller; the third is that of the bindings. */
    @Test
    void aLibraryWithOtherStructsIsRefused() throws Exception {
        String context = """
                struct context { uint32_t before[2]; int64_t added; char rest[%d]; };
                struct context llama_context_default_params(void) { struct context result = { {512, 2048}, 7 }; return result; }
                """.formatted(llama_context_params.sizeof() - 8);
        String model = """
                struct model { void *pointers[2]; int32_t n_gpu_layers, split_mode, load_mode; };
                struct model llama_model_default_params(void) { struct model result = { {0, 0}, -1, 1, -1 }; return result; }
                """;
        String batch = """
                struct batch { int32_t n_tokens; void *token; void *pointers[5]; };
                struct batch llama_batch_get_one(void *token, int32_t n_tokens) { struct batch result = { n_tokens, token }; return result; }
                """;
        Path library = fake("structs", Map.of(
                "llama_version", "const char *llama_version(void) { return \"0.5.0-dev\"; }\n",
                "llama_context_default_params", context,
                "llama_model_default_params", model,
                "llama_batch_get_one", batch));
        assertThat(probe(library)).singleElement().asString()
                .startsWith("failed " + library + ": was built from other sources than its version says: ")
                .contains("llama_model_params ends at byte 32 instead of 78", "llama_context_params.n_ubatch at byte 8 is 0x7 instead of 0x200",
                        "llama_context_params ends at byte %d instead of ".formatted(llama_context_params.sizeof() + 8))
                .doesNotContain("llama_batch");
    }

    @Test
    void whatIsNoLibraryIsRefusedAndAnotherMayBeTried() throws Exception {
        Path text = Files.writeString(folder.resolve("libllama.so"), "no library, but a text that is longer than the header of one would be");
        Path library = fake("newer", version("0.6.0"));
        List<String> lines = probe(text, library);
        assertThat(lines.getFirst()).startsWith("failed " + text + ": is not a shared library");
        assertThat(lines.getLast()).startsWith("failed " + library + ": is version 0.6.0");
    }

    @Test
    void itIsLoadedOnceAndHasTheProcessor() {
        LlamaCppLibrary library = SharedLibrary.assumed();
        assertThat(LlamaCppLibrary.load(library.path())).isSameAs(library);
        assertThat(LlamaCppLibrary.find(null)).contains(library.path());
        assertThat(LlamaCppVersion.isSupported(library.version())).isTrue();
        assertThat(library.devices()).anySatisfy(device -> {
            assertThat(device.kind()).isEqualTo(Device.Kind.CPU);
            assertThat(device.name()).isEqualTo("CPU");
            assertThat(device.totalBytes()).isPositive();
        });
    }

    @Test
    void itsStructsAreThoseOfTheBindings() {
        SharedLibrary.assumed();
        assertThat(StructLayouts.differences()).isEmpty();
    }

    @Test
    void itsErrorsReachTheException() {
        LlamaCppLibrary library = SharedLibrary.assumed();
        try (Arena arena = Arena.ofConfined(); LlamaCppLog.Capture errors = library.log().capture()) {
            MemorySegment model = LlamaCpp.llama_model_load_from_file(arena.allocateFrom("/no/such.gguf"), LlamaCpp.llama_model_default_params(arena));
            assertThat(model).isEqualTo(MemorySegment.NULL);
            assertThat(errors.text()).contains("/no/such.gguf");
        }
    }
}
