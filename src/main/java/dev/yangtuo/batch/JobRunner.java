package dev.yangtuo.batch;

import dev.yangtuo.Llama;
import dev.yangtuo.chat.ChatMessage;
import dev.yangtuo.chat.ChatTemplate;
import dev.yangtuo.chat.SpecialTexts;
import dev.yangtuo.exception.ChatTemplateException;
import dev.yangtuo.exception.YangtuoException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/** Runs a job with a model. */
final class JobRunner {
    private static final long UNKNOWN_SIZE = -1;
    /** Longer than any row group takes to be unpacked. */
    private static final Duration PARQUET_PATIENCE = Duration.ofMinutes(2);

    private final BatchJob job;
    private final Llama llama;
    private final long startNanos = System.nanoTime();
    private final long generatedBefore;

    /** What is done, and of how much. */
    private static final class Standing {
        final Tally tally;
        final Tally before;
        final long size;
        long inputBytes;

        Standing(Tally tally, Tally before, long size) {
            this.tally = tally;
            this.before = before;
            this.size = size;
        }
    }

    JobRunner(BatchJob job, Llama llama) {
        this.job = job;
        this.llama = llama;
        this.generatedBefore = llama.statistics().generatedTokens();
    }

    /** File to file. */
    BatchSummary run(Path input, Path output) {
        requireInput(input);
        try {
            BatchFormat from = job.inputFormat() == null ? guess(input) : job.inputFormat();
            BatchFormat to = outputFormat(from, output.getFileName().toString());
            requireOutput(input, output, to);
            reader(input, from).close(); // one that cannot be read leaves no output
            JournalHeader header = JournalHeader.of(Instant.now().getEpochSecond(), settings(input, from, to));
            OutputLog.Beginning beginning = new OutputLog.Beginning(header, records(to, 0).preamble());
            return to == BatchFormat.PARQUET ? runToParquet(input, from, output, beginning) : run(input, from, output, to, beginning);
        } catch (IOException e) {
            throw unreadable(input.toString(), e);
        }
    }

    private BatchSummary run(Path input, BatchFormat from, Path output, BatchFormat to, OutputLog.Beginning beginning) throws IOException {
        try (OutputLog log = job.resume() ? OutputLog.resume(output, beginning) : OutputLog.create(output, beginning)) {
            BatchSummary completed = log.completed();
            return completed != null ? completed : run(input, from, log, records(to, log.created()));
        }
    }

    private BatchSummary runToParquet(Path input, BatchFormat from, Path output, OutputLog.Beginning beginning) throws IOException {
        // While there is a journal of the records, the output is an older one that is replaced, or was written by a run that was killed before it said so.
        boolean begun = Files.exists(OutputLog.journal(ParquetOutput.records(output)));
        if (job.resume() && Files.exists(output) && !begun) {
            try (OutputLog log = OutputLog.resume(output, beginning)) {
                BatchSummary completed = log.completed();
                if (completed != null) {
                    ParquetOutput.deleteRecords(output);
                    return completed;
                }
            }
        }
        Files.deleteIfExists(OutputLog.journal(output)); // of an output that is replaced
        BatchSummary summary = run(input, from, ParquetOutput.records(output), BatchFormat.PARQUET, beginning);
        if (summary.complete()) {
            ParquetOutput.write(output, job.echo());
            OutputLog.markComplete(output, beginning.header(), summary);
            ParquetOutput.deleteRecords(output);
        }
        return summary;
    }

    private BatchSummary run(Path input, BatchFormat from, OutputLog log, RecordFormat records) throws IOException {
        Tally before = log.taken().copy();
        Standing standing = new Standing(log.taken(), before, Files.size(input));
        try (BatchRun run = begin(reader(input, from), log.done())) {
            write(run, standing, log, records);
            BatchSummary summary = summary(run, standing);
            if (summary.complete()) {
                log.complete(summary);
            }
            return summary;
        }
    }

    private static void requireInput(Path input) {
        if (!Files.exists(input)) {
            throw new YangtuoException("%s: there is no such file".formatted(input));
        }
        if (!Files.isRegularFile(input)) {
            throw new YangtuoException("%s: is no regular file, so that a run that was killed could not be resumed; read it as a stream".formatted(input));
        }
    }

    private void requireOutput(Path input, Path output, BatchFormat format) {
        Path records = format == BatchFormat.PARQUET ? ParquetOutput.records(output) : output;
        if (job.resume() || !Files.exists(output) && !Files.exists(records)) {
            return;
        }
        if (sameFile(input, output)) {
            throw new YangtuoException("%s: is the input and the output; name another output".formatted(output));
        }
        if (!job.overwrite()) {
            String resumable = Files.exists(OutputLog.journal(records)) ? "resume it, overwrite it, or name another output" : "overwrite it, or name another output";
            throw new YangtuoException("%s: is there already; %s".formatted(output, resumable));
        }
    }

