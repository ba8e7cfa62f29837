import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.Score;
import java.nio.file.Path;
import java.util.List;

/** Says which of some continuations a model thinks most probable. */
final class Scoring {
    public static void main(String... args) {
        Path model = Path.of(args.length > 0 ? args[0] : "examples/demo-model/base");
        Path adapter = Path.of(args.length > 1 ? args[1] : "examples/demo-model/chinese-lora");
        List<String> continuations = List.of("疑是地上霜。", "处处闻啼鸟。", "the heaven and the earth.");
        try (Llama llama = Llama.load(model, LoadOptions.defaults().lora(adapter))) {
            List<Score> scores = llama.score("床前明月光，", continuations); // the prompt is computed once
            for (int i = 0; i < scores.size(); i++) {
                System.out.printf("%8.3f nats, %6.3f a token: %s%n", scores.get(i).sum(), scores.get(i).perToken(), continuations.get(i));
            }
        }
    }
}
