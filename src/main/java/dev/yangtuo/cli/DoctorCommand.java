package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.OperatingSystemMXBean;
import dev.yangtuo.bench.Machine;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.kernel.NativeBackend;
import dev.yangtuo.kernel.NativeLibrary;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Says what the library finds on this machine. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        description = "Shows the JDK, the processor's features, the kernels chosen, the native library, memory and large pages, CUDA devices, llama.cpp and its devices.",
        footer = {
            "Fails if the native library cannot be used: plain Java would then compute, many times slower. Without CUDA devices and llama.cpp all else works; where --engine-path names it, it"
                    + " must be usable.",
            "  yangtuo doctor",
            "  yangtuo doctor --json",
            "  yangtuo doctor --engine-path /opt/llama.cpp"
        })
final class DoctorCommand implements Callable<Integer> {
    private static final Path HUGE_PAGES = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");

    @Spec
    private CommandSpec spec;

    @Option(names = "--json", description = "Write one JSON object instead of text; docs/formats.md describes it.")
    private boolean json;

    @Mixin
    private EnginePathOption enginePath = new EnginePathOption();

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        Machine machine = Machine.here();
        Library library = Library.look();
        DeviceFinding devices = DeviceFinding.look();
        LlamaCppFinding llamaCpp = LlamaCppFinding.look(enginePath.path());
        if (json) {
            ObjectNode object = object(machine, library);
            object.set("cuda", devices.json());
            object.set("llama_cpp", llamaCpp.json());
            JsonResult.write(object, out);
        } else {
            writeText(machine, library, out);
            for (String value : devices.lines()) {
                line(out, value.startsWith("cuda:") ? "cuda device" : "cuda", value);
            }
            llamaCpp.lines().forEach(each -> line(out, each.name(), each.value()));
        }
        StandardOutput.flush(out);
        boolean fails = library.problem != null || enginePath.path() != null && llamaCpp.library() == null;
        return fails ? CommandLine.ExitCode.SOFTWARE : CommandLine.ExitCode.OK;
    }

    private static void writeText(Machine machine, Library library, PrintWriter out) {
        line(out, "yangtuo", Version.number());
        line(out, "jdk", "%s, %s, %s".formatted(machine.java(), System.getProperty("java.vendor"), System.getProperty("java.home")));
        line(out, "system", machine.system());
        line(out, "processors", machine.processors());
        line(out, "memory", String.format(
                Locale.ROOT,
                "%.1f GB, %.1f GB of it free; Java heap at most %.1f GB (weights are kept outside of it)",
                machine.memoryBytes() / 1e9,
                freeMemory() / 1e9,
                Runtime.getRuntime().maxMemory() / 1e9));
        String setting = largePages();
        line(out, "large pages", setting == null ? "unknown (%s cannot be read)".formatted(HUGE_PAGES)
                : setting + (areUsed(setting) ? "" : "; weights would be read faster with: echo madvise > " + HUGE_PAGES));
        if (library.file != null) {
            line(out, "native library", library.file);
            line(out, "features", machine.features());
            line(out, "kernels", library.kernels.stream()
                    .map(kernel -> kernel.name + (kernel.supported ? "" : " (not on this processor)"))
                    .collect(Collectors.joining(", ")));
        }
        line(out, library.problem == null ? "chosen" : "problem", library.problem == null ? library.chosen : library.problem);
    }

    private static ObjectNode object(Machine machine, Library library) {
        String setting = largePages();
        ObjectNode object = JsonResult.object()
                .put("version", Version.number())
                .put("java", machine.java())
                .put("java_vendor", System.getProperty("java.vendor"))
                .put("java_home", System.getProperty("java.home"))
                .put("system", machine.system())
                .put("machine", machine.processor())
                .put("processors", machine.processors())
                .put("memory_bytes", machine.memoryBytes())
                .put("free_memory_bytes", freeMemory())
                .put("heap_bytes", Runtime.getRuntime().maxMemory())
                .put("large_pages", setting == null ? null : areUsed(setting))
                .put("native_library", library.file == null ? null : library.file.toString())
                .put("features", machine.features());
        ArrayNode kernels = object.putArray("kernels");
        library.kernels.forEach(kernel -> kernels.addObject().put("name", kernel.name).put("supported", kernel.supported));
        return object.put("kernel", library.chosen).put("problem", library.problem);
    }

    private static long freeMemory() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getFreeMemorySize();
    }

    /** Linux's setting; null where it cannot be read. */
    private static @Nullable String largePages() {
        try {
            return Files.readString(HUGE_PAGES).strip();
        } catch (IOException e) {
            return null;
        }
    }

    private static boolean areUsed(String setting) {
        return setting.contains("[always]") || setting.contains("[madvise]");
    }

    private static void line(PrintWriter out, String name, @Nullable Object value) {
        out.println(String.format(Locale.ROOT, "%-15s %s", name, value));
    }

    private record Kernel(String name, boolean supported) {}

    /**
     * The native library.
     *
     * @param file null if it cannot be loaded
     * @param chosen the kernels that compute; null if there is a problem
     */
    private record Library(@Nullable Path file, List<Kernel> kernels, @Nullable String chosen, @Nullable String problem) {
        static Library look() {
            Path file = null;
            List<Kernel> kernels = List.of();
            try {
                file = NativeLibrary.path();
                kernels = NativeBackend.kernelNames().stream().map(name -> new Kernel(name, NativeBackend.isSupported(name))).toList();
                try (NativeBackend backend = NativeBackend.open(1)) {
                    return new Library(file, kernels, backend.name().substring("native ".length()), null);
                }
            } catch (YangtuoException e) {
                return new Library(file, kernels, null, e.getMessage());
            }
        }
    }
}
