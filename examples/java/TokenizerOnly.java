import dev.yangtuo.Llama;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.Arrays;

/** Uses a tokenizer without its model: the same text in the vocabulary of a base model and in that of its Chinese adapter. */
final class TokenizerOnly {
    public static void main(String... args) {
        Path base = Path.of(args.length > 0 ? args[0] : "examples/demo-model/base");
        Path chinese = Path.of(args.length > 1 ? args[1] : "examples/demo-model/chinese-lora");
        String text = "人工智能是计算机科学的一个分支。";
        for (Path path : new Path[] {base, chinese}) {
            Tokenizer tokenizer = Llama.loadTokenizer(path); // immutable; share it among threads
            int[] ids = tokenizer.encode(text);
            System.out.printf("%s: %d tokens of %d pieces: %s%n", path.getFileName(), ids.length, tokenizer.vocabSize(), Arrays.toString(ids));
            if (!tokenizer.decode(ids).equals(text)) {
                throw new IllegalStateException("the text must come back");
            }
        }
    }
}
