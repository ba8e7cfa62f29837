package dev.yangtuo.llamacpp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.CCompiler;
import dev.yangtuo.ChildJvm;
import dev.yangtuo.bindings.llamacpp.LlamaCpp;
import dev.yangtuo.bindings.llamacpp.llama_context_params;
import dev.yangtuo.exception.NativeLibraryException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A process loads one llama.cpp, hence made-up libraries are each loaded by a Java of its own. */
class LlamaCppLibraryTest {
    private static final int TIMEOUT_SECONDS = 60;
    private static final Path MADE_UP = Path.of("src/test/resources/llamacpp/made-up-llama.c");

    @TempDir
    Path folder;

    /** The program of the other Java: loads the libraries that are named, one after the other, and prints a line for each. */
    static final class Probe {
        private Probe() {}

        public static void main(String[] args) {
            for (String path : args) {
                try {
                    LlamaCppLibrary library = LlamaCppLibrary.load(Path.of(path));
                    System.out.println("loaded " + library.path() + " " + library.version());
                    library.devices().forEach(device -> System.out.println(device.name() + ", " + device.description() + ", " + device.kind() + ", " + device.backend()
                            + ", " + device.freeBytes() + " of " + device.totalBytes()));
                    library.problems().forEach(System.out::println);
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

    /**
     * A made-up library, {@code libllama.so} in a folder of this name.
     *
     * @param definitions macros that make it differ from one that fits
     */
    private Path madeUp(String name, String... definitions) throws Exception {
        String source = Files.readString(MADE_UP);
        StringBuilder all = new StringBuilder();
        Stream.of(definitions).forEach(definition -> all.append("#define ").append(definition).append('\n'));
        all.append(source);
        for (Method method : LlamaCpp.class.getMethods()) {
            String function = method.getName().replace("$address", "");
            if (!function.equals(method.getName()) && !source.contains(" " + function + "(") && !source.contains("*" + function + "(")) {
                all.append("void ").append(function).append("(void) {}\n");
            }
        }
        return CCompiler.library(Files.createDirectories(folder.resolve(name)), "libllama", all.toString());
    }

    private static void touch(Path file) throws IOException {
        Files.createDirectories(file.getParent());
        Files.createFile(file);
    }

    @Test
    void modulesBesideTheLibraryAreLoadedAndWhatCannotBeIsSaid() throws Exception {
        Path library = madeUp("lib");
        touch(library.resolveSibling("libggml-cpu-haswell.so"));
        touch(library.resolveSibling("libggml-cuda.so"));
        CCompiler.library(library.getParent(), "libggml-base", "int tensors = 1;");
        List<String> lines = probe(library, library.getParent());
        String cuda = "libggml-cuda.so cannot be used: failed to load %s: its driver is missing".formatted(library.resolveSibling("libggml-cuda.so"));
        assertThat(lines).filteredOn(line -> line.startsWith("WARNING")).containsExactly("WARNING: llama.cpp: " + cuda);
        List<String> found = List.of("loaded " + library + " 0.5.0", "CPU, %s, CPU, CPU, 3 of 4".formatted(library.getParent()), cuda);
        assertThat(lines).filteredOn(line -> !line.contains("LlamaCppLog") && !line.startsWith("WARNING"))
                .containsExactlyElementsOf(Stream.concat(found.stream(), found.stream()).toList());
    }

    @Test
    void whatTheLibraryNeedsOfItsFolderIsLoadedWithIt() throws Exception {
        Path needed = CCompiler.library(folder, "libneeded", "int needed(void) { return 1; }", "-Wl,-soname,libneeded.so");
        Path library = CCompiler.library(folder, "libllama", "int needed(void); int f(void) { return needed(); }", "-L" + folder, "-lneeded");
        assertThat(probe(library)).singleElement().asString().startsWith("failed " + library + ": has no llama_version");
        Files.delete(needed);
        assertThat(probe(library)).singleElement().asString().startsWith("failed " + library + ": cannot be loaded: ").contains("libneeded.so", "may be missing");
    }

    @ParameterizedTest
    @ValueSource(strings = {"lib/ggml/libggml-cpu.so", "lib/ggml/backends0/libggml-cpu-x64.so", "libexec/libggml-cpu-x64.so"})
    void modulesAreFoundWhereInstallationsHaveThem(String module) throws Exception {
        Path library = madeUp("lib");
        touch(folder.resolve(module));
        assertThat(probe(library)).element(1).asString().startsWith("CPU, %s, ".formatted(folder.resolve(module).getParent()));
    }

    @Test
    void aLibraryWithoutCodeForTheProcessorIsRefused() throws Exception {
        Path library = madeUp("lib");
        touch(library.resolveSibling("libggml-cuda.so"));
        assertThat(probe(library)).singleElement().asString().startsWith("failed " + library + ": has no code for the processor: there is no libggml-cpu* beside it");
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
        Path library = madeUp("newer", "VERSION \"0.6.0\"");
        assertThat(probe(library)).singleElement().asString().startsWith("failed " + library + ": is version 0.6.0; this program fits llama.cpp 0.4.0, 0.5.0");
    }

    @Test
    void aLibraryThatLacksFunctionsIsRefused() throws Exception {
        String source = "const char *llama_version(void) { return \"0.5.0\"; }";
        Path library = CCompiler.library(folder, "libllama", source);
        assertThat(probe(library)).singleElement().asString()
                .matches("failed .*: lacks \\d+ of the functions that are needed, such as ggml_backend_dev_[a-z_]+, .*");
    }

    /** Right by its version, but a member was put into the struct. */
    @Test
    void aLibraryWithAnotherStructIsRefused() throws Exception {
        Path library = madeUp("structs", "VERSION \"0.5.0-dev\"", "CONTEXT_PARAMS uint32_t sizes[8]; int32_t threads[2], types[5]; float rope[6]; uint32_t yarn_orig_ctx;"
                + " float defrag_thold; void *eval[2]; int32_t kv_types[2]; void *abort[2]; bool flags[6]; void *samplers; size_t n_samplers; void *other;");
        assertThat(probe(library)).singleElement().asString()
                .startsWith("failed " + library + ": was built from other sources than its version says: llama_context_params.n_threads at byte 28 is 0x0 instead of 0x4; ")
                .contains("llama_context_params ends at byte %d instead of %d".formatted(llama_context_params.sizeof() + 8, llama_context_params.sizeof()))
                .doesNotContain("llama_model_params", "llama_batch");
    }

    @Test
    void whatIsNoLibraryIsRefusedAndAnotherMayBeTried() throws Exception {
        Path text = Files.writeString(folder.resolve("libllama.so"), "no library, but a text that is longer than the header of one would be");
        Path library = madeUp("newer", "VERSION \"0.6.0\"");
        List<String> lines = probe(text, library);
        assertThat(lines.getFirst()).startsWith("failed " + text + ": is not a shared library");
        assertThat(lines.getLast()).startsWith("failed " + library + ": is version 0.6.0");
    }

    /** Modules are opened by llama.cpp itself, and linked libraries by the linker: over the missing end of one, the process would end. */
    @ParameterizedTest
    @ValueSource(strings = {"libggml-cpu-haswell.so", "libggml-vulkan.so", "libggml-cpu.so.0.9"})
    @EnabledOnOs(OS.LINUX)
    void aPartThatIsCutOffIsRefusedAndAnotherLibraryMayBeTried(String name) throws Exception {
        Path library = madeUp("cut");
        touch(library.resolveSibling("libggml-cpu-x64.so"));
        Path part = library.resolveSibling(name);
        byte[] bytes = Files.readAllBytes(CCompiler.library(folder, "libwhole", "int data[5000] = {1};"));
        Files.write(part, Arrays.copyOf(bytes, bytes.length / 2));
        Path other = madeUp("newer", "VERSION \"0.6.0\"");
        List<String> lines = probe(library, other);
        assertThat(lines.getFirst()).startsWith("failed " + part + ": is a shared library that is cut off");
        assertThat(lines.getLast()).startsWith("failed " + other + ": is version 0.6.0");
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aModuleInAnotherFolderThatIsCutOffIsRefused() throws Exception {
        Path library = madeUp("lib");
        touch(folder.resolve("libexec/libggml-cpu-x64.so"));
        Path outside = folder.resolve("outside.so");
        byte[] bytes = Files.readAllBytes(CCompiler.library(folder, "libwhole", "int data[5000] = {1};"));
        Files.write(outside, Arrays.copyOf(bytes, bytes.length / 2));
        ChildJvm.Outcome outcome =
                ChildJvm.run(TIMEOUT_SECONDS, Map.of("GGML_BACKEND_PATH", outside.toString()), List.of(), Probe.class, library.toString());
        assertThat(outcome.output()).startsWith("failed " + outside + ": is a shared library that is cut off");
        Path module = Files.copy(outside, folder.resolve("libexec/libggml-cuda.so"));
        assertThat(probe(library)).singleElement().asString().startsWith("failed " + module + ": is a shared library that is cut off");
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
