package dev.yangtuo.batch;

import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Llama;
import dev.yangtuo.chat.ChatTemplate;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Generates many texts, of a file or of requests in memory: many at a time, as the model's scheduler computes them, with common beginnings computed once. What a request
 * gives depends on the model, its prompt, its options and its seed, and not on what else is in the batch. Immutable: each method returns a changed copy.
 *
 * {@snippet :
 * try (Llama llama = Llama.load(Path.of("model"), LoadOptions.defaults().maxSequences(64))) {
 *     BatchSummary summary = BatchJob.defaults().options(GenerateOptions.defaults().maxTokens(200)).resume(true)
 *             .run(llama, Path.of("in.jsonl"), Path.of("out.jsonl"));
 *     System.out.println(summary.toJson());
 * }
 * }
 *
 * <p>A request that cannot be generated becomes a {@link BatchResult.Failed}, and ends nothing. What is wrong with the model, the input or the output as a whole is thrown;
 * what was written until then is whole, and can be resumed.
 */
public final class BatchJob {
    private static final BatchJob DEFAULTS = new BatchJob();

    // Assigned only to a fresh copy before it is handed out.
    private GenerateOptions options = GenerateOptions.defaults();
    private long seed;
    private BatchOrder order = BatchOrder.COMPLETION;
    private int inFlight = 128;
    private @Nullable BatchFormat inputFormat;
    private @Nullable BatchFormat outputFormat;
    private String idColumn = "id";
    private String promptColumn = "prompt";
    private int lineLimit = 4 << 20;
    private @Nullable ChatTemplate chatTemplate;
    private boolean echo;
    private String modelName = "yangtuo";
    private boolean resume;
    private boolean overwrite;
    private Map<String, String> settings = Map.of();
    private BatchCancellation cancellation = new BatchCancellation();
    private BatchListener listener = BatchListener.NONE;

    private BatchJob() {}

    private BatchJob with(Consumer<BatchJob> change) {
        BatchJob copy = new BatchJob();
        copy.options = options;
        copy.seed = seed;
        copy.order = order;
        copy.inFlight = inFlight;
        copy.inputFormat = inputFormat;
        copy.outputFormat = outputFormat;
        copy.idColumn = idColumn;
        copy.promptColumn = promptColumn;
        copy.lineLimit = lineLimit;
        copy.chatTemplate = chatTemplate;
        copy.echo = echo;
        copy.modelName = modelName;
        copy.resume = resume;
        copy.overwrite = overwrite;
        copy.settings = settings;
        copy.cancellation = cancellation;
        copy.listener = listener;
        change.accept(copy);
        return copy;
    }

    /** Results as they become complete, formats as files seem to have them, the seed 0, 128 texts in flight. */
    public static BatchJob defaults() {
        return DEFAULTS;
    }

    /** What requests have that do not say otherwise. A seed in them counts for nothing: {@link #seed}. */
    public BatchJob options(GenerateOptions defaults) {
        return with(job -> job.options = Objects.requireNonNull(defaults));
    }

    /**
     * What the seeds of requests are made of that have none of their own; 0 unless set. The seed of a request is the first 53 bits of the SHA-256 of this number, as eight
     * bytes with the highest first, and the UTF-8 of its id; of a line without an id, of the line's number in decimal digits.
     */
    public BatchJob seed(long value) {
        return with(job -> job.seed = value);
    }

    /** In which order results come; {@link BatchOrder#COMPLETION} unless set. */
    public BatchJob order(BatchOrder value) {
        return with(job -> job.order = Objects.requireNonNull(value));
    }

    /**
     * Texts that the model knows at the same time, 1 to 65,536; 128 unless set. How many of them are computed in one pass is the model's
     * ({@link dev.yangtuo.LoadOptions#maxSequences}); twice as many as those here keep it busy.
     */
    public BatchJob inFlight(int count) {
        requireRange("inFlight", count, 1 << 16);
        return with(job -> job.inFlight = count);
    }

    /** How requests are written down; what the file seems to be unless set. */
    public BatchJob inputFormat(BatchFormat format) {
        return with(job -> job.inputFormat = Objects.requireNonNull(format));
    }

    /**
     * How results are written down; unless set, OpenAI's form for requests in that form, CSV or Parquet for a file whose name ends so, else JSON lines.
     *
     * @throws IllegalArgumentException for {@link BatchFormat#PLAIN}: texts have line feeds
     */
    public BatchJob outputFormat(BatchFormat format) {
        if (format == BatchFormat.PLAIN) {
            throw new IllegalArgumentException("results cannot be written as plain lines: texts have line feeds; choose json, openai, csv or parquet");
        }
        return with(job -> job.outputFormat = Objects.requireNonNull(format));
    }

    /** Names of a CSV or Parquet file's columns of ids and of prompts; {@code id} and {@code prompt} unless set. Without a column of ids, records are known by their numbers. */
    public BatchJob columns(String id, String prompt) {
        return with(job -> {
            job.idColumn = Objects.requireNonNull(id);
            job.promptColumn = Objects.requireNonNull(prompt);
        });
    }

    /** Bytes of a line, or of a CSV record, at most, 1 to 1 GiB; 4 MiB unless set. A longer one fails; memory for a few of this length must be there. */
    public BatchJob lineLimit(int bytes) {
        requireRange("lineLimit", bytes, 1 << 30);
        return with(job -> job.lineLimit = bytes);
    }

    /** How messages are written down; the model's own template unless set ({@link Llama#chatTemplate}). */
    public BatchJob chatTemplate(ChatTemplate template) {
        return with(job -> job.chatTemplate = Objects.requireNonNull(template));
    }

