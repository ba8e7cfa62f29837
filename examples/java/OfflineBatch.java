import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.batch.BatchJob;
import dev.yangtuo.batch.BatchRequest;
import dev.yangtuo.batch.BatchResult;
import dev.yangtuo.batch.BatchSummary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Generates what requests ask for, from a file into a file and from a stream; a run that was killed goes on where it was. */
final class OfflineBatch {
    public static void main(String... args) throws IOException {
        Path model = Path.of(args.length > 0 ? args[0] : "examples/demo-model/base");
        Path adapter = Path.of(args.length > 1 ? args[1] : "examples/demo-model/chinese-lora");
        Path folder = args.length > 2 ? Path.of(args[2]) : Files.createTempDirectory("yangtuo");
        Path input = Files.writeString(folder.resolve("in.jsonl"), """
                {"id": "night", "prompt": "《静夜思》\\n"}
                {"id": "spring", "prompt": "《春晓》\\n", "max_tokens": 8}
                {"id": "broken", "prompt": 7}
                """);
        BatchJob job = BatchJob.defaults().options(GenerateOptions.defaults().maxTokens(16)).seed(7).resume(true);
        try (Llama llama = Llama.load(model, LoadOptions.defaults().lora(adapter).maxSequences(64))) {
            BatchSummary summary = job.run(llama, input, folder.resolve("out.jsonl"));
            System.out.println(Files.readString(folder.resolve("out.jsonl")));
            System.out.println(summary.toJson());

            Stream<BatchRequest> requests = Stream.of("《登高》\n", "《相思》\n").map(prompt -> BatchRequest.of(prompt.strip(), prompt));
            try (Stream<BatchResult> results = job.stream(llama, requests)) {
                results.forEach(result -> System.out.println(switch (result) {
                    case BatchResult.Generated text -> text.id() + ": " + text.result().text().strip().replace('\n', ' ');
                    case BatchResult.Failed failed -> failed.id() + " failed: " + failed.message();
                }));
            }
        }
    }
}
