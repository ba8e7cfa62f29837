package dev.yangtuo.cli;

import dev.yangtuo.GenerateOptions;
import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.chat.ChatTemplate;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** A conversation. Standard output carries the answers alone. */
@Command(
        name = "chat",
        mixinStandardHelpOptions = true,
        description = {
            "Talks with a model: each line is a message, and the model knows what was said before. /help shows what else can be typed.",
            "Ctrl-C ends an answer; Ctrl-D ends the chat. Standard input may also be a file or a pipe, with a message on each line."
        },
        footer = {
            "",
            "How messages are written down for the model is its own chat template; one without a template is likely a base model, which goes on with a text "
                    + "rather than to answer: then Alpaca's form is taken, and it is said.",
            "  yangtuo chat --model llama-3 --system 'Answer briefly.'",
            "  yangtuo chat --model chinese-alpaca-2 --chat-template chinese-alpaca-2 --json < messages.txt"
        })
final class ChatCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Option(names = ModelOptions.CONTEXT, paramLabel = "N", description = ModelOptions.CONTEXT_DESCRIPTION)
    private @Nullable Integer context;

    @Option(names = "--system", paramLabel = "TEXT", description = "The system message, which says how to answer. Default: none, or what the template has.")
    private String system = "";

    @Option(names = "--chat-template", paramLabel = "NAME|FILE",
            description = {
                "Write messages down in this form: alpaca, alpaca-training, chinese-alpaca-2, llama-2, llama-3, chatml, or the Jinja template of a file.",
                "Default: the model's own, else alpaca."
            })
    private @Nullable String template;

    @Mixin
    private TextFlags text;

    @Mixin
    private GrammarFlags grammar;

    @Mixin
    private GuessFlags guesses;

    @Option(names = "--no-history", description = "Neither read nor keep the lines that are typed in the history file.")
    private boolean noHistory;

    @Option(names = "--json", description = "Write one JSON object for each answer, when it is complete.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        GenerateOptions options = grammar.apply(text.options(spec.commandLine()));
        guesses.check(spec.commandLine());
        ChatTemplate named = template == null ? null : template(template);
        try (Llama llama = model.load(ModelOptions.WeightTypeDefault.OF_FILE, KvType.F16, context, err);
                Llama draft = guesses.load(llama, model.threads());
                ChatInput input = input(err);
                ChatLoop loop = new ChatLoop(
                        llama, named == null ? llama.chatTemplate() : named, system, guesses.applyTo(options, draft), input, json, grammar, spec.commandLine())) {
            if (named == null && !llama.hasChatTemplate()) {
                err.println("yangtuo: warning: the model brings no chat template. It is likely a base model, which goes on with a text rather than to answer."
                        + " Messages are written in the form 'alpaca'; --chat-template names another");
            }
            return loop.run();
        }
    }

    /** What {@code --chat-template} says. */
    static ChatTemplate template(String name) {
        return ChatTemplate.names().contains(name) ? ChatTemplate.named(name) : ChatTemplate.read(Path.of(name));
    }

    private ChatInput input(PrintWriter err) throws IOException {
        boolean interactive = System.console() != null && System.console().isTerminal();
        if (interactive) {
            try {
                return TerminalChatInput.open(!noHistory);
            } catch (NoClassDefFoundError e) {
                err.println("yangtuo: lines cannot be edited, and Ctrl-C ends the chat: org.jline:jline-reader is not on the class path");
            }
        }
        return new PipedChatInput(interactive, err);
    }
}
