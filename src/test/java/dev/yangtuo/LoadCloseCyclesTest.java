package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.llamacpp.SharedLibrary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Loading and closing a model again and again takes no more memory than once. */
@EnabledOnOs(OS.LINUX)
class LoadCloseCyclesTest {
    private static final int WARM_UP = 20;
    /** With llama.cpp a cycle takes a tenth of the time, and it takes many until compiled code and the C library's arenas have their size. */
    private static final int LLAMA_CPP_WARM_UP = 250;
    private static final int ROUNDS = 5;
    private static final int CYCLES = 25;
    /**
     * Of the round that grew least: a leak grows in every one, while the compiler's memory and the C library's arenas come and go. The weights left behind by every
     * cycle would be 25 times 17 MB, a buffer of activations 25 times 0.25 MB.
     */
    private static final long ALLOWED_BYTES = 5L << 20;

    /** Runs in a JVM of its own, whose heap is resident from the start: what grows then is not the heap. */
    static final class Child {
        private Child() {}

        public static void main(String[] args) throws Exception {
            Path model = Path.of(args[0]);
            LoadOptions plain = LoadOptions.defaults().engine(Engine.of(args[1])).threads(1);
            LoadOptions options = args.length > 2 ? plain.lora(Path.of(args[2])) : plain;
            loadAndClose(model, options, args.length > 2 ? WARM_UP : LLAMA_CPP_WARM_UP);
            long least = Long.MAX_VALUE;
            for (int round = 0; round < ROUNDS; round++) {
                long before = residentBytes();
                loadAndClose(model, options, CYCLES);
                least = Math.min(least, residentBytes() - before);
            }
            System.out.println("grown by " + least);
        }

        private static void loadAndClose(Path model, LoadOptions options, int times) {
            for (int i = 0; i < times; i++) {
                try (Llama llama = Llama.load(model, options)) {
                    llama.generate("山", GenerateOptions.defaults().greedy().maxTokens(1)).result();
                }
            }
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
        requireNoGrowth(ModelFolders.DEMO.resolve("base").toString(), Engine.YANGTUO.toString(), ModelFolders.DEMO.resolve("chinese-lora").toString());
    }

    @Test
    void memoryDoesNotGrowWithLlamaCpp(@TempDir Path folder) throws Exception {
        SharedLibrary.assumed();
        Path model = folder.resolve("demo.gguf");
        Llama.convert(ModelFolders.DEMO.resolve("base"), model, LoadOptions.defaults().lora(ModelFolders.DEMO.resolve("chinese-lora")));
        requireNoGrowth(model.toString(), Engine.LLAMA_CPP.toString());
    }

    private static void requireNoGrowth(String... arguments) throws Exception {
        List<String> heap = List.of("-Xms192m", "-Xmx192m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC");
        ChildJvm.Outcome outcome = ChildJvm.run(100, Map.of(), heap, Child.class, arguments);
        assertThat(outcome.exitCode()).as(outcome.output()).isZero();
        String line = outcome.output().lines().filter(text -> text.startsWith("grown by ")).findFirst().orElseThrow();
        assertThat(Long.parseLong(line.substring("grown by ".length()))).as("bytes that %d cycles left behind", CYCLES).isLessThan(ALLOWED_BYTES);
    }
}
