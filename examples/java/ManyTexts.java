import dev.yangtuo.GenerateOptions;
import dev.yangtuo.GenerationResult;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Computes texts together: a list of them, and futures that come and go on their own. */
final class ManyTexts {
    public static void main(String... args) {
        Path model = Path.of(args.length > 0 ? args[0] : "examples/demo-model/base");
        Path adapter = Path.of(args.length > 1 ? args[1] : "examples/demo-model/chinese-lora");
        GenerateOptions options = GenerateOptions.defaults().temperature(0.7f).seed(7).maxTokens(24);
        List<String> titles = List.of("《静夜思》\n", "《春晓》\n", "《登高》\n", "《相思》\n");
        try (Llama llama = Llama.load(model, LoadOptions.defaults().lora(adapter))) {
            for (GenerationResult result : llama.generateBatch(titles, options)) {
                System.out.println(result.text().strip().replace('\n', ' '));
            }
            CompletableFuture<Void> told = llama.generateAsync("《山中》\n", options)
                    .orTimeout(30, TimeUnit.SECONDS) // ends the text, too
                    .thenAccept(result -> System.out.println("later: " + result.text().strip().replace('\n', ' ')));
            llama.generateAsync("《江雪》\n", options.maxTokens(10_000)).cancel(true); // at once
            told.join();
            System.out.printf("%d texts in %d forward passes%n", llama.statistics().texts(), llama.statistics().forwardPasses());
        }
    }
}
