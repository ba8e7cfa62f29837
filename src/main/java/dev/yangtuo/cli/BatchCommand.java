package dev.yangtuo.cli;

import dev.yangtuo.GenerateOptions;
import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.batch.BatchCancellation;
import dev.yangtuo.batch.BatchFormat;
import dev.yangtuo.batch.BatchJob;
import dev.yangtuo.batch.BatchListener;
import dev.yangtuo.batch.BatchOrder;
import dev.yangtuo.batch.BatchProgress;
import dev.yangtuo.batch.BatchSummary;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** A file of requests in, a file of results out. */
@Command(
        name = "batch",
        mixinStandardHelpOptions = true,
        description = {
            "Generates the texts of a file of requests, many at a time, and writes a record for each: JSON lines, OpenAI's batch files, CSV, Parquet, or a prompt a line.",
            "Options say what requests have that do not say otherwise. A request that cannot be generated becomes a record with an error. The summary, one JSON object, goes "
                    + "to standard error."
        },
        footer = {
            "",
            "Where a run was ended, by Ctrl-C, by a power failure or in another way, the same command with --resume goes on. docs/batch.md has the formats.",
            "",
            "  yangtuo batch --model llama --input in.jsonl --output out.jsonl --max-tokens 200 --resume"
        })
final class BatchCommand implements Callable<Integer> {
    private static final String STANDARD = "-";
    private static final ProgressDisplay.Unit KILOBYTES = new ProgressDisplay.Unit("KB", 1000);
    private static final ProgressDisplay.Unit REQUESTS = new ProgressDisplay.Unit("requests", 1);

    /** The library that reads Parquet tells of what it found on the machine. Kept: the JDK forgets loggers that nobody has. */
    private static final Logger PARQUET_LOGGER = Logger.getLogger("dev.hardwood");

    /** Options on which no result depends, or which a journal keeps in another way: the model is known by what it computes, the input by what is in it. */
    private static final Set<String> NOT_KEPT = Set.of(
            "--input", "--output", "--resume", "--overwrite", "--summary", "--parallel", "--kv-memory", "--priority", "--format", "--output-format", "--order",
            "--id-column", "--prompt-column", "--line-limit", "--echo", "--seed", "--prompt-cache", "--prompt-lookup", "--draft-model", "--draft-tokens",
            "--model", "--lora", "--lora-float16", "--merge-report", "--quantize", "--kv-type", "--backend", "--threads", "--context",
            "--chat-template", "--rope-scaling", "--rope-factor", "--rope-base", "--cache", "--no-cache", "--verbose");

    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Option(names = ModelOptions.CONTEXT, paramLabel = "N", description = ModelOptions.CONTEXT_DESCRIPTION)
    private @Nullable Integer context;

    @Option(names = "--input", required = true, paramLabel = "FILE",
            description = "The requests; - for standard input, which cannot be resumed. It may be larger than memory.")
    private String input;

    @Option(names = "--output", required = true, paramLabel = "FILE",
            description = "The results, each written as it comes; - for standard output. Beside it stands FILE.journal, from which a run can be resumed.")
    private String output;

    @Option(names = "--format", paramLabel = "FORMAT",
            description = "json, openai, csv, plain or parquet. Default: csv for a name in .csv, plain for one in .txt, else what the file looks like.")
    private @Nullable BatchFormat format;

    @Option(names = "--output-format", paramLabel = "FORMAT",
            description = "json, openai, csv or parquet. Default: csv and parquet for names in .csv and .parquet, openai for requests in that form, else json.")
    private @Nullable BatchFormat outputFormat;

    @Option(names = "--id-column", paramLabel = "NAME", description = "The column of a CSV or Parquet file that holds ids. Default: id, or numbers of lines or rows if there is none.")
    private String idColumn = "id";

    @Option(names = "--prompt-column", paramLabel = "NAME", description = "The column of a CSV or Parquet file that holds prompts. Default: prompt.")
    private String promptColumn = "prompt";

    @Option(names = "--order", paramLabel = "ORDER", description = "completion: results as they become complete; input: as the requests stand in the input. Default: completion.")
    private BatchOrder order = BatchOrder.COMPLETION;

    @Option(names = "--resume", description = "Go on where an earlier run of the same command was ended; begin if there was none.")
    private boolean resume;

    @Option(names = "--overwrite", description = "Replace an output that is there.")
    private boolean overwrite;

