import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Generation;
import dev.yangtuo.GenerationResult;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import java.nio.file.Path;

/** Writes a text while it is computed, and says what it took. */
final class Streaming {
    public static void main(String... args) {
        Path model = Path.of(args.length > 0 ? args[0] : "examples/demo-model/base");
        Path adapter = Path.of(args.length > 1 ? args[1] : "examples/demo-model/chinese-lora");
        GenerateOptions options = GenerateOptions.defaults().temperature(0.7f).topK(40).seed(7).maxTokens(60).stop("\n\n");
        try (Llama llama = Llama.load(model, LoadOptions.defaults().lora(adapter));
                Generation generation = llama.generate("《静夜思》李白\n", options)) {
            for (String piece : generation) {
                System.out.print(piece); // each as soon as it is there; none ends within a character
            }
            GenerationResult result = generation.result();
            System.out.printf(
                    "%n%d tokens after %d (%s): waited %d us, prompt %d us, then %d us a token%n",
                    result.generatedTokens(), result.promptTokens(), result.finishReason(),
                    result.queueTime().toNanos() / 1000, result.promptTime().toNanos() / 1000, result.timePerToken().toNanos() / 1000);
        }
    }
}
