package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.tokenizer.VocabularyMerge;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Expands a vocabulary: one {@code tokenizer.model} out of two. */
@Command(
        name = "merge-vocab",
        mixinStandardHelpOptions = true,
        description = {
            "Appends to one SentencePiece model the pieces of another that it lacks, with score 0.",
            "Its ids stay, and everything else of its file is kept byte for byte; docs/vocabulary-expansion.md says more."
        },
        footer = "  yangtuo merge-vocab --base llama.model --add chinese.model --output chinese-llama.model")
final class MergeVocabCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--base", required = true, paramLabel = "FILE", description = "The tokenizer.model whose ids stay.")
    private Path base;

    @Option(names = "--add", required = true, paramLabel = "FILE", description = "The SentencePiece model whose pieces are added.")
    private Path add;

    @Option(names = "--output", required = true, paramLabel = "FILE",
            description = "The file to write; moved into place when it is complete, so it may be one of the two.")
    private Path output;

    @Option(names = "--pad", description = "Append " + VocabularyMerge.PAD_PIECE + " after them, unless there is one.")
    private boolean pad;

    @Option(names = "--json", description = "Write one JSON object instead of text; docs/formats.md describes it.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        try (ResultFile file = ResultFile.create(output)) {
            VocabularyMerge merge = VocabularyMerge.merge(base, add, pad);
            file.write(merge.model());
            file.complete();
            PrintWriter out = spec.commandLine().getOut();
            if (json) {
                JsonResult.write(object(merge), out);
            } else {
                out.print(text(merge) + "\n");
            }
            StandardOutput.flush(out);
            return CommandLine.ExitCode.OK;
        }
    }

    private String text(VocabularyMerge merge) {
        return String.format(Locale.ROOT, "%s\n%s: %,d bytes, SHA-256 %s",
                merge.report().describe(), output, merge.model().length, sha256(merge.model()));
    }

    private ObjectNode object(VocabularyMerge merge) {
        VocabularyMerge.Report report = merge.report();
        ObjectNode object = JsonResult.object();
        object.put("base_pieces", report.baseSize());
        object.put("add_pieces", report.addModelSize());
        object.put("added", report.added());
        object.put("already_there", report.alreadyThere());
        report.passedOver().forEach(object.putArray("passed_over")::add);
        object.put("first_new_id", idOrNull(report.firstNewId()));
        object.put("last_new_id", idOrNull(report.lastNewId()));
        object.put("pad_id", idOrNull(report.padId()));
        object.put("pad_added", report.padAdded());
        object.put("pieces", report.size());
        object.put("output", output.toString());
        object.put("bytes", merge.model().length);
        object.put("sha256", sha256(merge.model()));
        return object;
    }

    private static @Nullable Integer idOrNull(int id) {
        return id < 0 ? null : id;
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
