package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.tensor.TensorType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Exported files in llama.cpp: its programs load them, tokenize and continue texts as this library does, and quantize to the same types. Only where
 * the environment variable {@code YANGTUO_LLAMA_CPP} names the folder of {@code llama-completion} and {@code llama-quantize}.
 */
class LlamaCppTest {
    private static final Path BASE = ModelFolders.DEMO.resolve("base");
    private static final Path CHINESE = ModelFolders.DEMO.resolve("chinese-lora");
    private static final List<String> PROMPTS = List.of("《静夜思》李白\n", "床前明月光，", "In the beginning God");
    private static final int NEW_TOKENS = 48;
    /** Two logits this close may change places between two programs. */
    private static final float NEAR_TIE = 0.05f;
    /** Their rounding has one way to be right; the K types are searched for, each in its own way. */
    private static final Set<TensorType> SAME_BYTES = EnumSet.of(TensorType.F32, TensorType.F16, TensorType.BF16, TensorType.Q8_0, TensorType.Q4_0,
            TensorType.Q4_1, TensorType.Q5_0, TensorType.Q5_1);
    private static final Pattern PROMPT_ID = Pattern.compile("(?m) (\\d+) -> '");

    @TempDir
    private Path folder;

    private LlamaCpp programs;

    @BeforeEach
    void findPrograms() {
        programs = LlamaCpp.find(folder);
    }

    static List<String> types() {
        List<String> names = new ArrayList<>();
        for (WeightType type : WeightType.values()) {
            names.add(type.name());
            if (type.compareTo(WeightType.BF16) > 0) {
                names.add(type.name() + ":pure");
            }
        }
        return names;
    }

    private static LoadOptions options(String type) {
        WeightType weights = WeightType.of(type.replace(":pure", ""));
        LoadOptions options = LoadOptions.defaults();
        return type.endsWith(":pure") ? options.quantizePure(weights) : options.quantize(weights);
    }

    /** What it writes after the prompt, and the prompt's ids. Its flash attention rounds more on the way: by 0.1 in some logits. */
    private LlamaCpp.Run complete(Path model, String prompt, Predicate<String> expected) throws Exception {
        LlamaCpp.Run run = programs.runUntil(whole -> whole.out().contains(prompt) && expected.test(continuation(whole, prompt)),
                "llama-completion", "-m", model.toString(), "-p", prompt, "-n", String.valueOf(NEW_TOKENS), "--temp", "0", "--repeat-penalty", "1",
                "--verbose-prompt", "-no-cnv", "-fa", "off", "-t", "2");
        List<String> ids = PROMPT_ID.matcher(run.err()).results().map(match -> match.group(1)).toList();
        assertThat(run.out()).as(run.err()).contains(prompt);
        return new LlamaCpp.Run(continuation(run, prompt), String.join(" ", ids));
    }

    private static String continuation(LlamaCpp.Run run, String prompt) {
        return run.out().substring(run.out().indexOf(prompt) + prompt.length());
    }

    /** The greedy text up to the first near tie. */
    private static String certainText(Llama llama, String prompt) {
        GenerationResult result = llama.generate(prompt, GenerateOptions.defaults().greedy().maxTokens(NEW_TOKENS)).result();
        int[] promptIds = promptIds(llama, prompt);
        int[] ids = new int[promptIds.length + result.ids().size()];
        System.arraycopy(promptIds, 0, ids, 0, promptIds.length);
        for (int i = 0; i < result.ids().size(); i++) {
            ids[promptIds.length + i] = result.ids().get(i);
        }
        List<Integer> certain = new ArrayList<>();
        boolean[] tie = {false};
        llama.logits(ids, (position, logits, offset) -> {
            int next = position + 1 - promptIds.length;
            if (next >= 0 && next < result.ids().size()) {
                tie[0] |= gap(logits, offset, llama.vocabSize()) < NEAR_TIE;
                if (!tie[0]) {
                    certain.add(result.ids().get(next));
                }
            }
        });
        return decode(llama, promptIds, certain);
    }

    private static String decode(Llama llama, int[] promptIds, List<Integer> ids) {
        int[] all = new int[promptIds.length + ids.size()];
        System.arraycopy(promptIds, 0, all, 0, promptIds.length);
        for (int i = 0; i < ids.size(); i++) {
            all[promptIds.length + i] = ids.get(i);
        }
        String before = llama.tokenizer().decode(promptIds);
        return llama.tokenizer().decode(all).substring(before.length()).replaceFirst("\uFFFD+$", "");
    }

