package dev.yangtuo.benchmarks.latency;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What is known of one thing that was to be measured.
 *
 * @param measure what
 * @param engine by which engine
 * @param model of which model; empty where there is none
 * @param parameters that tell it from others of the same measure
 * @param values by name, in the measure's unit unless a name says otherwise; empty if there are none
 * @param facts what the engine and its check said
 * @param failure why it was not measured; null if it was
 */
record SuiteRow(
        Measure measure, EngineName engine, String model, Map<String, String> parameters, Map<String, Double> values, Map<String, String> facts, @Nullable String failure) {
    SuiteRow {
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
        facts = Collections.unmodifiableMap(new TreeMap<>(facts));
    }

    static SuiteRow measured(SuiteCase of, Map<String, Double> values, Map<String, String> facts) {
        return new SuiteRow(of.measure(), of.engine(), of.model(), of.parameters(), values, facts, null);
    }

    static SuiteRow failed(SuiteCase of, String failure) {
        return new SuiteRow(of.measure(), of.engine(), of.model(), of.parameters(), Map.of(), Map.of(), failure);
    }

    /** {@return whether it is of this case} */
    boolean isOf(SuiteCase other) {
        return measure == other.measure() && engine == other.engine() && model.equals(other.model()) && parameters.equals(other.parameters());
    }

    /** {@return a value; NaN if there is none of this name} */
    double value(String name) {
        return values.getOrDefault(name, Double.NaN);
    }
}
