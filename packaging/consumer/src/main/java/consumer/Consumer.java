package consumer;

import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import java.nio.file.Path;

/** Continues a prompt with a model, and says what computed it. */
public final class Consumer {
    private Consumer() {}

    /**
     * Writes the backend and the ids of the tokens.
     *
     * @param args the folder of the model, and the prompt
     */
    public static void main(String[] args) {
        try (Llama llama = Llama.load(Path.of(args[0]), LoadOptions.defaults())) {
            System.out.println("backend " + llama.report().backend());
            System.out.println("ids " + llama.generate(args[1], GenerateOptions.defaults().greedy().maxTokens(5)).result().ids());
        }
    }
}
