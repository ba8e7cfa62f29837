package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.KvType;
import dev.yangtuo.Llama;
import dev.yangtuo.Score;
import dev.yangtuo.ScoredToken;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** How probable continuations are, for ranking and evaluation. */
@Command(
        name = "score",
        mixinStandardHelpOptions = true,
        description = {
            "Computes how probable continuations are after a prompt, which is computed once for all of them.",
            "Writes for each, in their order, the natural logarithm of its probability, the same per token, and the continuation; with --json one object a line."
        },
        footer = {
            "A space between prompt and continuation belongs to the continuation. A beginning-of-sequence token is put before the prompt.",
            "  yangtuo score --prompt \"千里\" --continuation \"江陵\" --continuation \"明月\"",
            "  yangtuo score --model path/to/llama --prompt \"The sky is\" --continuation \" blue\" --continuation \" green\" --json"
        })
final class ScoreCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private ModelOptions model;

    @Option(names = ModelOptions.CONTEXT, paramLabel = "N", description = ModelOptions.CONTEXT_DESCRIPTION)
    private @Nullable Integer context;

    @Option(names = "--prompt", required = true, paramLabel = "TEXT", description = "What is before the continuations; may be empty.")
    private String prompt;

    @Option(names = "--continuation", required = true, paramLabel = "TEXT", description = "A text to score; may be given several times.")
    private List<String> continuations;

    @Option(names = "--json", description = "Write one JSON object a line instead of text; docs/formats.md describes them.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        try (Llama llama = model.load(ModelOptions.WeightTypeDefault.OF_FILE, KvType.F16, context, spec.commandLine().getErr())) {
            List<Score> scores = llama.score(prompt, continuations);
            for (int i = 0; i < scores.size(); i++) {
                if (json) {
                    JsonResult.write(object(continuations.get(i), scores.get(i)), out);
                } else {
                    out.print(asText(continuations.get(i), scores.get(i)) + "\n");
                }
            }
            StandardOutput.flush(out);
            return CommandLine.ExitCode.OK;
        }
    }

    private static String asText(String continuation, Score score) {
        return String.format(Locale.ROOT, "%.4f\t%.4f\t%s", score.sum(), score.perToken(), TerminalText.escaped(continuation));
    }

    private static ObjectNode object(String continuation, Score score) {
        ObjectNode object = JsonResult.object();
        object.put("continuation", continuation);
        object.put("log_probability", score.sum());
        object.put("per_token", score.perToken());
        object.put("greedy", score.isGreedy());
        ArrayNode tokens = object.putArray("tokens");
        for (ScoredToken token : score.tokens()) {
            tokens.addObject()
                    .put("id", token.id())
                    .put("piece", token.piece())
                    .put("log_probability", token.logProbability())
                    .put("greedy", token.greedy());
        }
        return object;
    }
}
