package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.FinishReason;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Generation;
import dev.yangtuo.GenerationResult;
import dev.yangtuo.Llama;
import dev.yangtuo.chat.ChatMessage;
import dev.yangtuo.chat.ChatTemplate;
import dev.yangtuo.chat.Session;
import dev.yangtuo.chat.SessionOptions;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine;

/** Takes messages and commands until there are no more. */
final class ChatLoop implements AutoCloseable {
    private static final String HELP = """
            /help            this
            /system [TEXT]   change the system message; without TEXT show it
            /reset           forget what was said
            /undo            forget the last question and its answer
            /history         show what was said
            /save FILE       write the conversation to a file, as JSON
            /load FILE       go on with the conversation of a file
            /exit, /quit     end
            A line that ends in a backslash goes on in the next one; lines between \""" and \""" are one message.
            A message that begins with a slash is written with two.""";

    private final Llama llama;
    private final ChatTemplate template;
    private final GenerateOptions options;
    private final ChatInput input;
    private final boolean json;
    private final GrammarFlags grammar;
    private final PrintWriter out;
    private final PrintWriter err;
    private Session session;
    private int exitCode = CommandLine.ExitCode.OK;

    /**
     * @param json whether each answer is written as an object
     * @param grammar what answers have to follow; {@code options} has it already
     */
    ChatLoop(Llama llama, ChatTemplate template, String system, GenerateOptions options, ChatInput input, boolean json, GrammarFlags grammar,
            CommandLine command) {
        this.llama = llama;
        this.template = template;
        this.options = options;
        this.input = input;
        this.json = json;
        this.grammar = grammar;
        this.out = command.getOut();
        this.err = command.getErr();
        this.session = open(system, List.of());
    }

    private Session open(String system, List<ChatMessage> messages) {
        return llama.openSession(SessionOptions.defaults().template(template).system(system).messages(messages));
    }

    /** @return the exit code */
    int run() throws IOException {
        MessageReader messages = new MessageReader(input);
        boolean interrupted = false;
        while (true) {
            String message;
            try {
                message = messages.next();
                interrupted = false;
            } catch (ChatInput.Interrupted e) {
                if (interrupted) {
                    return InterruptGuard.EXIT_CODE;
                }
                interrupted = true;
                err.println("Ctrl-C again, Ctrl-D or /exit ends the chat.");
                continue;
            }
            if (message == null || message.strip().equals("/exit") || message.strip().equals("/quit")) {
                return exitCode;
            }
            if (!take(message)) {
                return InterruptGuard.EXIT_CODE;
            }
        }
    }

    /**
     * Does what a message asks for; a failure is said, and the chat goes on.
     *
     * @return whether it goes on
     */
    private boolean take(String message) throws IOException {
        try {
            if (message.startsWith("//")) {
                return answer(message.substring(1));
            }
            if (message.startsWith("/")) {
                command(message.strip());
                return true;
            }
            return answer(message);
        } catch (YangtuoException | IllegalArgumentException e) {
            err.println("yangtuo: " + Failures.describe(e));
            exitCode = input.isInteractive() ? exitCode : CommandLine.ExitCode.SOFTWARE;
            if (json) {
                write(JsonResult.object().put("error", Failures.describe(e)));
            }
            return true;
        }
    }

    private void command(String line) throws IOException {
        int space = line.indexOf(' ');
        String argument = space < 0 ? "" : line.substring(space).strip();
        switch (space < 0 ? line : line.substring(0, space)) {
            case "/help" -> err.println(HELP);
            case "/system" -> {
                if (argument.isEmpty()) {
                    err.println(session.system().isEmpty() ? "There is no system message." : TerminalText.escaped(session.system()));
                } else {
                    session.system(argument);
                }
            }
            case "/reset" -> session.reset();
            case "/undo" -> {
                if (!session.undo()) {
                    err.println("Nothing was said yet.");
                }
            }
            case "/history" -> session.history().forEach(message -> err.println(TerminalText.escaped(message.role()) + ": " + TerminalText.escaped(message.content())));
            case "/save" -> {
                ChatFile.save(file(argument), session.history());
                err.println("%s: %d messages".formatted(argument, session.history().size()));
            }
            case "/load" -> load(file(argument));
            default -> throw new YangtuoException("'%s' is no command; /help shows what there is, and // begins a message with a slash".formatted(line));
        }
        err.flush();
    }