    private static boolean sameFile(Path input, Path output) {
        try {
            return Files.isSameFile(input, output);
        } catch (IOException e) {
            return false; // opening them says why
        }
    }

    private Map<String, String> settings(Path input, BatchFormat from, BatchFormat to) throws IOException {
        Map<String, String> settings = job.allSettings();
        settings.put("input", InputMark.of(input));
        settings.put("model", ModelMark.of(llama));
        settings.put("chat template", templateMark());
        settings.put("input format", from.toString());
        settings.put("output format", to.toString());
        if (to == BatchFormat.OPENAI) {
            settings.put("model name", job.modelName());
        }
        if (from == BatchFormat.CSV || from == BatchFormat.PARQUET) {
            settings.put("id column", job.idColumn());
            settings.put("prompt column", job.promptColumn());
        }
        return settings;
    }

    /** What the template makes of two messages; whoever has no messages need not have one that works. */
    private String templateMark() {
        List<ChatMessage> messages = List.of(ChatMessage.user("a"), ChatMessage.assistant("b"), ChatMessage.user("c"));
        try {
            ChatTemplate template = job.chatTemplate() == null ? llama.chatTemplate() : job.chatTemplate();
            String text = template.render(messages, true, SpecialTexts.of(llama.tokenizer())).text();
            return "%s, %s".formatted(template.name(), HexFormat.of().formatHex(Digests.of(0, text).array(), 0, 8));
        } catch (ChatTemplateException e) {
            return "none: " + e.getMessage();
        }
    }

    private static BatchFormat guess(Path input) throws IOException {
        try (InputStream in = Files.newInputStream(input)) {
            return BatchFormat.guess(input.getFileName().toString(), in.readNBytes(BatchFormat.SAMPLE_BYTES));
        }
    }

    private BatchFormat outputFormat(BatchFormat from, String name) {
        if (job.outputFormat() != null) {
            return job.outputFormat();
        }
        BatchFormat named = BatchFormat.ofOutputName(name);
        return named != null ? named : from == BatchFormat.OPENAI ? from : BatchFormat.JSON_LINES;
    }

    private RecordFormat records(BatchFormat format, long created) {
        return switch (format) {
            case JSON_LINES, PLAIN, PARQUET -> new JsonRecords(llama.tokenizer());
            case OPENAI -> new OpenAiRecords(llama.tokenizer(), job.modelName(), created);
            case CSV -> new CsvRecords(Csv.open(), job.echo());
        };
    }

    private RequestReader reader(Path input, BatchFormat format) throws IOException {
        if (format != BatchFormat.PARQUET) {
            return reader(Files.newInputStream(input), input.toString(), format);
        }
        WatchedReader.Opener opener = () -> ParquetRequests.open(input, job.idColumn(), job.promptColumn(), job.lineLimit());
        return new UniqueIds(WatchedReader.open(opener, input.toString(), PARQUET_PATIENCE));
    }

    private RequestReader reader(InputStream in, String name, BatchFormat format) throws IOException {
        InputLines lines = new InputLines(in, job.lineLimit(), format == BatchFormat.CSV);
        try {
            LineParser parser = switch (format) {
                case JSON_LINES -> new JsonLineParser();
                case OPENAI -> new OpenAiParser();
                case PLAIN -> new PlainParser();
                case CSV -> csvParser(lines, name);
                case PARQUET -> throw new YangtuoException("%s: Parquet is read from a file only: its index is at its end".formatted(name));
            };
            return new UniqueIds(new LineRequests(lines, job.lineLimit(), parser));
        } catch (IOException | RuntimeException e) {
            lines.close();
            throw e;
        }
    }

    private LineParser csvParser(InputLines lines, String name) throws IOException {
        Csv csv = Csv.open();
        if (!lines.advance() || lines.isTooLong()) {
            throw new YangtuoException("%s, line 1: is no header; expected the names of the columns".formatted(name));
        }
        try {
            return CsvLineParser.of(csv, name, lines.line(), job.idColumn(), job.promptColumn());
        } catch (RequestProblem e) {
            throw new YangtuoException("%s, line 1: %s; expected the names of the columns".formatted(name, e.getMessage()), e);
        }
    }

