package dev.yangtuo.batch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.ChildJvm;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Llama;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An input may be larger than the heap. */
class BatchMemoryTest {
    private static final int LINES = 60_000;

    @TempDir
    private Path folder;

    /** What runs with little memory. */
    static final class Child {
        private Child() {}

        /** @param arguments input, output */
        public static void main(String[] arguments) {
            try (Llama llama = Llama.load(Path.of("src/test/resources/models/tiny/base"))) {
                BatchSummary summary = BatchJob.defaults().options(GenerateOptions.defaults().maxTokens(1)).lineLimit(1 << 20)
                        .run(llama, Path.of(arguments[0]), Path.of(arguments[1]));
                System.out.println(summary.toJson());
            }
        }
    }

    @Test
    void aSmallHeapIsEnoughForALargeInput() throws Exception {
        Path input = folder.resolve("in.jsonl");
        write(input);
        assertThat(Files.size(input)).isGreaterThan(50_000_000);
        ChildJvm.Outcome outcome = ChildJvm.run(120, Map.of(), List.of("-Xmx32m"), Child.class, input.toString(), folder.resolve("out.jsonl").toString());
        assertThat(outcome.exitCode()).as(outcome.output()).isZero();
        assertThat(outcome.output()).contains("\"complete\":true,\"requests\":" + (LINES + 1), "\"succeeded\":60,", "\"line_too_long\":1");
    }

    /** Lines with problems of every kind, one that is as long as the heap, and few that are generated. */
    private static void write(Path input) throws IOException {
        String filler = "x".repeat(800);
        try (BufferedWriter out = Files.newBufferedWriter(input)) {
            for (int i = 0; i < LINES; i++) {
                out.write(switch (i % 1000) {
                    case 7 -> "{\"id\":\"r%d\",\"prompt\":\"x\"}\n".formatted(i);
                    case 8 -> "{\"id\":\"r%d\",\"prompt\":\"an id that was there\"}\n".formatted(i - 1);
                    default -> i % 2 == 0 ? "{\"id\":\"r%d\",\"prompt\":7,\"user\":\"%s\"}\n".formatted(i, filler) : "broken %s\n".formatted(filler);
                });
            }
            for (int i = 0; i < 40; i++) {
                out.write("y".repeat(1 << 20));
            }
            out.write('\n');
        }
    }
}
