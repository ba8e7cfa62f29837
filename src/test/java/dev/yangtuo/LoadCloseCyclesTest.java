package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Loading and closing a model again and again takes no more memory than once. */
@EnabledOnOs(OS.LINUX)
class LoadCloseCyclesTest {
    private static final int WARM_UP = 20;
    private static final int CYCLES = 50;
    /**
     * The weights left behind by every cycle would be 50 times 17 MB, a buffer of activations 50 times 0.25 MB. Compiled code and the C library's own
     * arenas grow by a few megabytes in the same time.
     */
    private static final long ALLOWED_BYTES = 12L << 20;

    /** Runs in a JVM of its own, whose heap is resident from the start: what grows then is not the heap. */
    static final class Child {
        private Child() {}

        public static void main(String[] args) throws Exception {
            Path demo = Path.of(args[0]);
            long before = 0;
            for (int i = 0; i < WARM_UP + CYCLES; i++) {
                LoadOptions options = LoadOptions.defaults().lora(demo.resolve("chinese-lora")).backend(BackendType.NATIVE);
                try (Llama llama = Llama.load(demo.resolve("base"), options)) {
                    llama.generate("山", GenerateOptions.defaults().greedy().maxTokens(1)).result();
                }
                if (i == WARM_UP - 1) {
                    before = residentBytes();
                }
            }
            System.out.println("grown by " + (residentBytes() - before));
        }

        /** After collections: staging memory of the backend is freed by them. */
        private static long residentBytes() throws Exception {
            for (int i = 0; i < 3; i++) {
                System.gc();
                Thread.sleep(30);
            }
            return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ")[1]) * 4096;
        }
    }

    @Test
    void memoryDoesNotGrow() throws Exception {
        List<String> heap = List.of("-Xms192m", "-Xmx192m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC");
        ChildJvm.Outcome outcome = ChildJvm.run(100, Map.of(), heap, Child.class, ModelFolders.DEMO.toString());
        assertThat(outcome.exitCode()).as(outcome.output()).isZero();
        String line = outcome.output().lines().filter(text -> text.startsWith("grown by ")).findFirst().orElseThrow();
        assertThat(Long.parseLong(line.substring("grown by ".length()))).as("bytes that %d cycles left behind", CYCLES).isLessThan(ALLOWED_BYTES);
    }
}