    /** File to stream. */
    BatchSummary run(Path input, OutputStream output) {
        requireInput(input);
        try {
            BatchFormat from = job.inputFormat() == null ? guess(input) : job.inputFormat();
            return run(reader(input, from), from, Files.size(input), output);
        } catch (IOException e) {
            throw unreadable(input.toString(), e);
        }
    }

    /** Stream to stream. */
    BatchSummary run(InputStream input, String name, OutputStream output) {
        BufferedInputStream in = new BufferedInputStream(input, 2 * BatchFormat.SAMPLE_BYTES);
        try {
            BatchFormat from = job.inputFormat() == null ? guess(in, name) : job.inputFormat();
            return run(reader(in, name, from), from, UNKNOWN_SIZE, output);
        } catch (IOException e) {
            throw unreadable(name, e);
        }
    }

    private BatchSummary run(RequestReader reader, BatchFormat from, long size, OutputStream output) {
        Standing standing = new Standing(new Tally(), new Tally(), size);
        try (BatchRun run = begin(reader, new DoneRecords())) {
            BatchFormat to = outputFormat(from, "");
            if (to == BatchFormat.PARQUET) {
                throw new YangtuoException("Parquet is written to a file only: its index is at its end");
            }
            RecordFormat records = records(to, Instant.now().getEpochSecond());
            try (StreamSink sink = new StreamSink(output, records.preamble())) {
                write(run, standing, sink, records);
                return summary(run, standing);
            }
        }
    }

    /** Of a pipe, what there is of its first bytes. */
    private static BatchFormat guess(BufferedInputStream in, String name) throws IOException {
        in.mark(BatchFormat.SAMPLE_BYTES);
        byte[] sample = new byte[BatchFormat.SAMPLE_BYTES];
        int length = Math.max(0, in.read(sample));
        in.reset();
        return BatchFormat.guess(name, Arrays.copyOf(sample, length));
    }

    private void write(BatchRun run, Standing standing, RecordSink sink, RecordFormat records) {
        for (Finished finished = next(run, standing); finished != null; finished = next(run, standing)) {
            sink.add(finished, records.record(finished));
            if (sink.isFull() || !run.isReady()) {
                sink.commit();
            }
        }
        sink.commit();
    }

    /** Memory to memory. */
    BatchSummary run(Iterator<BatchRequest> requests, Consumer<? super BatchResult> results) {
        Standing standing = new Standing(new Tally(), new Tally(), UNKNOWN_SIZE);
        try (BatchRun run = begin(new MemoryRequests(requests), new DoneRecords())) {
            for (Finished finished = next(run, standing); finished != null; finished = next(run, standing)) {
                results.accept(finished.result());
            }
            return summary(run, standing);
        }
    }

    /** Memory to memory, as results are asked for. */
    Stream<BatchResult> stream(Stream<BatchRequest> requests) {
        Standing standing = new Standing(new Tally(), new Tally(), UNKNOWN_SIZE);
        BatchRun run = begin(new MemoryRequests(requests.iterator()), new DoneRecords());
        Spliterator<BatchResult> results = new Spliterators.AbstractSpliterator<>(Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL) {
            @Override
            public boolean tryAdvance(Consumer<? super BatchResult> action) {
                Finished finished = next(run, standing);
                if (finished == null) {
                    run.close();
                    return false;
                }
                action.accept(finished.result());
                return true;
            }
        };
        return StreamSupport.stream(results, false).onClose(run::close).onClose(requests::close);
    }

    private BatchRun begin(RequestReader reader, DoneRecords done) {
        return new BatchRun(llama, job.runSettings(), reader, done::contains);
    }

    private @Nullable Finished next(BatchRun run, Standing standing) {
        Finished finished = run.next(() -> tell(run, standing));
        if (finished != null) {
            standing.tally.add(Tally.Counted.of(finished.result()));
            standing.inputBytes += finished.record().bytes();
            job.listener().onResult(finished.result());
            tell(run, standing);
        }
        return finished;
    }

    private void tell(BatchRun run, Standing standing) {
        job.listener().onProgress(new BatchProgress(standing.tally.requests(), standing.tally.failed(), standing.before.requests(),
                standing.inputBytes + run.skippedBytes(), run.skippedBytes(), standing.size, llama.statistics().generatedTokens() - generatedBefore, elapsed()));
    }

    private BatchSummary summary(BatchRun run, Standing standing) {
        return standing.tally.summary(standing.before, !run.isCancelled(), elapsed());
    }

    private Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - startNanos);
    }

    private static YangtuoException unreadable(String name, IOException e) {
        return new YangtuoException("%s: cannot be read: %s".formatted(name, Objects.requireNonNullElse(e.getMessage(), e.toString())), e);
    }
}
