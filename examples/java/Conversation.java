import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.chat.ChatTemplate;
import dev.yangtuo.chat.Session;
import dev.yangtuo.chat.SessionOptions;
import java.nio.file.Path;

/** Talks with a model that was trained for instructions; what it has computed of the conversation is taken over for the next answer. */
final class Conversation {
    public static void main(String... args) {
        Path model = Path.of(args.length > 0 ? args[0] : "examples/demo-model/base");
        LoadOptions options = LoadOptions.defaults();
        for (String adapter : args.length > 1 ? args[1].split(",") : new String[] {"examples/demo-model/chinese-lora", "examples/demo-model/alpaca-lora"}) {
            options = options.lora(Path.of(adapter));
        }
        GenerateOptions answers = GenerateOptions.defaults().seed(7).maxTokens(40);
        // The demonstration model brings no template; without one named here, the model's own is taken.
        SessionOptions conversation = SessionOptions.defaults().template(ChatTemplate.named("alpaca-training"));
        try (Llama llama = Llama.load(model, options); Session session = llama.openSession(conversation)) {
            for (String question : new String[] {"以《春夜》为题写一首诗。", "以《秋思》为题写一首诗。"}) {
                System.out.println("> " + question);
                session.say(question, answers).forEach(System.out::print);
                System.out.println();
            }
            System.out.println(session.history().size() + " messages");
        }
    }
}