    private static Path file(String argument) {
        if (argument.isEmpty()) {
            throw new YangtuoException("the name of a file is missing");
        }
        return Path.of(argument);
    }

    private void load(Path file) {
        List<ChatMessage> messages = ChatFile.load(file);
        boolean hasSystem = !messages.isEmpty() && messages.getFirst().is(ChatMessage.SYSTEM);
        Session loaded = open(hasSystem ? messages.getFirst().content() : "", hasSystem ? messages.subList(1, messages.size()) : messages);
        session.close();
        session = loaded;
        err.println("%s: %d messages".formatted(file, messages.size()));
    }

    /** @return whether the chat goes on */
    private boolean answer(String message) throws IOException {
        try (ProgressDisplay display = new ProgressDisplay(err, "prompt", ProgressDisplay.Unit.TOKENS);
                Generation generation = session.say(message, options.onPromptProgress(GenerateCommand.showing(display)));
                ChatInput.Guard _ = input.interrupting(generation::cancel)) {
            warnOfForgotten();
            GenerationResult result = json ? writeObject(generation) : writeText(generation);
            grammar.explain(result.finishReason(), err);
            return input.isInteractive() || result.finishReason() != FinishReason.CANCELLED;
        }
    }

    private void warnOfForgotten() {
        int forgotten = session.forgottenMessages();
        if (forgotten > 0) {
            err.println("yangtuo: the context of %,d tokens is full; the model is not told the first %d messages any more".formatted(
                    llama.contextLength(), forgotten));
        }
    }

    private GenerationResult writeText(Generation generation) throws IOException {
        String last = "";
        boolean begun = false;
        for (String piece : generation) {
            String shown = begun ? piece : piece.stripLeading();
            begun |= !shown.isEmpty();
            out.print(input.isInteractive() ? withoutControls(shown) : shown);
            StandardOutput.flush(out);
            last = shown.isEmpty() ? last : shown;
        }
        if (!last.endsWith("\n")) {
            out.print('\n');
            StandardOutput.flush(out);
        }
        return generation.result();
    }

    /** Text that a terminal shows and does not obey. */
    private static String withoutControls(String text) {
        StringBuilder shown = new StringBuilder();
        text.codePoints().forEach(c -> {
            if (c == '\n' || c == '\t' || !TerminalText.mustBeEscaped(c)) {
                shown.appendCodePoint(c);
            } else {
                shown.append(TerminalText.escaped(Character.toString(c)));
            }
        });
        return shown.toString();
    }

    private GenerationResult writeObject(Generation generation) throws IOException {
        GenerationResult result = generation.result();
        write(JsonResult.object()
                .put("text", result.text().strip())
                .put("finish_reason", result.finishReason().name().toLowerCase(Locale.ROOT))
                .put("prompt_tokens", result.promptTokens())
                .put("reused_tokens", result.reusedTokens())
                .put("generated_tokens", result.generatedTokens())
                .put("forgotten_messages", session.forgottenMessages())
                .put("time_to_first_token_ms", result.timeToFirstToken().toNanos() / 1e6)
                .put("tokens_per_second", result.tokensPerSecond())
                .put("seed", result.seed()));
        return result;
    }

    private void write(ObjectNode object) throws IOException {
        JsonResult.write(object, out);
        StandardOutput.flush(out);
    }

    @Override
    public void close() {
        session.close();
    }
}
