package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.bench.BenchReport;
import dev.yangtuo.bench.BenchTest;
import dev.yangtuo.bench.TestResult;
import dev.yangtuo.kernel.Ceilings;
import java.util.List;
import java.util.Locale;

/** What {@code bench} found as JSON; docs/benchmarking.md describes the keys. What was not measured is null. */
final class BenchJson {
    private BenchJson() {}

    static ObjectNode of(BenchReport report) {
        ObjectNode root = JsonResult.object();
        BenchReport.Setup setup = report.setup();
        root.put("machine", report.machine().processor());
        root.put("processors", report.machine().processors());
        root.put("features", report.machine().features());
        root.put("memory_bytes", report.machine().memoryBytes());
        root.put("system", report.machine().system());
        root.put("java", report.machine().java());
        root.put("version", setup.version());
        root.put("backend", setup.backend());
        root.put("kernel", setup.backend().substring(setup.backend().lastIndexOf(' ') + 1));
        root.put("threads", setup.threads());
        Ceilings ceilings = report.ceilings() == null ? new Ceilings(Double.NaN, Double.NaN, "", Double.NaN, "") : report.ceilings();
        root.set("read_gbps", JsonResult.number(ceilings.readGbps()));
        root.set("int8_tops", JsonResult.number(ceilings.int8Tops()));
        root.put("int8_instruction", ceilings.int8Instruction());
        root.set("fma_tflops", JsonResult.number(ceilings.fmaTflops()));
        root.put("fma_instruction", ceilings.fmaInstruction());
        root.put("model", setup.model());
        root.put("type", lower(setup.weightTypes().getFirst()));
        setup.weightTypes().forEach(root.putArray("types")::add);
        root.put("weight_bytes", setup.weightBytes());
        root.put("output_type", lower(setup.outputType()));
        root.put("kv_type", lower(setup.kvType()));
        root.put("ubatch", setup.step());
        root.put("repeats", setup.repeats());
        root.put("interrupted", report.interrupted());
        List<TestResult> results = report.results();
        var tests = root.putArray("tests");
        results.forEach(result -> test(tests.addObject(), report, result));
        return root;
    }

    private static void test(ObjectNode node, BenchReport report, TestResult result) {
        BenchTest test = result.test();
        node.put("name", test.name());
        node.put("kind", lower(test.kind().name()));
        node.put("tokens", test.tokens());
        node.put("depth", test.depth());
        node.put("sequences", test.sequences());
        node.put("tokens_per_second", result.tokensPerSecond().mean());
        node.put("stddev", result.tokensPerSecond().deviation());
        node.put("median", result.tokensPerSecond().median());
        result.tokensPerSecond().values().forEach(node.putArray("samples")::add);
        node.put("bytes_per_token", result.bytesPerToken());
        node.put("ops_per_token", result.operationsPerToken());
        node.put("gbps", result.gigabytesPerSecond());
        node.put("tops", result.teraOperationsPerSecond());
        node.set("share_of_bandwidth", JsonResult.number(report.shareOfBandwidth(result)));
        node.set("share_of_int8_peak", JsonResult.number(report.shareOfInt8Peak(result)));
        node.set("share_of_fma_peak", JsonResult.number(report.shareOfFmaPeak(result)));
    }

    private static String lower(String name) {
        return name.toLowerCase(Locale.ROOT);
    }
}
