package dev.yangtuo.cli;

import dev.yangtuo.inspect.Inspection;
import dev.yangtuo.inspect.Inspector;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says what is in a file or a directory. */
@Command(
        name = "inspect",
        mixinStandardHelpOptions = true,
        description = {
            "Shows what is in a model, an adapter or a tokenizer: hyper-parameters, tensors, types, sizes, tokenizer, metadata.",
            "Reads headers only, whatever the size. What cannot be run is shown as well, with the reason in the last line."
        },
        footer = {
            "Text out of files is cut where it is long, and characters that command a terminal are written as \\u escapes.",
            "  yangtuo inspect path/to/model",
            "  yangtuo inspect model.gguf --tensors",
            "  yangtuo inspect path/to/adapter --json"
        })
final class InspectCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "PATH",
            description = "A model (a GGUF file, a Hugging Face directory, a file of tensors), an adapter, or a tokenizer.model.")
    private Path path;

    @Option(names = "--tensors", description = "List every tensor instead of a line for those that are alike in all layers. --json always does.")
    private boolean tensors;

    @Option(names = "--json", description = "Write one JSON object instead of text, arrays of more than 100 values in short; docs/formats.md describes it.")
    private boolean json;

    @Option(names = "--all", description = "Cut and shorten nothing: whole arrays, whole texts, every tensor.")
    private boolean all;

    @Override
    public Integer call() throws IOException {
        if (json && tensors) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--tensors is for text; --json lists every tensor anyway");
        }
        Inspection inspection = Inspector.inspect(path);
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            InspectionJson.write(inspection, all, out);
        } else {
            out.print(InspectionText.of(inspection, tensors || all, all));
        }
        StandardOutput.flush(out);
        return CommandLine.ExitCode.OK;
    }
}
