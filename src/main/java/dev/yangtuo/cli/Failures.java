package dev.yangtuo.cli;

import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Locale;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** What is said of a failure: one paragraph, without a stack trace. */
final class Failures {
    private Failures() {}

    /** Whether it was thrown for the user to read. */
    static boolean isExpected(Throwable failure) {
        return failure instanceof YangtuoException
                || failure instanceof UncheckedIOException
                || failure instanceof IOException
                || failure instanceof CommandLine.ParameterException
                || failure instanceof IllegalArgumentException;
    }

    /**
     * Makes options of the library out of those of a command. The library's messages begin with the name of its option, which is the command's in camel case.
     *
     * @throws CommandLine.ParameterException if the library refuses a value
     */
    static <T> T asUsage(CommandSpec command, Supplier<T> options) {
        try {
            return options.get();
        } catch (IllegalArgumentException e) {
            String[] message = String.valueOf(e.getMessage()).split(" ", 2);
            String option = "--" + message[0].replaceAll("[A-Z]", "-$0").toLowerCase(Locale.ROOT);
            throw new CommandLine.ParameterException(command.commandLine(), message.length == 1 ? option : option + " " + message[1], e);
        }
    }

    /** The paragraph. */
    static String describe(Throwable failure) {
        String message = switch (failure) {
            case OutOfMemoryError e -> "the Java heap of %d MB is too small (%s); enlarge it with YANGTUO_JAVA_OPTS=-Xmx16g"
                    .formatted(Runtime.getRuntime().maxMemory() >> 20, e.getMessage());
            case FileSystemException e -> "%s: %s".formatted(e.getFile(), reason(e));
            case CommandLine.ParameterException e -> String.valueOf(e.getMessage()).replaceFirst("^Error: ", ""); // picocli writes it before some
            default -> isExpected(failure) && failure.getMessage() != null ? failure.getMessage() : failure.toString();
        };
        // Names out of files are in some of them.
        return TerminalText.escaped(message.strip().replaceAll("\\s*\\R\\s*", " "));
    }

    /** Why a file could not be used, without its name: the JDK's messages are often the name alone. */
    static String reason(IOException failure) {
        return switch (failure) {
            case NoSuchFileException e -> "there is no such file";
            case AccessDeniedException e -> "permission denied";
            case FileSystemException e -> e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
            default -> String.valueOf(failure.getMessage());
        };
    }
}