    private static int[] promptIds(Llama llama, String prompt) {
        int[] ids = llama.tokenizer().encode(prompt);
        int[] withBos = new int[ids.length + 1];
        withBos[0] = llama.tokenizer().bosId();
        System.arraycopy(ids, 0, withBos, 1, ids.length);
        return withBos;
    }

    private static float gap(float[] logits, int offset, int count) {
        float best = Float.NEGATIVE_INFINITY;
        float second = best;
        for (int i = 0; i < count; i++) {
            float value = logits[offset + i];
            second = Math.max(second, Math.min(best, value));
            best = Math.max(best, value);
        }
        return best - second;
    }

    @ParameterizedTest
    @MethodSource("types")
    void exportedFilesRun(String type) throws Exception {
        for (boolean adapted : new boolean[] {false, true}) {
            Path file = folder.resolve("m.gguf");
            LoadOptions options = options(type);
            Llama.convert(BASE, file, adapted ? options.lora(CHINESE) : options);
            try (Llama llama = Llama.load(file)) {
                for (String prompt : PROMPTS) {
                    String certain = certainText(llama, prompt).stripTrailing();
                    boolean exact = type.equals("F16") || type.equals("F32") || type.equals("Q8_0");
                    // The English base may end a Chinese text at once.
                    Predicate<String> expected = text -> exact ? text.startsWith(certain) : certain.isBlank() || !text.isBlank();
                    LlamaCpp.Run theirs = complete(file, prompt, expected);
                    List<String> ids = new ArrayList<>();
                    for (int id : promptIds(llama, prompt)) {
                        ids.add(String.valueOf(id));
                    }
                    assertThat(theirs.err()).as("the ids of %s", prompt).isEqualTo(String.join(" ", ids));
                    assertThat(theirs.out()).as("%s %s %s: %s", type, adapted, prompt, certain).matches(expected);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("types")
    void tensorsHaveTheTypesThatItsQuantizerChooses(String type) throws Exception {
        for (boolean adapted : new boolean[] {false, true}) {
            LoadOptions adapters = adapted ? LoadOptions.defaults().lora(CHINESE) : LoadOptions.defaults();
            Path f16 = folder.resolve("f16.gguf");
            Path ours = folder.resolve("ours.gguf");
            Path theirs = folder.resolve("theirs.gguf");
            Llama.convert(BASE, f16, adapters.quantize(WeightType.F16));
            Llama.convert(f16, ours, options(type));
            List<String> args = new ArrayList<>(type.endsWith(":pure") ? List.of("--pure") : List.of());
            args.addAll(List.of(f16.toString(), theirs.toString(), type.replace(":pure", "")));
            programs.run("llama-quantize", args.toArray(String[]::new));
            assertSameTensors(ours, theirs);
        }
    }

    private static void assertSameTensors(Path ours, Path theirs) {
        try (GgufCheckpoint expected = GgufCheckpoint.open(theirs); GgufCheckpoint actual = GgufCheckpoint.open(ours)) {
            assertThat(actual.tensors()).hasSameSizeAs(expected.tensors());
            assertThat(actual.metadata().integer("general.file_type")).isEqualTo(expected.metadata().integer("general.file_type"));
            for (TensorInfo tensor : expected.tensors()) {
                TensorInfo same = actual.require(tensor.name());
                assertThat(same.type()).as(tensor.name()).isEqualTo(tensor.type());
                if (SAME_BYTES.contains(tensor.type())) {
                    assertThat(actual.bytes(same).mismatch(expected.bytes(tensor))).as("the first byte that differs in %s", tensor.name()).isEqualTo(-1);
                }
            }
        }
    }

    /** Its own quantizer reads what it made of an exported file, so the metadata of ours are complete for it. */
    @ParameterizedTest
    @ValueSource(strings = {"Q4_K_M", "Q8_0"})
    void whatItMakesOfAnExportedFileIsRead(String type) throws Exception {
        Path f16 = folder.resolve("f16.gguf");
        Path theirs = folder.resolve("theirs.gguf");
        Llama.convert(BASE, f16, LoadOptions.defaults().lora(CHINESE).quantize(WeightType.F16));
        programs.run("llama-quantize", f16.toString(), theirs.toString(), type);
        try (Llama llama = Llama.load(theirs)) {
            assertThat(llama.tokenizer().encode("《静夜思》李白")).hasSizeLessThan(10);
            assertThat(llama.generate("《静夜思》李白\n", GenerateOptions.defaults().greedy().maxTokens(20)).result().text()).isNotBlank();
        }
    }
}
