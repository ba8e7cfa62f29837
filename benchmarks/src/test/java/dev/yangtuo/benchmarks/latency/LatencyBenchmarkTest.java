package dev.yangtuo.benchmarks.latency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The benchmarks' states without JMH: what they compute is checked, and what one operation is. */
class LatencyBenchmarkTest {
    @Test
    void eachPromptIsNewAndItsFirstTokenIsComputed() {
        FirstTokenBenchmark benchmark = new FirstTokenBenchmark();
        benchmark.engine = "yangtuo";
        benchmark.model = "demo:f16";
        benchmark.prompt = 32;
        benchmark.open();
        try {
            for (int i = 0; i < 3; i++) {
                benchmark.next();
                assertThat(benchmark.firstToken()).isBetween(0, 12_182);
            }
            benchmark.prompt = 100; // a page of keys and values is remembered
            benchmark.next();
            benchmark.firstToken();
            assertThatIllegalStateException().as("the same prompt again").isThrownBy(benchmark::firstToken).withMessageContaining("computed before");
        } finally {
            benchmark.close();
        }
    }

    @Test
    void textsGoOnAndBeginAnew() {
        NextTokenBenchmark benchmark = new NextTokenBenchmark();
        benchmark.engine = "yangtuo";
        benchmark.model = "demo:q4_0";
        benchmark.texts = 3;
        benchmark.prompt = 16;
        benchmark.tokens = 8;
        benchmark.open();
        try {
            for (int i = 0; i < 20; i++) {
                benchmark.begin();
                benchmark.nextToken();
            }
        } finally {
            benchmark.close();
        }
    }

    /** Uncompiled code makes iterators and the like, some hundred bytes; the streams, lists and statistics of a pass that were there once made thousands. */
    @Test
    void stepsLeaveLittleGarbage() {
        NextTokenBenchmark benchmark = new NextTokenBenchmark();
        benchmark.engine = "yangtuo";
        benchmark.model = "demo:f16";
        benchmark.texts = 1;
        benchmark.prompt = 16;
        benchmark.tokens = 300;
        benchmark.open();
        try {
            benchmark.begin();
            for (int i = 0; i < 100; i++) {
                benchmark.nextToken(); // classes are loaded, call sites linked
            }
            NextTokenBenchmark.Allocated allocated = new NextTokenBenchmark.Allocated();
            for (int i = 0; i < 150; i++) {
                benchmark.garbage(allocated);
            }
            assertThat(allocated.steps).isEqualTo(150);
            assertThat(allocated.bytes / allocated.steps).isBetween(1L, 1500L);
        } finally {
            benchmark.close();
        }
    }

    @Test
    void loadingWithAnAdapterGivesTheModelThatIsMeasured() {
        for (String from : List.of("file", "base", "adapter")) {
            LoadBenchmark benchmark = new LoadBenchmark();
            benchmark.engine = "yangtuo";
            benchmark.model = "demo:f16";
            benchmark.from = from;
            benchmark.verify();
            assertThat(((LatencyEngine) benchmark.load()).vocabSize()).isEqualTo(from.equals("base") ? 3000 : 12_183);
            benchmark.close();
        }
    }

    @Test
    void whatAnEngineCannotDoIsSaid() {
        LoadBenchmark adapter = new LoadBenchmark();
        adapter.engine = "jlama";
        adapter.model = "demo:f16";
        adapter.from = "adapter";
        assertThatIllegalStateException().isThrownBy(adapter::verify).withMessage("Jlama reads no adapters");
        ForeignCallBenchmark call = new ForeignCallBenchmark();
        call.engine = "jlama";
        assertThatIllegalStateException().isThrownBy(call::load).withMessageContaining("no function that does nothing");
    }

    @Test
    void nativeCallReturnsWhatIsChecked() {
        ForeignCallBenchmark call = new ForeignCallBenchmark();
        call.engine = "yangtuo";
        call.load();
        assertThat(call.call()).isPositive();
    }

    @Test
    void randomPromptsBeginDifferently() {
        Set<List<Integer>> beginnings = new HashSet<>();
        for (int number = 0; number < 5000; number++) {
            int[] prompt = RandomPrompts.prompt(number, 4, 1000);
            assertThat(prompt).hasSize(4);
            assertThat(Arrays.stream(prompt)).allMatch(id -> id >= 259 && id < 1000);
            beginnings.add(List.of(prompt[0], prompt[1]));
        }
        assertThat(beginnings).hasSize(5000);
        assertThat(RandomPrompts.prompt(7, 4, 1000)).isEqualTo(RandomPrompts.prompt(7, 4, 1000));
    }
}