    /** Whether records have the prompt, too, if it is a text. */
    public BatchJob echo(boolean prompts) {
        return with(job -> job.echo = prompts);
    }

    /** What records of {@link BatchFormat#OPENAI} call the model; {@code yangtuo} unless set. */
    public BatchJob modelName(String name) {
        return with(job -> job.modelName = Objects.requireNonNull(name));
    }

    /**
     * Takes the output up where an earlier run left it, whatever ended that, a power failure or {@code kill -9}; begins it if there is none. What comes out is what one
     * run would have given: the same records, in input order the same bytes. Refused where the input, the model or something else that results depend on is not what it was.
     */
    public BatchJob resume(boolean takeUp) {
        return with(job -> job.resume = takeUp);
    }

    /** Whether an output that is there may be replaced; otherwise that is refused. */
    public BatchJob overwrite(boolean replace) {
        return with(job -> job.overwrite = replace);
    }

    /**
     * What results depend on beside what can be seen from outside, by name: how {@link #options} were chosen. Kept with an output; it can be resumed only with the same
     * ones, and messages name those that differ.
     */
    public BatchJob settings(Map<String, String> values) {
        Map<String, String> copy = Map.copyOf(values);
        return with(job -> job.settings = copy);
    }

    /** What ends the batch from another thread. */
    public BatchJob cancellation(BatchCancellation value) {
        return with(job -> job.cancellation = Objects.requireNonNull(value));
    }

    /** Who is told how it comes along. */
    public BatchJob listener(BatchListener value) {
        return with(job -> job.listener = Objects.requireNonNull(value));
    }

    private static void requireRange(String name, int value, int most) {
        if (value < 1 || value > most) {
            throw new IllegalArgumentException("%s is %d, must be 1 to %d".formatted(name, value, most));
        }
    }

    /**
     * Generates the texts of a file. Beside the output a journal is kept, {@code OUTPUT.journal}, from which it can be {@linkplain #resume resumed}; when all is complete,
     * a line of it stays. An interrupt of the thread, or the {@link #cancellation}, ends it; the summary then says that it is not complete.
     *
     * @param llama stays the caller's
     * @param input in the form of {@link #inputFormat}
     * @param output a regular file; records are appended as they come
     * @return what it came to, with what earlier runs had done
     * @throws dev.yangtuo.exception.YangtuoException if the input cannot be read, the output cannot be written, is there, or is of another batch
     * @throws IllegalStateException if the model is closed, or fails
     */
    public BatchSummary run(Llama llama, Path input, Path output) {
        return new JobRunner(this, llama).run(input, output);
    }

    /**
     * Generates the texts of a file and writes results to a stream. Nothing is kept, so that it cannot be resumed.
     *
     * @param llama stays the caller's
     * @param input in the form of {@link #inputFormat}
     * @param output stays open; flushed whenever no further result is there
     * @return what it came to
     * @throws dev.yangtuo.exception.YangtuoException if the input cannot be read or the output cannot be written
     * @throws IllegalStateException if the model is closed, or fails
     */
    public BatchSummary run(Llama llama, Path input, OutputStream output) {
        return new JobRunner(this, llama).run(input, output);
    }

    /**
     * Generates the texts of a stream. Nothing is kept, so that it cannot be resumed.
     *
     * @param llama stays the caller's
     * @param input read to its end and closed
     * @param name what messages call the input; its end tells the format as the name of a file does
     * @param output stays open; flushed whenever no further result is there
     * @return what it came to
     * @throws dev.yangtuo.exception.YangtuoException if the input cannot be read or the output cannot be written
     * @throws IllegalStateException if the model is closed, or fails
     */
    public BatchSummary run(Llama llama, InputStream input, String name, OutputStream output) {
        return new JobRunner(this, llama).run(input, name, output);
    }

    /**
     * Generates the texts of requests in memory.
     *
     * @param llama stays the caller's
     * @param requests read by another thread as texts become complete, at most four times {@link #inFlight} ahead of the results
     * @param results is given each result by the calling thread
     * @return what it came to
     * @throws IllegalStateException if the model is closed, or fails
     */
    public BatchSummary run(Llama llama, Iterator<BatchRequest> requests, Consumer<? super BatchResult> results) {
        return new JobRunner(this, llama).run(requests, results);
    }

    /**
     * The same as a stream, which begins at once: close it unless it is read to its end.
     *
     * @param llama stays the caller's, and open until the stream is closed or at its end
     * @param requests closed with the result
     */
    public Stream<BatchResult> stream(Llama llama, Stream<BatchRequest> requests) {
        return new JobRunner(this, llama).stream(requests);
    }

    BatchRun.Settings runSettings() {
        return new BatchRun.Settings(options, seed, chatTemplate, order, inFlight, echo, cancellation);
    }

    /** What an output is kept with, beside what is found out of the input and the model. */
    Map<String, String> allSettings() {
        Map<String, String> all = new TreeMap<>(settings);
        all.put("seed", Long.toString(seed));
        all.put("order", order.toString());
        all.put("line limit", Integer.toString(lineLimit));
        all.put("echo", Boolean.toString(echo));
        return all;
    }

    @Nullable BatchFormat inputFormat() {
        return inputFormat;
    }

    @Nullable BatchFormat outputFormat() {
        return outputFormat;
    }

    @Nullable ChatTemplate chatTemplate() {
        return chatTemplate;
    }

    String idColumn() {
        return idColumn;
    }

    String promptColumn() {
        return promptColumn;
    }

    int lineLimit() {
        return lineLimit;
    }

    boolean echo() {
        return echo;
    }

    String modelName() {
        return modelName;
    }

    boolean resume() {
        return resume;
    }

    boolean overwrite() {
        return overwrite;
    }

    BatchListener listener() {
        return listener;
    }
}
