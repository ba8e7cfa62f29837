package dev.yangtuo.cli;

import dev.yangtuo.tokenizer.EncodeOptions;
import dev.yangtuo.tokenizer.StreamingEncoder;
import dev.yangtuo.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tokenize --input TEXT --output IDS}: a whole file as one text, of any size, to a file of ids. */
final class IdFileFlags {
    private static final int BUFFER_BYTES = 1 << 18;
    private static final int LARGEST_U16 = 0xFFFF;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--input", paramLabel = "FILE", description = "Encode this file, line feeds included, as one text; - for standard input.")
    private @Nullable String input;

    @Option(names = "--output", paramLabel = "FILE", description = "With --input: the file of ids to write.")
    private @Nullable Path output;

    @Option(names = "--id-type", paramLabel = "TYPE",
            description = "With --input: text, ids separated by spaces; u16 or u32, little-endian integers of that size, nothing else. Default: text.")
    private @Nullable IdType idType;

    /** How ids stand in a file. Lower case, as the command line names them. */
    enum IdType {
        text, u16, u32
    }

    boolean isAskedFor() {
        return input != null || output != null;
    }

    /** Refuses half of it. */
    void check() {
        if (isAskedFor() && (input == null || output == null)) {
            throw new CommandLine.ParameterException(spec.commandLine(), "%s is given without %s".formatted(
                    input == null ? "--output" : "--input", input == null ? "--input" : "--output"));
        }
        if (idType != null && !isAskedFor()) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--id-type is for --input and --output; add them");
        }
    }

    /** @param json whether an object says what was written, instead of a line on standard error */
    void run(TokenizerOptions tokenizers, EncodeOptions options, boolean json) throws IOException {
        TextFile text = TextFile.of(input);
        text.check();
        text.requireOther(output);
        Tokenizer tokenizer = tokenizers.load();
        IdType type = idType == null ? IdType.text : idType;
        if (type == IdType.u16 && tokenizer.vocabSize() - 1 > LARGEST_U16) {
            throw new CommandLine.ParameterException(spec.commandLine(),
                    "--id-type u16 cannot hold the ids of %,d pieces; take u32".formatted(tokenizer.vocabSize()));
        }
        try (ResultFile file = ResultFile.create(output);
                InputStream in = text.open();
                ProgressDisplay display = new ProgressDisplay(spec.commandLine().getErr(), "encoding", ProgressDisplay.Unit.MEGABYTES)) {
            IdWriter writer = new IdWriter(file, type);
            StreamingEncoder encoder = tokenizer.streamingEncoder(options, writer::write);
            long total = text.size();
            long done = 0;
            byte[] buffer = new byte[BUFFER_BYTES];
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                encoder.append(buffer, 0, count);
                done += count;
                display.update(done, total);
            }
            encoder.finish();
            writer.finish();
            file.complete();
            report(writer.count, done, json);
        }
    }

    private void report(long ids, long bytes, boolean json) throws IOException {
        if (!json) {
            spec.commandLine().getErr().println("%s: %s".formatted(output, String.format(Locale.ROOT, "%,d ids of %,d bytes of text", ids, bytes)));
            return;
        }
        JsonResult.print(JsonResult.object().put("output", String.valueOf(output)).put("ids", ids).put("text_bytes", bytes), spec);
    }

    /** Ids as bytes of a file. */
    private static final class IdWriter {
        private final ResultFile file;
        private final IdType type;
        private long count;

        IdWriter(ResultFile file, IdType type) {
            this.file = file;
            this.type = type;
        }

        void write(int[] ids, int length) {
            file.write(type == IdType.text ? asText(ids, length) : asIntegers(ids, length, type == IdType.u16 ? 2 : 4));
            count += length;
        }

        private byte[] asText(int[] ids, int length) {
            StringBuilder text = new StringBuilder(6 * length);
            for (int i = 0; i < length; i++) {
                text.append(count + i == 0 ? "" : " ").append(ids[i]);
            }
            return text.toString().getBytes(StandardCharsets.US_ASCII);
        }

        private static byte[] asIntegers(int[] ids, int length, int size) {
            byte[] bytes = new byte[Math.multiplyExact(length, size)];
            for (int i = 0; i < length; i++) {
                for (int b = 0; b < size; b++) {
                    bytes[i * size + b] = (byte) (ids[i] >>> Byte.SIZE * b);
                }
            }
            return bytes;
        }

        void finish() {
            if (type == IdType.text) {
                file.write(new byte[] {'\n'});
            }
        }
    }
}
