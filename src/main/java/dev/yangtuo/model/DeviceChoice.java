package dev.yangtuo.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * On which devices our own engine is to compute.
 *
 * @param kind of choice
 * @param numbers of the CUDA devices that are named, in the order of the layers; empty for the one with the most free memory
 * @param layers how many of the last ones are wanted there at most, {@link #ALL_LAYERS} for all
 */
public record DeviceChoice(Kind kind, List<Integer> numbers, int layers) {
    public static final int ALL_LAYERS = -1;
    /** The processor alone. */
    public static final DeviceChoice PROCESSOR = new DeviceChoice(Kind.PROCESSOR, List.of(), ALL_LAYERS);

    private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,4}))?");

    /** What kind of device. */
    public enum Kind {
        /** The processor. */
        PROCESSOR,
        /** CUDA devices; an exception where that is not possible. */
        CUDA,
        /** A CUDA device with as many layers as fit, if there is one and it can compute the model; else the processor. */
        AUTO
    }

    /** Takes a copy. */
    public DeviceChoice {
        numbers = List.copyOf(numbers);
    }

    /** Whether these are names for {@link #of}, if only to be refused there: of llama.cpp's devices one is called {@code cpu} as well, and none is like the others. */
    public static boolean knows(List<String> names) {
        return names.size() == 1 && lower(names.getFirst()).equals("cpu")
                || names.stream().map(DeviceChoice::lower).anyMatch(name -> name.isEmpty() || name.equals("auto") || name.equals("cuda") || name.startsWith("cuda:"));
    }

    /**
     * The choice of these names, in any case and with blanks around them: {@code cpu}, {@code auto} or {@code cuda} alone, or one or more of the kind {@code cuda:0}.
     *
     * @throws IllegalArgumentException if there is no such choice
     */
    public static DeviceChoice of(List<String> names) {
        if (names.size() == 1) {
            switch (lower(names.getFirst())) {
                case "cpu" -> {
                    return PROCESSOR;
                }
                case "auto" -> {
                    return new DeviceChoice(Kind.AUTO, List.of(), ALL_LAYERS);
                }
                case "cuda" -> {
                    return new DeviceChoice(Kind.CUDA, List.of(), ALL_LAYERS);
                }
                default -> {
                    // It has a number, or is none of ours.
                }
            }
        }
        List<Integer> numbers = new ArrayList<>();
        for (String name : names) {
            Matcher matcher = CUDA.matcher(lower(name));
            if (!matcher.matches() || matcher.group(1) == null) {
                throw new IllegalArgumentException(
                        "device '%s' is not one; there are cpu, auto, cuda, and cuda:0, cuda:1 and so on, of which several can be named".formatted(String.join(",", names)));
            }
            int number = Integer.parseInt(matcher.group(1));
            if (numbers.contains(number)) {
                throw new IllegalArgumentException("device %s is named twice; name each once".formatted(name));
            }
            numbers.add(number);
        }
        if (numbers.isEmpty()) {
            throw new IllegalArgumentException("device has no name; there are cpu, auto, cuda and cuda:0");
        }
        return new DeviceChoice(Kind.CUDA, numbers, ALL_LAYERS);
    }

    private static String lower(String name) {
        return name.strip().toLowerCase(Locale.ROOT);
    }

    /** The same with so many layers. */
    public DeviceChoice withLayers(int count) {
        return new DeviceChoice(kind, numbers, count);
    }

    /** Whether a device beside the processor may compute. */
    public boolean usesDevices() {
        return kind != Kind.PROCESSOR && layers != 0;
    }
}
