import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Generation;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.chat.ChatTemplate;
import dev.yangtuo.chat.Session;
import dev.yangtuo.chat.SessionOptions;
import java.nio.file.Path;
import java.util.List;

/** A conversation: each answer knows what was said before. */
final class Chat {
    public static void main(String... args) {
        Path demo = Path.of("examples/demo-model");
        LoadOptions load = LoadOptions.defaults().lora(demo.resolve("chinese-lora")).lora(demo.resolve("alpaca-lora"));
        // The demonstration model brings no template; this is the form that it was trained with. Others need no template(...).
        SessionOptions conversation = SessionOptions.defaults().template(ChatTemplate.named("alpaca-training"));
        GenerateOptions options = GenerateOptions.defaults().seed(7).maxTokens(60);
        try (Llama llama = Llama.load(demo.resolve("base"), load); Session session = llama.openSession(conversation)) {
            for (String question : List.of("以《春夜》为题写一首诗。", "再写一首。")) {
                System.out.println("> " + question);
                Generation answer = session.say(question, options);
                answer.forEach(System.out::print);
                System.out.printf("%n(%d of %d tokens were known)%n", answer.result().reusedTokens(), answer.result().promptTokens());
            }
            System.out.printf("(%d messages, the last is by the %s)%n", session.history().size(), session.history().getLast().role());
        }
    }
}
