import dev.yangtuo.ConvertReport;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.MemoryPlan;
import dev.yangtuo.WeightType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Merges an adapter that brings a larger vocabulary into its base model: for this program, and as a model of its own in one file. */
final class MergeAdapter {
    public static void main(String... args) throws IOException {
        Path model = Path.of(args.length > 0 ? args[0] : "examples/demo-model/base");
        Path adapter = Path.of(args.length > 1 ? args[1] : "examples/demo-model/chinese-lora");
        Path merged = args.length > 2 ? Path.of(args[2]) : Files.createTempDirectory("yangtuo").resolve("merged.gguf");
        LoadOptions options = LoadOptions.defaults().lora(adapter).quantize(WeightType.Q8_0);

        MemoryPlan plan = Llama.plan(model, options); // reads headers only
        System.out.println(plan.describe());
        try (Llama llama = Llama.load(model, options)) {
            System.out.println(llama.report().describe());
        }
        ConvertReport report = Llama.convert(model, merged, options);
        System.out.println(report.describe());
        try (Llama llama = Llama.load(merged)) {
            System.out.println(llama.tokenizer().vocabSize() + " pieces, no adapter needed any more");
        }
    }
}
