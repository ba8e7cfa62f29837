package dev.yangtuo.cli;

import dev.yangtuo.tokenizer.Utf8;
import java.io.IOException;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;

/** The lines of standard input as they are. An interrupt ends the program, with what was generated of an answer. */
final class PipedChatInput implements ChatInput {
    private final LineReader lines = new LineReader(System.in, "standard input");
    private final boolean interactive;
    private final PrintWriter prompts;

    /**
     * @param interactive whether a person types them
     * @param prompts where a person is asked
     */
    PipedChatInput(boolean interactive, PrintWriter prompts) {
        this.interactive = interactive;
        this.prompts = prompts;
    }

    @Override
    public @Nullable String next(boolean goesOn) throws IOException {
        if (interactive) {
            prompts.print(goesOn ? "| " : "> ");
            prompts.flush();
        }
        byte[] line = lines.next();
        return line == null ? null : Utf8.decode(line).replaceFirst("\r$", "");
    }

    @Override
    public boolean isInteractive() {
        return interactive;
    }

    @Override
    public Guard interrupting(Runnable cancel) {
        return new InterruptGuard(cancel)::close;
    }

    @Override
    public void close() {
        // Standard input stays open.
    }
}
