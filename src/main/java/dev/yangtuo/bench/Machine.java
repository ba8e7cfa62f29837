package dev.yangtuo.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.yangtuo.exception.NativeLibraryException;
import dev.yangtuo.kernel.NativeBackend;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * The machine that this runs on.
 *
 * @param processor its name, or its architecture where the system does not tell
 * @param processors that this process may use
 * @param features of the processor that kernels care about, separated by spaces; empty if there are none or nobody knows
 * @param memoryBytes of the machine
 * @param system the operating system
 * @param java the Java that runs
 */
public record Machine(String processor, int processors, String features, long memoryBytes, String system, String java) {
    private static final Path LINUX_PROCESSORS = Path.of("/proc/cpuinfo");
    private static final String LINUX_NAME = "model name";

    /** Looks at it. */
    public static Machine here() {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return new Machine(
                processorName(),
                Runtime.getRuntime().availableProcessors(),
                kernelFeatures(),
                system.getTotalMemorySize(),
                "%s %s, %s".formatted(System.getProperty("os.name"), System.getProperty("os.version"), System.getProperty("os.arch")),
                Runtime.version().toString());
    }

    private static String processorName() {
        try (Stream<String> lines = Files.lines(LINUX_PROCESSORS)) {
            return lines.filter(line -> line.startsWith(LINUX_NAME))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElseGet(() -> System.getProperty("os.arch"));
        } catch (IOException | UncheckedIOException e) {
            return System.getProperty("os.arch"); // another system, or one that hides it
        }
    }

    private static String kernelFeatures() {
        try {
            return NativeBackend.cpuFeatures();
        } catch (NativeLibraryException e) {
            return ""; // plain Java computes, which needs none
        }
    }
}
