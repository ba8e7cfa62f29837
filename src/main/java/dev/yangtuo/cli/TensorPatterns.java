package dev.yangtuo.cli;

import dev.yangtuo.inspect.Inspection.StoredTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;

/** Puts tensors together whose names differ by numbers alone: those of all layers. */
final class TensorPatterns {
    /** A longer row of digits is no number of a layer. */
    private static final int MAX_DIGITS = 9;
    private static final String[] STANDS_FOR_NUMBER = {"N", "M"};

    /**
     * Tensors that are alike.
     *
     * @param name theirs with {@code N} for the number of the layer (and {@code M} for one behind it), of a single tensor as it is
     * @param layers the numbers that occur in place of {@code N}, empty if none
     * @param count how many tensors
     * @param bytes of all of them
     */
    record Pattern(String name, SortedSet<Integer> layers, int count, String type, List<Long> shape, long bytes) {
        /** The numbers in short: {@code 0-3, 6}. */
        String layerRanges() {
            StringBuilder text = new StringBuilder();
            int first = -1;
            int last = -1;
            for (int layer : layers) {
                if (first >= 0 && layer == last + 1) {
                    last = layer;
                    continue;
                }
                appendRange(text, first, last);
                first = layer;
                last = layer;
            }
            appendRange(text, first, last);
            return text.toString();
        }

        private static void appendRange(StringBuilder text, int first, int last) {
            if (first >= 0) {
                text.append(text.isEmpty() ? "" : ", ").append(first == last ? String.valueOf(first) : first + "-" + last);
            }
        }
    }

    private record Key(String pattern, String type, List<Long> shape) {}

    private TensorPatterns() {}

    /** The patterns, those of one name together, in the order in which the names occur first. */
    static List<Pattern> of(List<StoredTensor> tensors) {
        Map<String, Map<Key, List<StoredTensor>>> byName = new LinkedHashMap<>();
        for (StoredTensor tensor : tensors) {
            String pattern = patternOf(tensor.name());
            byName.computeIfAbsent(pattern, name -> new LinkedHashMap<>())
                    .computeIfAbsent(new Key(pattern, tensor.type(), tensor.shape()), key -> new ArrayList<>())
                    .add(tensor);
        }
        List<Pattern> patterns = new ArrayList<>();
        byName.values().forEach(groups -> groups.forEach((key, group) -> patterns.add(pattern(key, group))));
        return patterns;
    }

    /** What all names begin with, up to a point; empty for a single pattern. */
    static String commonPrefix(List<Pattern> patterns) {
        if (patterns.size() < 2) {
            return "";
        }
        String prefix = patterns.getFirst().name();
        for (Pattern pattern : patterns) {
            int alike = 0;
            while (alike < Math.min(prefix.length(), pattern.name().length()) && prefix.charAt(alike) == pattern.name().charAt(alike)) {
                alike++;
            }
            prefix = prefix.substring(0, alike);
        }
        return prefix.substring(0, prefix.lastIndexOf('.') + 1);
    }

    private static Pattern pattern(Key key, List<StoredTensor> group) {
        SortedSet<Integer> layers = new TreeSet<>();
        long bytes = 0;
        for (StoredTensor tensor : group) {
            bytes += tensor.bytes();
            for (String part : tensor.name().split("\\.", -1)) {
                if (isNumber(part)) {
                    layers.add(Integer.parseInt(part));
                    break;
                }
            }
        }
        return new Pattern(key.pattern(), layers, group.size(), key.type(), key.shape(), bytes);
    }

    private static String patternOf(String name) {
        String[] parts = name.split("\\.", -1);
        int numbers = 0;
        for (int i = 0; i < parts.length; i++) {
            if (isNumber(parts[i])) {
                parts[i] = STANDS_FOR_NUMBER[Math.min(numbers++, STANDS_FOR_NUMBER.length - 1)];
            }
        }
        return String.join(".", parts);
    }

    private static boolean isNumber(String part) {
        return !part.isEmpty() && part.length() <= MAX_DIGITS && part.chars().allMatch(c -> c >= '0' && c <= '9');
    }
}
