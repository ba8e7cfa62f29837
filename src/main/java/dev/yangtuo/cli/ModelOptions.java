package dev.yangtuo.cli;

import dev.yangtuo.AdapterReport;
import dev.yangtuo.BackendType;
import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.LoadReport;
import dev.yangtuo.WeightType;
import dev.yangtuo.exception.UnsupportedModelException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The options of every command that loads a model. */
final class ModelOptions {
    /** Option of the commands that can be told how long a text may be. */
    static final String CONTEXT = "--context";
    static final String CONTEXT_DESCRIPTION =
            "Tokens that a text can have, prompt included. More than the model's are for --rope-scaling. Default: the model's.";

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--model", paramLabel = "PATH",
            description = "A Hugging Face directory or a GGUF file. Without it: the demonstration base, and without --lora its Chinese adapter.")
    private @Nullable Path model;

    @Mixin
    private AdapterOptions adapters;

    @Option(names = "--quantize", paramLabel = "TYPE", completionCandidates = ValueNames.WeightTypes.class,
            description = {
                "Keep matrices as f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, q4_k_s, q4_k_m, q5_k_s, q5_k_m or q6_k: llama.cpp's mixes, with the output as q6_k.",
                "With ':pure' behind it every matrix is of the one type. Default: as the file stores them."
            })
    private @Nullable WeightChoice quantize;

    @Option(names = "--kv-type", paramLabel = "TYPE", completionCandidates = ValueNames.KvTypes.class,
            description = "Keep keys and values as f16, f32, bf16, q8_0 or q4_0. Default: f16 (of logits: f32).")
    private @Nullable KvType kvType;

    @Option(names = "--backend", paramLabel = "BACKEND", completionCandidates = ValueNames.Backends.class,
            description = "native, scalar (plain Java, slow), or auto: native where it can be loaded. Default: auto.")
    private BackendType backend = BackendType.AUTO;

    @Option(names = {"-t", "--threads"}, paramLabel = "N", description = "Threads that compute. Default: all processors.")
    private @Nullable Integer threads;

    @Mixin
    private EngineOptions engine;

    @Mixin
    private RopeOptions rope;

    @Mixin
    private CacheOption cache;

    /** Whether the demonstration model with its Chinese adapter is meant. */
    boolean isDemo() {
        return model == null && adapters.isEmpty();
    }

    /** What people call the model: the name of its file or directory. */
    String name() {
        return String.valueOf((model == null ? DemoModel.base() : model).toAbsolutePath().normalize().getFileName());
    }

    /** What {@code --threads} says; null for all processors. */
    @Nullable Integer threads() {
        return threads;
    }

    /** Loads the model with the context that it was made for; {@link #load(WeightTypeDefault, KvType, Integer, PrintWriter)} has the rest. */
    Llama load(WeightTypeDefault weightDefault, KvType kvDefault, PrintWriter err) {
        return load(weightDefault, kvDefault, null, err);
    }

    /**
     * Loads the model, with progress and the report on {@code err}.
     *
     * @param context what {@link #CONTEXT} says; null for the model's
     */
    Llama load(WeightTypeDefault weightDefault, KvType kvDefault, @Nullable Integer context, PrintWriter err) {
        return load(weightDefault, kvDefault, context, UnaryOperator.identity(), err);
    }

    /**
     * The same.
     *
     * @param more what else is set
     */
    Llama load(WeightTypeDefault weightDefault, KvType kvDefault, @Nullable Integer context, UnaryOperator<LoadOptions> more, PrintWriter err) {
        return adapters.reporting(() -> loadOwn(weightDefault, kvDefault, context, more, err), llama -> llama.report().mergeJson(), Llama::close);
    }

    private Llama loadOwn(WeightTypeDefault weightDefault, KvType kvDefault, @Nullable Integer context, UnaryOperator<LoadOptions> more, PrintWriter err) {
        LoadOptions base = more.apply(options(weightDefault, kvDefault, context));
        LoadOptions options = adapters.applyTo(isDemo() ? base.lora(DemoModel.chineseLora()) : base);
        try {
            return loadAndReport(path(), options, err);
        } catch (UnsupportedModelException e) {
            if (quantize != null || weightDefault.choice() == null) {
                throw e;
            }
            // Nobody has asked for this type: a model that llama.cpp alone can run stays as it is.
            return loadOwn(WeightTypeDefault.OF_FILE, kvDefault, context, more, err);
        }
    }

    /**
     * Loads another model as these options say, but with adapters of its own.
     *
     * @param other null for the same model
     */
    Llama loadOther(@Nullable Path other, List<LoraArgument> otherAdapters, WeightTypeDefault weightDefault, KvType kvDefault, PrintWriter err) {
        return loadAndReport(other == null ? path() : other, adapters.applyTo(options(weightDefault, kvDefault, null), otherAdapters), err);
    }

    private Path path() {
        return model == null ? DemoModel.base() : model;
    }

    /** Whether a model is loaded without adapters. */
    boolean isPlain() {
        return adapters.isEmpty() && !isDemo();
    }

    /** A model and its adapters, in one line. */
    static String name(LoadReport report) {
        StringBuilder name = new StringBuilder(report.model().toString());
        for (AdapterReport adapter : report.adapters()) {
            name.append(" + ").append(adapter.path()).append(adapter.scale() == 1 ? "" : ":" + adapter.scale());
        }
        return name.toString();
    }

    private static Llama loadAndReport(Path path, LoadOptions options, PrintWriter err) {
        Llama llama = load(path, options, err);
        err.println(llama.report().describe());
        return llama;
    }

    private static Llama load(Path path, LoadOptions options, PrintWriter err) {
        try (ProgressDisplay display = new ProgressDisplay(err, "loading", ProgressDisplay.Unit.MEGABYTES)) {
            return Llama.load(path, options.onProgress(display::update));
        }
    }

    private LoadOptions options(WeightTypeDefault weightDefault, KvType kvDefault, @Nullable Integer context) {
        LoadOptions options = rope.applyTo(cache.applyTo(engine.applyTo(LoadOptions.defaults()))).backend(backend).kvType(kvType == null ? kvDefault : kvType);
        WeightChoice choice = quantize == null ? weightDefault.choice() : quantize;
        LoadOptions typed = choice == null ? options : choice.applyTo(options);
        return Failures.asUsage(spec, () -> {
            LoadOptions threaded = threads == null ? typed : typed.threads(threads);
            return context == null ? threaded : threaded.context(context);
        });
    }

    /**
     * What a command keeps the weights as when it is not told.
     *
     * @param choice null for the types of the file
     */
    record WeightTypeDefault(@Nullable WeightChoice choice) {
        static final WeightTypeDefault OF_FILE = new WeightTypeDefault(null);
        static final WeightTypeDefault F32 = new WeightTypeDefault(new WeightChoice(WeightType.F32, false));
    }
}