    @Option(names = "--parallel", paramLabel = "N", description = "Texts that are computed at the same time, 1 to 1024. Default: 64.")
    private int parallel = 64;

    @Option(names = "--kv-memory", paramLabel = "SIZE",
            description = "Memory for keys and values, such as 4GB. Default: what N whole contexts need, but at most a quarter of the machine's.")
    private @Nullable ByteCount kvMemory;

    @Option(names = "--priority", paramLabel = "N", description = "Requests with a higher number go first where they wait for others. Default: 0.")
    private int priority;

    @Option(names = "--line-limit", paramLabel = "SIZE", description = "Longer lines become errors. Default: 4194304 bytes.")
    private @Nullable ByteCount lineLimit;

    @Option(names = "--summary", paramLabel = "FILE", description = "Write the summary to FILE instead of standard error.")
    private @Nullable Path summaryFile;

    @Mixin
    private TextFlags text;

    @Mixin
    private GrammarFlags grammar;

    @Mixin
    private GuessFlags guesses;

    @Option(names = "--logprobs", paramLabel = "N", description = "Write the log-probabilities of each token and of the N most probable ones (0 to 20).")
    private @Nullable Integer logProbabilities;

    @Option(names = "--chat-template", paramLabel = "NAME|FILE", description = "Write messages down in this form, as for chat. Default: the model's own, else alpaca.")
    private @Nullable String template;

    @Option(names = "--prompt-cache", paramLabel = "FILE", description = "Take a beginning that many prompts have from this file, which generate --prompt-cache has made.")
    private @Nullable Path promptCache;

    @Option(names = "--echo", description = "Write the prompts, too.")
    private boolean echo;

