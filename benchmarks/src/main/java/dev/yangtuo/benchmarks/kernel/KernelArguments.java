package dev.yangtuo.benchmarks.kernel;

import dev.yangtuo.exception.NativeLibraryException;
import dev.yangtuo.kernel.NativeBackend;
import dev.yangtuo.tensor.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Puts into JMH's arguments what depends on the machine, so that results carry it: without {@code -p kernel=} and {@code -p threads=}, the kernels
 * that a program gets and one thread per processor; for {@code all} the kernels that this processor can run, all types, all shapes. Kernels that it
 * cannot run are left out, with a message.
 *
 * @param compiled names of the library's kernels
 * @param supported those that this processor can run
 * @param own what runs unless another one is asked for
 * @param processors number of them
 */
public record KernelArguments(List<String> compiled, List<String> supported, String own, int processors) {
    private static final Pattern PARAMETER = Pattern.compile("(-p)?(kernel|threads|type|encodedType|shape)=(.*)");
    private static final String ALL = "all";

    /**
     * JMH's arguments as they are to be taken on this machine. Without the native library they stay what they are, for some benchmarks need none.
     *
     * @param message gets what has to be said
     * @throws IllegalArgumentException if a kernel has an unknown name, or none of those that are named can run
     */
    public static String[] complete(String[] arguments, Consumer<String> message) {
        try (ForcedKernel best = ForcedKernel.open(ForcedKernel.BEST, 1)) {
            List<String> names = NativeBackend.kernelNames();
            List<String> supported = names.stream().filter(NativeBackend::isSupported).toList();
            return new KernelArguments(names, supported, best.name(), Runtime.getRuntime().availableProcessors()).in(arguments, message);
        } catch (NativeLibraryException e) {
            message.accept("kernels cannot be measured: " + e.getMessage());
            return arguments;
        }
    }

    String[] in(String[] arguments, Consumer<String> message) {
        List<String> completed = new ArrayList<>();
        Set<String> named = new HashSet<>();
        for (String argument : arguments) {
            Matcher parameter = PARAMETER.matcher(argument);
            if (!parameter.matches()) {
                completed.add(argument);
                continue;
            }
            String name = parameter.group(2);
            named.add(name);
            List<String> values = List.of(parameter.group(3).split(","));
            completed.add((parameter.group(1) == null ? "" : "-p") + name + "=" + String.join(",", values(name, values, message)));
        }
        if (!named.contains("kernel")) {
            completed.addAll(List.of("-p", "kernel=" + own));
        }
        if (!named.contains("threads")) {
            completed.addAll(List.of("-p", "threads=" + processors));
        }
        return completed.toArray(String[]::new);
    }

    private List<String> values(String name, List<String> values, Consumer<String> message) {
        boolean all = values.equals(List.of(ALL));
        return switch (name) {
            case "kernel" -> kernels(all ? compiled : values, message);
            case "threads" -> values;
            case "shape" -> all ? MatrixShape.NAMES : values;
            case "type" -> all ? names(Arrays.stream(TensorType.values())) : upperCase(values);
            default -> all ? names(Arrays.stream(TensorType.values()).filter(TensorType::canEncode)) : upperCase(values);
        };
    }

    private List<String> kernels(List<String> asked, Consumer<String> message) {
        List<String> kept = new ArrayList<>();
        for (String kernel : asked) {
            if (kernel.equals(ForcedKernel.BEST)) {
                kept.add(own);
            } else if (!compiled.contains(kernel)) {
                throw new IllegalArgumentException("kernel %s: this library has %s".formatted(kernel, compiled));
            } else if (supported.contains(kernel)) {
                kept.add(kernel);
            } else {
                message.accept("kernel %s is left out: this processor cannot run it".formatted(kernel));
            }
        }
        if (kept.isEmpty()) {
            throw new IllegalArgumentException("kernels %s: this processor can run %s".formatted(asked, supported));
        }
        return kept;
    }

    private static List<String> names(Stream<TensorType> types) {
        return types.map(TensorType::name).toList();
    }

    /** As {@code yangtuo} itself takes them in lower case, too. */
    private static List<String> upperCase(List<String> types) {
        return types.stream().map(type -> type.toUpperCase(Locale.ROOT)).toList();
    }
}
