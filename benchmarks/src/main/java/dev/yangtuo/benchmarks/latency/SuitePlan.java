package dev.yangtuo.benchmarks.latency;

import dev.yangtuo.WeightType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What is measured in which order: engines take turns, so that what else happens on the machine meets all of them. */
final class SuitePlan {
    private static final List<Integer> PROMPTS = List.of(32, 512, 2048);
    private static final List<Integer> TEXTS = List.of(1, 8, 32);
    private static final List<Integer> GARBAGE_TEXTS = List.of(1, 8);
    private static final List<String> CORPORA = List.of("mixed", "english");

    /** Texts that are long enough to be measured without new ones being begun, with small models and with large ones. */
    private static final int LONG_TEXT = 8000;
    private static final int LONG_TEXT_OF_LARGE = 512;
    private static final int TEXT = 256;
    private static final int TEXT_OF_LARGE = 64;
    private static final int TEXT_OF_QUICK_RUN = 32;

    private final SuiteOptions options;
    private final List<SuiteCase> cases = new ArrayList<>();

    private SuitePlan(SuiteOptions options) {
        this.options = options;
    }

    /** {@return all cases, in their order} */
    static List<SuiteCase> of(SuiteOptions options) {
        SuitePlan plan = new SuitePlan(options);
        plan.addGeneral();
        options.types().forEach(plan::addDemo);
        options.models().forEach(plan::addFile);
        return List.copyOf(plan.cases);
    }

    private void addGeneral() {
        Repeats repeats = options.quick() ? Repeats.QUICK : Repeats.SMALL;
        add(Measure.FOREIGN_CALL, "", Map.of(), Map.of(), repeats);
        for (String corpus : options.quick() ? CORPORA.subList(0, 1) : CORPORA) {
            add(Measure.TOKENIZE, "", Map.of("corpus", corpus), Map.of("unit", "line"), repeats);
        }
    }

    private void addDemo(WeightType type) {
        String name = type.name().toLowerCase(Locale.ROOT);
        addModel("demo:" + name, "demo-" + name, options.quick() ? Repeats.QUICK : Repeats.SMALL, List.of("file", "base", "adapter"), TEXT, LONG_TEXT);
    }

    private void addFile(Path file) {
        PreparedModel model = PreparedModel.of(file.toString());
        addModel(file.toString(), model.name(), options.quick() ? Repeats.QUICK : Repeats.LARGE, List.of("file"), TEXT_OF_LARGE, LONG_TEXT_OF_LARGE);
    }

    private void addModel(String parameter, String name, Repeats repeats, List<String> sources, int tokens, int manyTokens) {
        Map<String, String> hidden = Map.of("model", parameter, "threads", Integer.toString(options.threads()));
        for (String source : sources) {
            add(Measure.LOAD, name, Map.of("from", source), hidden, repeats);
        }
        for (int prompt : options.quick() ? PROMPTS.subList(0, 1) : PROMPTS) {
            add(Measure.FIRST_TOKEN, name, Map.of("prompt", Integer.toString(prompt)), hidden, repeats);
        }
        for (int texts : options.quick() ? TEXTS.subList(0, 2) : TEXTS) {
            add(Measure.NEXT_TOKEN, name, Map.of("texts", Integer.toString(texts)), with(hidden, "tokens", options.quick() ? TEXT_OF_QUICK_RUN : tokens), repeats);
        }
        for (int texts : options.quick() ? GARBAGE_TEXTS.subList(0, 1) : GARBAGE_TEXTS) {
            add(Measure.GARBAGE, name, Map.of("texts", Integer.toString(texts)), with(hidden, "tokens", manyTokens), repeats);
        }
    }

    private static Map<String, String> with(Map<String, String> parameters, String name, int value) {
        Map<String, String> more = new LinkedHashMap<>(parameters);
        more.put(name, Integer.toString(value));
        return more;
    }

    private void add(Measure measure, String model, Map<String, String> parameters, Map<String, String> hidden, Repeats repeats) {
        if (options.measures().contains(measure)) {
            options.engines().forEach(engine -> cases.add(new SuiteCase(measure, engine, model, parameters, hidden, repeats)));
        }
    }
}
