import dev.yangtuo.EmbeddingOptions;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import java.nio.file.Path;
import java.util.List;

/** Finds the text that is most like another one, by the cosine of their embeddings. */
final class Embeddings {
    public static void main(String... args) {
        Path model = Path.of(args.length > 0 ? args[0] : "examples/demo-model/base");
        Path adapter = Path.of(args.length > 1 ? args[1] : "examples/demo-model/chinese-lora");
        List<String> texts = List.of("床前明月光，疑是地上霜。", "春眠不觉晓，处处闻啼鸟。", "In the beginning God created the heaven and the earth.");
        try (Llama llama = Llama.load(model, LoadOptions.defaults().lora(adapter))) {
            List<float[]> vectors = llama.embed(texts, EmbeddingOptions.defaults());
            float[] query = llama.embed(List.of("举头望明月，低头思故乡。"), EmbeddingOptions.defaults()).getFirst();
            for (int i = 0; i < texts.size(); i++) {
                System.out.printf("%.3f  %s%n", cosine(query, vectors.get(i)), texts.get(i));
            }
        }
    }

    private static double cosine(float[] a, float[] b) {
        double dot = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            dot += a[i] * b[i];
            aa += a[i] * a[i];
            bb += b[i] * b[i];
        }
        return dot / Math.sqrt(aa * bb);
    }
}
