package dev.yangtuo.cli;

import dev.yangtuo.kernel.NativeLibrary;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;

/** Lines that are typed: edited, and remembered from one chat to the next. An interrupt ends the answer, not the program. */
final class TerminalChatInput implements ChatInput {
    private static final String HISTORY_FILE = "chat_history";
    private static final int HISTORY_LINES = 1000;

    private final Terminal terminal;
    private final LineReader reader;

    private TerminalChatInput(Terminal terminal, @Nullable Path history) {
        this.terminal = terminal;
        LineReaderBuilder builder = LineReaderBuilder.builder().terminal(terminal).appName("yangtuo")
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true) // else '!' in a message would be a command
                .variable(LineReader.HISTORY_SIZE, HISTORY_LINES)
                .variable(LineReader.HISTORY_FILE_SIZE, HISTORY_LINES);
        if (history != null) {
            builder.variable(LineReader.HISTORY_FILE, history);
        }
        this.reader = builder.build();
    }

    /**
     * Opens the terminal.
     *
     * @param keepsHistory whether lines are remembered in a file
     * @throws NoClassDefFoundError if JLine is not there
     */
    static TerminalChatInput open(boolean keepsHistory) throws IOException {
        return new TerminalChatInput(TerminalBuilder.builder().system(true).name("yangtuo").build(), keepsHistory ? historyFile() : null);
    }

    /** A file that nobody else can read; null if there is no place for it. */
    private static @Nullable Path historyFile() {
        Path folder = NativeLibrary.cacheFolder();
        if (folder == null) {
            return null;
        }
        Path file = folder.resolve(HISTORY_FILE);
        try {
            Files.createDirectories(folder);
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        } catch (FileAlreadyExistsException e) {
            return file;
        } catch (IOException | UnsupportedOperationException e) {
            return null;
        }
        return file;
    }

    @Override
    public @Nullable String next(boolean goesOn) throws Interrupted {
        try {
            return reader.readLine(goesOn ? "| " : "> ");
        } catch (EndOfFileException e) {
            return null;
        } catch (UserInterruptException e) {
            throw new Interrupted();
        }
    }

    @Override
    public boolean isInteractive() {
        return true;
    }

    @Override
    public Guard interrupting(Runnable cancel) {
        Terminal.SignalHandler before = terminal.handle(Terminal.Signal.INT, _ -> cancel.run());
        return () -> terminal.handle(Terminal.Signal.INT, before);
    }

    @Override
    public void close() throws IOException {
        terminal.close();
    }
}
