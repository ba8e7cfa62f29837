package dev.yangtuo.cli;

import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Options of speculative decoding. */
final class GuessFlags {
    private static final int DEFAULT_DRAFT_TOKENS = 4;

    @Option(names = "--prompt-lookup", paramLabel = "N", description = {
        "Guess that the text repeats its prompt or itself, N tokens at a time. The text stays the same; it comes faster where it quotes."
    })
    private @Nullable Integer promptLookup;

    @Option(names = "--draft-model", paramLabel = "PATH", description = {
        "Guess with this smaller model of the same vocabulary. The text stays the same; it comes faster if this model is much faster and often right."
    })
    private @Nullable Path draftModel;

    @Option(names = "--draft-tokens", paramLabel = "N", description = "Tokens that the smaller model guesses at a time. Default: 4.")
    private @Nullable Integer draftTokens;

    /** Says what does not go together. */
    void check(CommandLine command) {
        if (promptLookup != null && draftModel != null) {
            throw new CommandLine.ParameterException(command, "--prompt-lookup and --draft-model both guess; give one of them");
        }
        if (draftTokens != null && draftModel == null) {
            throw new CommandLine.ParameterException(command, "--draft-tokens is of --draft-model, which is not there");
        }
        try {
            GenerateOptions.defaults().promptLookup(promptLookup == null ? 0 : promptLookup);
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(command, "--prompt-lookup is %d tokens, must be 0 to 64".formatted(promptLookup), e);
        }
        if (tokens() < 0 || tokens() > 64) {
            throw new CommandLine.ParameterException(command, "--draft-tokens is %d tokens, must be 0 to 64".formatted(tokens()));
        }
    }

    private int tokens() {
        return draftTokens == null ? DEFAULT_DRAFT_TOKENS : draftTokens;
    }

    /**
     * Loads the smaller model, if one was named.
     *
     * @param larger whose context and threads it takes
     */
    @Nullable Llama load(Llama larger, @Nullable Integer threads) {
        if (draftModel == null) {
            return null;
        }
        LoadOptions options = LoadOptions.defaults().context(larger.contextLength());
        return Llama.load(draftModel, threads == null ? options : options.threads(threads));
    }

    /** @param draft what {@link #load} gave */
    GenerateOptions applyTo(GenerateOptions options, @Nullable Llama draft) {
        if (draft != null) {
            return options.draft(draft, tokens());
        }
        return promptLookup == null ? options : options.promptLookup(promptLookup);
    }
}
