package dev.yangtuo.cli;

import dev.yangtuo.FinishReason;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.exception.GrammarException;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.grammar.Grammar;
import dev.yangtuo.tokenizer.Utf8;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What the text must look like. */
final class GrammarFlags {
    /** Bytes of a file; a grammar of as many characters as are supported has at most that many. */
    private static final int MAX_FILE = 4 << 20;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @ArgGroup
    private @Nullable Source source;

    /** One of three ways to say it. */
    private static final class Source {
        @Option(names = "--grammar", paramLabel = "FILE", description = "Write only what follows the grammar in this file, in GBNF, llama.cpp's notation.")
        private @Nullable String grammar;

        @Option(names = "--json-schema", paramLabel = "FILE|JSON",
                description = "Write only JSON that is valid under this schema: a file, or the schema itself, which begins with {.")
        private @Nullable String schema;

        @Option(names = "--regex", paramLabel = "PATTERN", description = "Write only what this regular expression matches from beginning to end.")
        private @Nullable String regex;
    }

    /**
     * The options with the grammar, if there is one.
     *
     * @throws CommandLine.ParameterException if what the command line itself says is wrong
     * @throws YangtuoException if the file cannot be read, or what is in it is wrong
     */
    GenerateOptions apply(GenerateOptions options) {
        Grammar grammar = grammar();
        return grammar == null ? options : options.grammar(grammar);
    }

    private @Nullable Grammar grammar() {
        if (source == null) {
            return null;
        }
        if (source.grammar != null) {
            return ofFile(source.grammar, Grammar::gbnf);
        }
        if (source.schema != null && !isJson(source.schema)) {
            return ofFile(source.schema, Grammar::jsonSchema);
        }
        try {
            return source.schema != null ? Grammar.jsonSchema(source.schema) : Grammar.regex(String.valueOf(source.regex));
        } catch (GrammarException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), "%s: %s".formatted(source.schema != null ? "--json-schema" : "--regex", e.getMessage()), e);
        }
    }

    private static boolean isJson(String argument) {
        return argument.stripLeading().startsWith("{");
    }

    private static Grammar ofFile(String name, Function<String, Grammar> reader) {
        TextFile file = TextFile.of(name);
        file.check();
        try (InputStream in = file.open()) {
            byte[] bytes = in.readNBytes(MAX_FILE + 1);
            if (bytes.length > MAX_FILE) {
                throw new YangtuoException("%s: more than the %d MB that a grammar may have".formatted(file.name(), MAX_FILE >> 20));
            }
            return reader.apply(Utf8.decode(bytes));
        } catch (GrammarException e) {
            throw new GrammarException("%s: %s".formatted(file.name(), e.getMessage()), e);
        } catch (IOException e) {
            throw new YangtuoException("%s: cannot be read: %s".formatted(file.name(), Failures.reason(e)), e);
        }
    }

    /** Says so if a text was cut off before its grammar let it end. */
    void explain(FinishReason reason, PrintWriter err) {
        if (source != null && reason != FinishReason.END_OF_TEXT && reason != FinishReason.CANCELLED) {
            err.println("the text ended before what it had to follow did: %s".formatted(switch (reason) {
                case MAX_TOKENS -> "give it more tokens with --max-tokens";
                case CONTEXT_FULL -> "the context is full; give it more with " + ModelOptions.CONTEXT;
                default -> "a stop text came";
            }));
        }
    }
}