    @Override
    public Integer call() throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        check();
        PARQUET_LOGGER.setLevel(Level.WARNING);
        GenerateOptions options = grammar.apply(options());
        BatchJob job = job();
        try (ResultFile summaryOut = summaryFile == null ? null : ResultFile.create(summaryFile);
                Llama llama = model.load(ModelOptions.WeightTypeDefault.OF_FILE, KvType.F16, context, this::loadOptions, err);
                Llama draft = guesses.load(llama, model.threads())) {
            if (promptCache != null) {
                err.println("%s: %,d tokens of a context restored".formatted(promptCache, llama.restoreContext(promptCache)));
            }
            return run(llama, job.options(guesses.applyTo(options, draft)), summaryOut, err) ? CommandLine.ExitCode.OK : InterruptGuard.EXIT_CODE;
        }
    }

    /** What is plain before the model is loaded. */
    private void check() {
        guesses.check(spec.commandLine());
        TextFile.of(input).check();
        if (resume && (!TextFile.of(input).isRegular() || output.equals(STANDARD))) {
            throw usage("--resume needs files: nobody can tell what is done of standard input or a pipe, or what became of standard output");
        }
        if (resume && overwrite) {
            throw usage("--resume goes on with the output, --overwrite replaces it; give one of them");
        }
        if (toFormat() == BatchFormat.PARQUET && (!TextFile.of(input).isRegular() || output.equals(STANDARD))) {
            throw usage("Parquet is written only where input and output are files: results stand beside the output until all are there");
        }
        if (parallel < 1 || parallel > 1024) {
            throw usage("--parallel is %d, must be 1 to 1024".formatted(parallel));
        }
        if (lineLimit != null && lineLimit.bytes() > 1 << 30) {
            throw usage("--line-limit is %d bytes, must be at most %d".formatted(lineLimit.bytes(), 1 << 30));
        }
        if (!output.equals(STANDARD) && Files.exists(Path.of(output)) && !resume && !overwrite) {
            throw new YangtuoException("%s: is there already; --resume goes on with it, --overwrite replaces it".formatted(output));
        }
    }

    private CommandLine.ParameterException usage(String problem) {
        return new CommandLine.ParameterException(spec.commandLine(), problem);
    }

    private LoadOptions loadOptions(LoadOptions options) {
        LoadOptions result = options.maxSequences(parallel);
        return kvMemory == null ? result : result.kvMemory(kvMemory.bytes());
    }

    private GenerateOptions options() {
        return TextFlags.withLogProbabilities(text.options(spec.commandLine()).priority(priority), logProbabilities, spec.commandLine());
    }

    private BatchJob job() {
        BatchJob job = BatchJob.defaults().order(order).columns(idColumn, promptColumn).echo(echo).resume(resume).overwrite(overwrite).settings(settings())
                .inFlight(Math.max(128, 2 * parallel)).modelName(model.name());
        job = text.seed() == null ? job : job.seed(text.seed());
        job = template == null ? job : job.chatTemplate(ChatCommand.template(template));
        job = lineLimit == null ? job : job.lineLimit((int) lineLimit.bytes());
        try {
            job = format == null ? job : job.inputFormat(format);
            BatchFormat to = toFormat();
            return to == null ? job : job.outputFormat(to);
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--output-format: " + e.getMessage(), e);
        }
    }

    /** The form of the results, null if their name does not say it. */
    private @Nullable BatchFormat toFormat() {
        return outputFormat == null ? BatchFormat.ofOutputName(output) : outputFormat;
    }

    /** The options that were given and that results depend on. */
    private Map<String, String> settings() {
        Map<String, String> settings = new TreeMap<>();
        for (OptionSpec option : spec.commandLine().getParseResult().matchedOptions()) {
            if (!NOT_KEPT.contains(option.longestName())) {
                settings.put(option.longestName(), option.originalStringValues().stream().map(BatchCommand::withContent).collect(Collectors.joining(", ")));
            }
        }
        return settings;
    }

    /** A value, and the checksum of the file that it names, such as one with a grammar. */
    private static String withContent(String value) {
        try {
            Path file = Path.of(value);
            if (!Files.isRegularFile(file)) {
                return value;
            }
            CRC32 crc = new CRC32();
            crc.update(Files.readAllBytes(file));
            return "%s (%08x)".formatted(value, crc.getValue());
        } catch (InvalidPathException e) {
            return value;
        } catch (IOException e) {
            throw new YangtuoException("%s: cannot be read: %s".formatted(value, Failures.reason(e)), e);
        }
    }

    /** False if it was interrupted; the summary is written then, too. */
    private boolean run(Llama llama, BatchJob job, @Nullable ResultFile summaryOut, PrintWriter err) throws IOException {
        BatchCancellation cancellation = new BatchCancellation();
        try (InterruptGuard _ = new InterruptGuard(cancellation::cancel)) {
            BatchSummary summary = runWatched(llama, job.cancellation(cancellation), err);
            String json = summary.toJson() + "\n";
            if (summaryOut == null) {
                err.print(json);
                err.flush();
            } else {
                summaryOut.write(json.getBytes(StandardCharsets.UTF_8));
                summaryOut.complete();
            }
            return summary.complete();
        }
    }

    private BatchSummary runWatched(Llama llama, BatchJob job, PrintWriter err) throws IOException {
        try (ProgressDisplay display = new ProgressDisplay(err, "batch", TextFile.of(input).isRegular() ? KILOBYTES : REQUESTS)) {
            BatchJob watched = job.listener(new BatchListener() {
                @Override
                public void onProgress(BatchProgress progress) {
                    show(progress, display);
                }
            });
            if (TextFile.of(input).isRegular() && !output.equals(STANDARD)) {
                return watched.run(llama, Path.of(input), Path.of(output));
            }
            try (OutputStream out = output.equals(STANDARD) ? new StandardOutput() : open(Path.of(output))) {
                TextFile file = TextFile.of(input);
                return file.isRegular() ? watched.run(llama, Path.of(input), out) : watched.run(llama, file.open(), file.name(), out);
            }
        }
    }

    private OutputStream open(Path file) throws IOException {
        try {
            return Files.newOutputStream(file, StandardOpenOption.WRITE,
                    overwrite ? StandardOpenOption.CREATE : StandardOpenOption.CREATE_NEW, StandardOpenOption.TRUNCATE_EXISTING);
        } catch (FileAlreadyExistsException e) {
            throw new YangtuoException("%s: is there already; --overwrite replaces it".formatted(file), e);
        }
    }

    private static void show(BatchProgress progress, ProgressDisplay display) {
        String failed = progress.failed() == 0 ? "" : ", %,d failed".formatted(progress.failed());
        String speed = String.format(Locale.ROOT, "%.1f tokens/s", progress.tokensPerSecond());
        if (progress.inputSize() < 0) {
            display.update(progress.requests(), ProgressDisplay.UNKNOWN_TOTAL, speed + failed);
        } else {
            // Without what earlier runs had done, so that the time left is that of the rest.
            display.update(progress.inputBytes() - progress.resumedInputBytes(), progress.inputSize() - progress.resumedInputBytes(),
                    "%,d requests, %s%s".formatted(progress.requests(), speed, failed));
        }
    }
}
