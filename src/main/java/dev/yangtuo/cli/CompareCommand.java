package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.Perplexity;
import dev.yangtuo.PerplexityOptions;
import dev.yangtuo.eval.TextComparison;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The same texts under two models: whether an adapter that brought Chinese has kept English. */
@Command(
        name = "compare",
        mixinStandardHelpOptions = true,
        description = {
            "Measures how well two models predict the same texts, in bits per byte: whether a model with adapters has kept what its base knew.",
            "The base is the model without its adapters, unless --base or --base-lora name another one. One is loaded after the other."
        },
        footer = {
            "Perplexities of a token do not compare where vocabularies differ; bits per byte do. docs/evaluation.md says more.",
            "  yangtuo eval compare --text examples/eval/english.txt --text examples/eval/chinese.txt",
            "  yangtuo eval compare --model path/to/llama --lora path/to/chinese-lora --text english.txt --text chinese.txt --report markdown",
            "  yangtuo eval compare --base path/to/llama --model path/to/other-llama --text english.txt --json"
        })
final class CompareCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Option(names = "--base", paramLabel = "PATH", description = "The model to compare with. Default: that of --model, without adapters.")
    private @Nullable Path base;

    @Option(names = "--base-lora", paramLabel = "PATH[:SCALE]", converter = LoraArgument.Converter.class,
            description = "An adapter of the model to compare with; several are merged in order.")
    private List<LoraArgument> baseAdapters = List.of();

    @Option(names = "--text", required = true, paramLabel = "FILE", description = "A text in UTF-8; may be given several times.")
    private List<String> texts;

    @Option(names = "--context", paramLabel = "N",
            description = "Tokens of a window, beginning of sequence included, for both models. Default: 256, or the models' context if that is shorter.")
    private @Nullable Integer context;

    @Mixin
    private ReportOptions report;

    /**
     * What one model does.
     *
     * @param name of the model
     * @param results of the texts, in their order
     */
    private record Measured(String name, List<Perplexity> results) {}

    @Override
    public Integer call() throws IOException {
        if (model.isPlain() && base == null && baseAdapters.isEmpty()) {
            throw new CommandLine.ParameterException(spec.commandLine(), "there are no two models; name adapters with --lora, or another model with --base");
        }
        PerplexityOptions options = options();
        List<TextFile> files = files();
        report.write(spec.commandLine().getOut(), () -> compare(files, options));
        return CommandLine.ExitCode.OK;
    }

    private PerplexityOptions options() {
        return context == null ? PerplexityOptions.defaults() : Failures.asUsage(spec, () -> PerplexityOptions.defaults().context(context));
    }

    private List<TextFile> files() {
        List<TextFile> files = new ArrayList<>();
        for (String text : texts) {
            TextFile file = TextFile.of(text);
            if (file.path() == null) {
                throw new CommandLine.ParameterException(spec.commandLine(), "standard input cannot be read twice; name a file with --text");
            }
            file.check();
            files.add(file);
        }
        return files;
    }

    private ReportOptions.Findings compare(List<TextFile> files, PerplexityOptions options) throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        Measured first = measure(
                () -> model.loadOther(base, baseAdapters, ModelOptions.WeightTypeDefault.OF_FILE, KvType.F16, err), files, options, err);
        Measured second = measure(() -> model.load(ModelOptions.WeightTypeDefault.OF_FILE, KvType.F16, err), files, options, err);
        List<TextComparison> comparisons = new ArrayList<>();
        for (int i = 0; i < files.size(); i++) {
            comparisons.add(new TextComparison(files.get(i).name(), first.results().get(i), second.results().get(i)));
        }
        return new ReportOptions.Findings(shown(first, second, comparisons), json(first, second, comparisons));
    }

    private static Measured measure(Supplier<Llama> load, List<TextFile> files, PerplexityOptions options, PrintWriter err) throws IOException {
        try (Llama llama = load.get()) {
            List<Perplexity> results = new ArrayList<>();
            for (TextFile file : files) {
                results.add(PerplexityCommand.measure(llama, file, options, err));
            }
            return new Measured(ModelOptions.name(llama.report()), results);
        }
    }

    private static Report shown(Measured first, Measured second, List<TextComparison> comparisons) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("base", first.name());
        facts.put("model", second.name());
        facts.put("windows", "%d tokens".formatted(comparisons.getFirst().base().context()));
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("text", "bytes", "tokens, base", "tokens, model", "bits/byte, base", "bits/byte, model", "difference", "per cent"));
        for (TextComparison comparison : comparisons) {
            rows.add(List.of(
                    comparison.text(),
                    String.valueOf(comparison.base().textBytes()),
                    String.valueOf(comparison.base().textTokens()),
                    String.valueOf(comparison.model().textTokens()),
                    format("%.4f", comparison.base().bitsPerByte()),
                    format("%.4f", comparison.model().bitsPerByte()),
                    format("%+.4f", comparison.difference()),
                    format("%+.1f", comparison.percent())));
        }
        return new Report(facts, List.of(new Report.Table(rows, Set.of(0))));
    }

    private static String format(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }

    /** Keys are not renamed or removed. */
    private static ObjectNode json(Measured first, Measured second, List<TextComparison> comparisons) {
        ObjectNode root = JsonResult.object();
        root.put("task", "compare").put("base", first.name()).put("model", second.name());
        ArrayNode array = root.putArray("texts");
        for (TextComparison comparison : comparisons) {
            ObjectNode object = array.addObject();
            object.put("text", comparison.text()).put("bytes", comparison.base().textBytes()).put("characters", comparison.base().textCharacters());
            put(object.putObject("base"), comparison.base());
            put(object.putObject("model"), comparison.model());
            object.set("difference", JsonResult.number(comparison.difference()));
            object.set("percent", JsonResult.number(comparison.percent()));
        }
        return root;
    }

    private static void put(ObjectNode object, Perplexity of) {
        object.put("context", of.context()).put("tokens", of.textTokens());
        object.set("perplexity", JsonResult.number(of.value()));
        object.set("bits_per_byte", JsonResult.number(of.bitsPerByte()));
        object.set("bits_per_character", JsonResult.number(of.bitsPerCharacter()));
    }
}
