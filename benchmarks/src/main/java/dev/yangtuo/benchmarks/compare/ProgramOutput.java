package dev.yangtuo.benchmarks.compare;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.yangtuo.bench.BenchTest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a program said of one test.
 *
 * @param tokensPerSecond of each of its runs, at least one
 * @param facts about itself and the machine, by name
 * @param numbers that it measured beside, by name
 */
record ProgramOutput(List<Double> tokensPerSecond, Map<String, String> facts, Map<String, Double> numbers) {
    private static final JsonMapper JSON = new JsonMapper();
    private static final List<String> OWN_FACTS = List.of("machine", "system", "features", "version", "backend", "output_type", "int8_instruction", "fma_instruction");
    /** What {@code yangtuo bench} measures of the machine, 10^9 bytes and 10^12 operations a second. */
    static final List<String> CEILINGS = List.of("read_gbps", "int8_tops", "fma_tflops");
    /** Shares of these, in their order, and what was reached. */
    private static final List<String> OWN_SHARES = List.of("share_of_bandwidth", "share_of_int8_peak", "share_of_fma_peak");
    private static final List<String> REACHED = List.of("gbps", "tops", "tops");
    /** What ik_llama.cpp's llama-batched-bench prints whatever format it is asked for: PP, TG, B, N_KV, T_PP, S_PP, T_TG, S_TG and more. */
    private static final Pattern TABLE_ROW = Pattern.compile("\\|\\s*\\d+\\s*\\|\\s*(?<tokens>\\d+)\\s*\\|\\s*(?<sequences>\\d+)\\s*\\|"
            + "(?:[\\s\\d.]+\\|){4}\\s*(?<speed>\\d+(?:\\.\\d+)?)\\s*\\|.*");
    private static final int SHOWN = 120;

    /**
     * {@return what a program printed}
     *
     * @throws IllegalArgumentException if that is not what such a program prints of the test
     */
    static ProgramOutput parse(Program.Kind kind, String output, BenchTest test) {
        try {
            ProgramOutput parsed = switch (kind) {
                case YANGTUO -> yangtuo(JSON.readTree(output), test);
                case LLAMA_BENCH -> llamaBench(JSON.readTree(array(output)), test);
                case LLAMA_BATCHED_BENCH -> batchedBench(output, test);
            };
            if (parsed.tokensPerSecond.isEmpty() || parsed.tokensPerSecond.stream().anyMatch(value -> !(value > 0) || value.isInfinite())) {
                throw new IllegalArgumentException("no speeds of %s in its output: %s".formatted(test.name(), start(output)));
            }
            return parsed;
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("its output is no JSON: " + start(output), e);
        }
    }

    /**
     * {@return the same, with shares of other ceilings}
     *
     * @param ceilings by their names; those that are missing stay as they were measured
     */
    ProgramOutput against(Map<String, Double> ceilings) {
        Map<String, Double> changed = new LinkedHashMap<>(numbers);
        for (int i = 0; i < CEILINGS.size(); i++) {
            Double ceiling = ceilings.get(CEILINGS.get(i));
            Double reached = numbers.get(REACHED.get(i));
            if (ceiling != null && reached != null) {
                changed.put(CEILINGS.get(i), ceiling);
                changed.put(OWN_SHARES.get(i), reached / ceiling);
            }
        }
        return new ProgramOutput(tokensPerSecond, facts, changed);
    }

    private static String start(String output) {
        String text = output.strip().replaceAll("\\s+", " ");
        return text.isEmpty() ? "(nothing)" : text.substring(0, Math.min(SHOWN, text.length()));
    }

    private static ProgramOutput yangtuo(JsonNode root, BenchTest test) {
        Map<String, String> facts = new LinkedHashMap<>();
        Map<String, Double> numbers = new LinkedHashMap<>();
        OWN_FACTS.forEach(key -> facts.put(key, root.path(key).asText("")));
        CEILINGS.stream().filter(key -> root.path(key).isNumber()).forEach(key -> numbers.put(key, root.get(key).asDouble()));
        List<Double> speeds = new ArrayList<>();
        for (JsonNode result : root.path("tests")) {
            if (result.path("name").asText().equals(test.name())) {
                result.path("samples").forEach(sample -> speeds.add(sample.asDouble()));
                Stream.concat(OWN_SHARES.stream(), REACHED.stream().distinct()).filter(key -> result.path(key).isNumber())
                        .forEach(key -> numbers.put(key, result.get(key).asDouble()));
            }
        }
        return new ProgramOutput(speeds, facts, numbers);
    }

    /** Some programs print lines before the array, and after it. */
    private static String array(String output) {
        int first = output.startsWith("[") ? 0 : output.indexOf("\n[") + 1;
        int last = output.lastIndexOf(']');
        return output.startsWith("[", first) && last > first ? output.substring(first, last + 1) : output;
    }

    private static ProgramOutput llamaBench(JsonNode root, BenchTest test) {
        boolean prompt = test.kind() == BenchTest.Kind.PROMPT;
        Map<String, String> facts = new LinkedHashMap<>();
        List<Double> speeds = new ArrayList<>();
        for (JsonNode result : root) {
            if (result.path("n_prompt").asInt() == (prompt ? test.tokens() : 0) && result.path("n_gen").asInt() == (prompt ? 0 : test.tokens())) {
                result.path("samples_ts").forEach(sample -> speeds.add(sample.asDouble()));
                if (speeds.isEmpty() && result.has("avg_ts")) {
                    speeds.add(result.get("avg_ts").asDouble());
                }
                String commit = result.path("build_commit").asText("");
                facts.put("version", commit.isEmpty() ? "" : "%s (build %s)".formatted(commit, result.path("build_number").asText("unknown")));
            }
        }
        return new ProgramOutput(speeds, facts, Map.of());
    }

    /** A line for each run among others. */
    private static ProgramOutput batchedBench(String output, BenchTest test) throws JsonProcessingException {
        List<Double> speeds = new ArrayList<>();
        for (String line : output.lines().map(String::strip).filter(line -> line.startsWith("{") && line.contains("\"speed_tg\"")).toList()) {
            JsonNode result = JSON.readTree(line);
            if (result.path("pl").asInt() == test.sequences() && result.path("tg").asInt() == test.tokens()) {
                speeds.add(result.path("speed_tg").asDouble());
            }
        }
        if (speeds.isEmpty()) {
            output.lines().map(TABLE_ROW::matcher).filter(row -> row.matches() && isRowOf(row, test))
                    .forEach(row -> speeds.add(Double.valueOf(row.group("speed"))));
        }
        return new ProgramOutput(speeds, Map.of(), Map.of());
    }

    private static boolean isRowOf(Matcher row, BenchTest test) {
        return row.group("tokens").equals(Integer.toString(test.tokens())) && row.group("sequences").equals(Integer.toString(test.sequences()));
    }
}
