package dev.yangtuo.benchmarks.latency;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One thing to measure of one engine: a run of JMH, a row of the result.
 *
 * @param model as results show it; empty where there is none
 * @param parameters of JMH, those that results show
 * @param hidden parameters that they do not show: they are the same for all, or name files of this machine
 */
record SuiteCase(Measure measure, EngineName engine, String model, Map<String, String> parameters, Map<String, String> hidden, Repeats repeats) {
    SuiteCase {
        parameters = copy(parameters);
        hidden = copy(hidden);
    }

    /** In their order, which results keep. */
    private static Map<String, String> copy(Map<String, String> map) {
        return Collections.unmodifiableMap(new LinkedHashMap<>(map));
    }

    /** {@return a line for people} */
    String describe() {
        StringBuilder text = new StringBuilder(measure + " " + engine);
        if (!model.isEmpty()) {
            text.append(' ').append(model);
        }
        parameters.forEach((name, value) -> text.append(' ').append(name).append('=').append(value));
        return text.toString();
    }
}
