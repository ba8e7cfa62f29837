package dev.yangtuo.cli;

import com.sun.management.OperatingSystemMXBean;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.kernel.NativeBackend;
import dev.yangtuo.kernel.NativeLibrary;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Says what the library finds on this machine. */
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        description = "Shows the JDK, the processor's features, the kernels chosen, the native library, memory and large pages.",
        footer = "Exit code 1 if the native library cannot be used: plain Java would then compute, many times slower.")
final class DoctorCommand implements Callable<Integer> {
    private static final Path HUGE_PAGES = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        line(out, "yangtuo", new Version().getVersion()[0].substring("yangtuo ".length()));
        line(out, "jdk", "%s, %s, %s".formatted(Runtime.version(), System.getProperty("java.vendor"), System.getProperty("java.home")));
        line(out, "system", "%s %s, %s".formatted(
                System.getProperty("os.name"), System.getProperty("os.version"), System.getProperty("os.arch")));
        line(out, "processors", Runtime.getRuntime().availableProcessors());
        memory(out);
        line(out, "large pages", largePages());
        boolean healthy = nativeLibrary(out);
        out.flush();
        return healthy ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
    }

    private static void memory(PrintWriter out) {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        line(out, "memory", String.format(
                Locale.ROOT,
                "%.1f GB, %.1f GB of it free; Java heap at most %.1f GB (weights are kept outside of it)",
                system.getTotalMemorySize() / 1e9,
                system.getFreeMemorySize() / 1e9,
                Runtime.getRuntime().maxMemory() / 1e9));
    }

    private static String largePages() {
        try {
            String setting = Files.readString(HUGE_PAGES).strip();
            boolean used = setting.contains("[always]") || setting.contains("[madvise]");
            return setting + (used ? "" : "; weights would be read faster with: echo madvise > " + HUGE_PAGES);
        } catch (IOException e) {
            return "unknown (%s cannot be read)".formatted(HUGE_PAGES);
        }
    }

    private static boolean nativeLibrary(PrintWriter out) {
        try {
            line(out, "native library", NativeLibrary.path());
            line(out, "features", NativeBackend.cpuFeatures());
            line(out, "kernels", NativeBackend.kernelNames().stream()
                    .map(name -> name + (NativeBackend.isSupported(name) ? "" : " (not on this processor)"))
                    .collect(Collectors.joining(", ")));
            try (NativeBackend backend = NativeBackend.open(1)) {
                line(out, "chosen", backend.name().substring("native ".length()));
            }
            return true;
        } catch (YangtuoException e) {
            line(out, "problem", e.getMessage());
            return false;
        }
    }

    private static void line(PrintWriter out, String name, Object value) {
        out.println(String.format(Locale.ROOT, "%-15s %s", name, value));
    }
}
