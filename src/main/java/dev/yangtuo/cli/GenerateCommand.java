package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.FinishReason;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Generation;
import dev.yangtuo.GenerationResult;
import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.PromptProgress;
import dev.yangtuo.TokenLogProbabilities;
import dev.yangtuo.TokenLogProbability;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.tokenizer.Tokenizer;
import dev.yangtuo.tokenizer.Utf8;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Generates one text. Standard output carries the text alone, everything else goes to standard error. */
@Command(
        name = "generate",
        mixinStandardHelpOptions = true,
        description = {
            "Generates a text and writes it as it is computed.",
            "Without a prompt the demonstration model writes a poem on a title of its choice."
        },
        footer = {
            "Ctrl-C ends the text, not the program: what was computed is written.",
            "  yangtuo generate --prompt \"《春望》杜甫\" --seed 1",
            "  yangtuo generate --model path/to/llama --lora path/to/chinese-lora --quantize q8_0 --prompt \"人工智能的\"",
            "  yangtuo generate --model model.gguf --greedy --max-tokens 100 --json --prompt-file prompt.txt"
        })
final class GenerateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Option(names = ModelOptions.CONTEXT, paramLabel = "N", description = ModelOptions.CONTEXT_DESCRIPTION)
    private @Nullable Integer context;

    @ArgGroup
    private @Nullable PromptSource promptSource;

    @Mixin
    private TextFlags text;

    @Mixin
    private GrammarFlags grammar;

    @Mixin
    private GuessFlags guesses;

    @Option(names = "--prompt-cache", paramLabel = "FILE", description = {
        "Keep what was computed of the prompt in this file, and take it from there when it exists: prompts that begin like the one that was kept start at once. Delete it to"
                + " keep another."
    })
    private @Nullable Path promptCache;

    @Option(names = "--echo", description = "Write the prompt before the text.")
    private boolean echo;

    @Option(names = "--json", description = "Write one JSON object instead of the text, when it is complete; docs/formats.md describes it.")
    private boolean json;

    @Option(names = "--logprobs", paramLabel = "N",
            description = "With --json: natural logarithms of the probabilities of each token and of the N most probable ones (0 to 20), as the model computed them, "
                    + "before penalties and temperature.")
    private @Nullable Integer logProbabilities;

    /** One of three ways to give the prompt. */
    private static final class PromptSource {
        @Option(names = "--prompt", paramLabel = "TEXT", description = "What the text begins with.")
        private @Nullable String text;

        @Option(names = "--prompt-file", paramLabel = "FILE", description = "Read the prompt from this file, taken as it is.")
        private @Nullable Path file;

        @Parameters(paramLabel = "INPUT", arity = "0..1", description = "If it is -, read the prompt from standard input, taken as it is.")
        private @Nullable String dash;
    }

    @Override
    public Integer call() throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        String prompt = prompt();
        GenerateOptions options = grammar.apply(options());
        guesses.check(spec.commandLine());
        try (Llama llama = model.load(ModelOptions.WeightTypeDefault.OF_FILE, KvType.F16, context, err);
                Llama draft = guesses.load(llama, model.threads());
                ProgressDisplay display = new ProgressDisplay(err, "prompt", ProgressDisplay.Unit.TOKENS);
                Generation generation = begin(llama, prompt, guesses.applyTo(options, draft).onPromptProgress(showing(display)), err)) {
            return json ? writeJson(generation, prompt, err) : writeText(generation, prompt, err);
        }
    }

    /** Shows how far a long prompt has come; nothing of it is left when the text begins. */
    static Consumer<PromptProgress> showing(ProgressDisplay display) {
        return progress -> {
            if (progress.tokensDone() < progress.tokenCount()) {
                display.update(progress.tokensDone(), progress.tokenCount());
            } else {
                display.close();
            }
        };
    }

    /** Takes the beginning from the file, or puts it there for the next time. */
    private Generation begin(Llama llama, String prompt, GenerateOptions options, PrintWriter err) {
        if (promptCache != null && Files.exists(promptCache)) {
            err.println("%s: %,d tokens of a context restored".formatted(promptCache, llama.restoreContext(promptCache)));
        } else if (promptCache != null) {
            err.println("%s: %,d tokens of the prompt saved".formatted(promptCache, llama.saveContext(prompt, promptCache)));
        }
        return llama.generate(prompt, options);
    }

    private String prompt() throws IOException {
        if (promptSource == null) {
            return "";
        }
        if (promptSource.text != null) {
            return promptSource.text;
        }
        if (promptSource.file != null) {
            return Utf8.decode(promptFile(promptSource.file));
        }
        if (!"-".equals(promptSource.dash)) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(), "'%s' is not understood; a prompt is given with --prompt TEXT".formatted(promptSource.dash));
        }
        return Utf8.decode(System.in.readAllBytes());
    }

    private static byte[] promptFile(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new YangtuoException("%s: there is no such file; --prompt-file expects a file of text".formatted(file), e);
        } catch (IOException e) {
            String problem = Files.isDirectory(file) ? "is a directory; --prompt-file expects a file of text" : "the prompt cannot be read: " + e.getMessage();
            throw new YangtuoException("%s: %s".formatted(file, problem), e);
        }
    }

    private GenerateOptions options() {
        if (logProbabilities != null && !json) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--logprobs needs --json");
        }
        return TextFlags.withLogProbabilities(text.options(spec.commandLine()), logProbabilities, spec.commandLine());
    }

    private int writeText(Generation generation, String prompt, PrintWriter err) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        if (echo) {
            out.print(prompt);
            StandardOutput.flush(out);
        }
        try (InterruptGuard _ = new InterruptGuard(generation::cancel)) {
            String last = echo ? prompt : "";
            for (String piece : generation) {
                out.print(piece);
                StandardOutput.flush(out);
                last = piece;
            }
            if (!last.endsWith("\n")) {
                out.print('\n');
                StandardOutput.flush(out);
            }
            return finish(generation.result(), err);
        }
    }

    private int writeJson(Generation generation, String prompt, PrintWriter err) throws IOException {
        try (InterruptGuard _ = new InterruptGuard(generation::cancel)) {
            GenerationResult result = generation.result();
            ObjectNode object = JsonResult.object();
            if (echo) {
                object.put("prompt", prompt);
            }
            object.put("text", result.text());
            result.ids().forEach(object.putArray("ids")::add);
            if (logProbabilities != null) {
                putLogProbabilities(object.putArray("logprobs"), result, generation.llama().tokenizer());
            }
            object.put("finish_reason", result.finishReason().name().toLowerCase(Locale.ROOT));
            object.put("prompt_tokens", result.promptTokens());
            object.put("generated_tokens", result.generatedTokens());
            object.put("time_to_first_token_ms", result.timeToFirstToken().toNanos() / 1e6);
            object.put("tokens_per_second", result.tokensPerSecond());
            object.put("seed", result.seed());
            object.put("drafted_tokens", result.draftedTokens());
            object.put("accepted_tokens", result.acceptedTokens());
            JsonResult.print(object, spec);
            return finish(result, err);
        }
    }

    private static void putLogProbabilities(ArrayNode array, GenerationResult result, Tokenizer tokenizer) {
        for (TokenLogProbabilities token : result.logProbabilities()) {
            ObjectNode object = array.addObject();
            object.put("id", token.id()).put("piece", tokenizer.piece(token.id())).put("log_probability", token.logProbability());
            ArrayNode best = object.putArray("best");
            for (TokenLogProbability each : token.best()) {
                best.addObject().put("id", each.id()).put("piece", tokenizer.piece(each.id())).put("log_probability", each.logProbability());
            }
        }
    }

    private int finish(GenerationResult result, PrintWriter err) {
        err.println(String.format(
                Locale.ROOT,
                "%d prompt tokens, %d generated (%s), first token after %.1f ms, %.1f tokens/s, seed %d%s",
                result.promptTokens(),
                result.generatedTokens(),
                result.finishReason().name().toLowerCase(Locale.ROOT).replace('_', ' '),
                result.timeToFirstToken().toNanos() / 1e6,
                result.tokensPerSecond(),
                result.seed(),
                result.draftedTokens() == 0 ? "" : ", %d of %d guesses right".formatted(result.acceptedTokens(), result.draftedTokens())));
        grammar.explain(result.finishReason(), err);
        return result.finishReason() == FinishReason.CANCELLED ? InterruptGuard.EXIT_CODE : CommandLine.ExitCode.OK;
    }
}
