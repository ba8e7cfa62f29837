package dev.yangtuo.batch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.ChildJvm;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * Runs a batch in processes of its own that are killed, one after the other, and resumed, and holds the output against that of an undisturbed run.
 */
final class KilledBatch {
    private static final int SECONDS = 600;

    private final Path folder;
    private final Path model;
    private final int requests;
    private final Random random;

    /** @param folder takes the files */
    KilledBatch(Path folder, Path model, int requests, long seed) {
        this.folder = folder;
        this.model = model;
        this.requests = requests;
        this.random = new Random(seed);
    }

    /** What the processes run: a batch that is begun, or taken up. */
    static final class Child {
        private Child() {}

        /** @param arguments model, input, output, order */
        public static void main(String[] arguments) {
            try (Llama llama = Llama.load(Path.of(arguments[0]), LoadOptions.defaults().maxSequences(16))) {
                BatchSummary summary = BatchJob.defaults()
                        .options(GenerateOptions.defaults().maxTokens(8).temperature(1))
                        .order(BatchOrder.of(arguments[3])).inFlight(32).resume(true)
                        .run(llama, Path.of(arguments[1]), Path.of(arguments[2]));
                System.out.println(summary.toJson());
            }
        }
    }

    private Path input() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < requests; i++) {
            lines.append(switch (i % 50) {
                case 13 -> "{\"id\":\"r%d\"}\n".formatted(i);
                case 31 -> "broken %d\n".formatted(i);
                case 44 -> "{\"id\":\"r%d\",\"prompt\":\"x\"}\n".formatted(i - 1); // an id that was there
                default -> "{\"id\":\"r%d\",\"prompt\":\"In the beginning %d\",\"max_tokens\":%d}\n".formatted(i, i % 20, 1 + random.nextInt(12));
            });
        }
        return Files.writeString(folder.resolve("in.jsonl"), lines.toString());
    }

    /**
     * The whole check.
     *
     * @param kills how often it is killed
     * @return how many processes were killed while they were writing
     */
    int run(BatchOrder order, int kills) throws Exception {
        Path input = input();
        Path undisturbed = folder.resolve("undisturbed-" + order);
        ChildJvm.Outcome whole = ChildJvm.run(SECONDS, Map.of(), List.of(), Child.class, arguments(input, undisturbed, order));
        assertThat(whole.exitCode()).as(whole.output()).isZero();
        long size = Files.size(undisturbed);
        Path output = folder.resolve("killed-" + order);
        int killed = 0;
        // Some way through the output each, the last ones within its last part, where the end is written.
        long[] moments = random.longs(kills, 0, size).sorted().toArray();
        for (long moment : moments) {
            killed += kill(input, output, order, moment) ? 1 : 0;
        }
        ChildJvm.Outcome last = ChildJvm.run(SECONDS, Map.of(), List.of(), Child.class, arguments(input, output, order));
        assertThat(last.exitCode()).as(last.output()).isZero();
        assertSame(undisturbed, output, order);
        assertThat(last.output()).contains("\"complete\":true,\"requests\":" + requests);
        return killed;
    }

    private String[] arguments(Path input, Path output, BatchOrder order) {
        return new String[] {model.toString(), input.toString(), output.toString(), order.toString()};
    }

    /** Starts a process and kills it a little after the output is so long; false if it ended before. */
    private boolean kill(Path input, Path output, BatchOrder order, long bytes) throws Exception {
        Path log = folder.resolve("child.txt");
        Process process = ChildJvm.start(log, Map.of(), List.of(), Child.class, arguments(input, output, order));
        try {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
            while (process.isAlive() && (!Files.exists(output) || Files.size(output) < bytes)) {
                assertThat(System.nanoTime()).as("the child writes on").isLessThan(end);
                Thread.sleep(1);
            }
            Thread.sleep(0, random.nextInt(999_999));
            return process.isAlive();
        } finally {
            process.destroyForcibly().waitFor();
            assertThat(Files.readString(log)).doesNotContain("Exception");
        }
    }

    private static void assertSame(Path undisturbed, Path output, BatchOrder order) throws IOException {
        String[] expected = Files.readString(undisturbed, StandardCharsets.UTF_8).split("(?<=\n)");
        String[] found = Files.readString(output, StandardCharsets.UTF_8).split("(?<=\n)");
        if (order == BatchOrder.COMPLETION) {
            Arrays.sort(expected);
            Arrays.sort(found);
        }
        assertThat(found).isEqualTo(expected);
    }
}
