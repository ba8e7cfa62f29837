package dev.yangtuo.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.yangtuo.bench.BenchTest;
import dev.yangtuo.benchmarks.compare.Program.Kind;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Samples as the programs print them, in short. */
class ProgramOutputTest {
    private static final String LLAMA_BENCH = """
            [
              {
                "build_commit": "de3ff81", "build_number": 1, "cpu_info": "AMD EPYC", "n_threads": 2,
                "n_prompt": 16, "n_gen": 0, "n_depth": 0, "avg_ts": 3.61, "stddev_ts": 0.0, "samples_ts": [ 3.5, 3.72 ]
              },
              {
                "build_commit": "de3ff81", "build_number": 1,
                "n_prompt": 0, "n_gen": 4, "n_depth": 0, "avg_ts": 2.465956, "samples_ts": [ 2.46596 ]
              }
            ]
            """;
    private static final String BATCHED_BENCH = """
            llama_context: n_ctx = 512
            {"n_kv_max": 512, "n_threads": 2, "pp": 1, "tg": 4, "pl": 2, "n_kv": 10, "t_pp": 1.4, "speed_pp": 1.42, "t_tg": 3.02, "speed_tg": 2.647225, "speed": 2.25}
            {"n_kv_max": 512, "n_threads": 2, "pp": 1, "tg": 4, "pl": 2, "n_kv": 10, "t_pp": 1.4, "speed_pp": 1.42, "t_tg": 3.02, "speed_tg": 3.5, "speed": 2.25}
            {"n_kv_max": 512, "pp": 1, "tg": 8, "pl": 2, "speed_tg": 9.9}
            """;
    private static final String YANGTUO = """
            {"machine": "AMD EPYC", "system": "Linux", "version": "0.1.0", "backend": "native avx512", "read_gbps": 38.5, "int8_tops": 1.9, "fma_tflops": null,
             "tests": [{"name": "tg128 x8", "tokens_per_second": 140.0, "samples": [138.0, 142.0], "share_of_bandwidth": 0.5, "share_of_int8_peak": null}]}
            """;

    private static BenchTest test(String name) {
        return TestNames.parse(name).getFirst();
    }

    @Test
    void llamaBenchsSamplesAreThoseOfTheTest() {
        ProgramOutput output = ProgramOutput.parse(Kind.LLAMA_BENCH, LLAMA_BENCH, test("pp16"));
        assertThat(output.tokensPerSecond()).containsExactly(3.5, 3.72);
        assertThat(output.facts()).containsEntry("version", "de3ff81 (build 1)");
        assertThat(ProgramOutput.parse(Kind.LLAMA_BENCH, LLAMA_BENCH, test("tg4")).tokensPerSecond()).containsExactly(2.46596);
    }

    @Test
    void sharesAreOfCeilingsThatWereGiven() {
        String output = "{\"read_gbps\": 40, \"int8_tops\": 2, \"tests\": [{\"name\": \"tg4\", \"samples\": [5], \"gbps\": 20, \"tops\": 1,"
                + " \"share_of_bandwidth\": 0.5, \"share_of_int8_peak\": 0.5, \"share_of_fma_peak\": null}]}";
        ProgramOutput measured = ProgramOutput.parse(Kind.YANGTUO, output, test("tg4"));
        assertThat(measured.against(Map.of())).isEqualTo(measured);
        assertThat(measured.against(Map.of("read_gbps", 80.0)).numbers())
                .containsEntry("read_gbps", 80.0).containsEntry("share_of_bandwidth", 0.25).containsEntry("share_of_int8_peak", 0.5).doesNotContainKey("share_of_fma_peak");
    }

    @Test
    void linesAroundTheArrayAreNoProblem() {
        String output = "warning: [CPU] is slow\n" + LLAMA_BENCH + "done\n";
        assertThat(ProgramOutput.parse(Kind.LLAMA_BENCH, output, test("pp16")).tokensPerSecond()).containsExactly(3.5, 3.72);
    }

    @Test
    void anAverageServesWhereThereAreNoSamples() {
        String output = "[{\"n_prompt\": 16, \"n_gen\": 0, \"avg_ts\": 7.5}]";
        assertThat(ProgramOutput.parse(Kind.LLAMA_BENCH, output, test("pp16")).tokensPerSecond()).containsExactly(7.5);
    }

    @Test
    void batchedBenchsTableServesWhereItPrintsNoLines() {
        String table = """
                |    PP |     TG |    B |   N_KV |   T_PP s | S_PP t/s |   T_TG s | S_TG t/s |      T s |    S t/s |
                |-------|--------|------|--------|----------|----------|----------|----------|----------|----------|
                |     1 |      4 |    2 |     10 |    1.048 |     1.91 |    0.615 |    13.00 |    1.663 |     6.01 |
                |     1 |      8 |    2 |     18 |    1.048 |     1.91 |    0.615 |    14.00 |    1.663 |     6.01 |
                """;
        assertThat(ProgramOutput.parse(Kind.LLAMA_BATCHED_BENCH, table, test("tg4x2")).tokensPerSecond()).containsExactly(13.0);
        assertThatIllegalArgumentException().isThrownBy(() -> ProgramOutput.parse(Kind.LLAMA_BATCHED_BENCH, table, test("tg4x8")));
    }

    @Test
    void batchedBenchsLinesAreRepeats() {
        assertThat(ProgramOutput.parse(Kind.LLAMA_BATCHED_BENCH, BATCHED_BENCH, test("tg4x2")).tokensPerSecond()).containsExactly(2.647225, 3.5);
    }

    @Test
    void ourOwnOutputBringsTheCeilings() {
        ProgramOutput output = ProgramOutput.parse(Kind.YANGTUO, YANGTUO, test("tg128x8"));
        assertThat(output.tokensPerSecond()).containsExactly(138.0, 142.0);
        assertThat(output.facts()).containsEntry("machine", "AMD EPYC").containsEntry("backend", "native avx512");
        assertThat(output.numbers()).containsEntry("read_gbps", 38.5).containsEntry("share_of_bandwidth", 0.5)
                .doesNotContainKeys("fma_tflops", "share_of_int8_peak");
    }

    @Test
    void whatIsNotTheTestsOutputIsShown() {
        assertThatIllegalArgumentException().isThrownBy(() -> ProgramOutput.parse(Kind.LLAMA_BENCH, LLAMA_BENCH, test("pp512"))).withMessageContaining("no speeds of pp512");
        assertThatIllegalArgumentException().isThrownBy(() -> ProgramOutput.parse(Kind.LLAMA_BENCH, "error: unknown model", test("pp16")))
                .withMessageContaining("no JSON: error: unknown model");
        assertThatIllegalArgumentException().isThrownBy(() -> ProgramOutput.parse(Kind.LLAMA_BENCH, "", test("pp16"))).withMessageContaining("(nothing)");
        assertThatIllegalArgumentException().isThrownBy(() -> ProgramOutput.parse(Kind.LLAMA_BATCHED_BENCH, "{\"speed_tg\": }", test("tg4x2")));
        assertThatIllegalArgumentException().isThrownBy(() -> ProgramOutput.parse(Kind.LLAMA_BENCH, "[{\"n_prompt\":16,\"n_gen\":0,\"samples_ts\":[0]}]", test("pp16")));
    }
}
