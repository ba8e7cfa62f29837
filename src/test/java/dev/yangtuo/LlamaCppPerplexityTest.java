package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Perplexity of files that {@code llama-quantize} wrote, against {@code llama-perplexity}'s. Only where the environment variable
 * {@code YANGTUO_LLAMA_CPP} names the folder of these programs.
 */
class LlamaCppPerplexityTest {
    /** Its activations are quantized in other blocks for some types, its attention and its F16 products round more: 0.2 % was seen on a quarter of this text. */
    private static final double PERCENT = 0.5;
    private static final Pattern ESTIMATE = Pattern.compile("PPL = ([0-9.]+) \\+/- ([0-9.]+)");

    @TempDir
    private Path folder;

    private LlamaCpp programs;

    @BeforeEach
    void findPrograms() {
        programs = LlamaCpp.find(folder);
    }

    /** MXFP4 is a type of experts there; so its quantizer is told to take it for the matrices of layers. */
    private Path quantized(String type) throws Exception {
        Path f16 = folder.resolve("f16.gguf");
        Path file = folder.resolve("m.gguf");
        Llama.convert(ModelFolders.DEMO.resolve("base"), f16, LoadOptions.defaults().lora(ModelFolders.DEMO.resolve("chinese-lora")).quantize(WeightType.F16));
        if (type.equals("F16")) {
            return f16;
        }
        boolean mxfp4 = type.equals("MXFP4");
        List<String> args = new ArrayList<>(mxfp4 ? List.of("--tensor-type", "attn=mxfp4", "--tensor-type", "ffn=mxfp4") : List.of());
        args.addAll(List.of(f16.toString(), file.toString(), mxfp4 ? "Q8_0" : type));
        programs.run("llama-quantize", args.toArray(String[]::new));
        return file;
    }

    private static Matcher estimate(LlamaCpp.Run run) {
        return ESTIMATE.matcher(run.out() + run.err());
    }

    /** Linear, YaRN and the base of NTK are keys there, Llama 3's scaling is a tensor. */
    @ParameterizedTest
    @EnumSource(value = RopeScalingType.class, names = {"LINEAR", "NTK", "YARN", "LLAMA3"})
    void perplexityWithScaledRopeIsItsOwn(RopeScalingType scaling) throws Exception {
        Path file = folder.resolve("scaled.gguf");
        Llama.convert(ModelFolders.DEMO.resolve("base"), file, LoadOptions.defaults().lora(ModelFolders.DEMO.resolve("chinese-lora"))
                .quantize(WeightType.F32).ropeScaling(scaling).ropeFactor(4));
        assertSamePerplexity(file, scaling.name());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "F16", "BF16", "F32", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K",
        "IQ4_NL", "IQ4_XS", "MXFP4"
    })
    void perplexityIsItsOwn(String type) throws Exception {
        assertSamePerplexity(quantized(type), type);
    }

    private void assertSamePerplexity(Path file, String type) throws Exception {
        Path text = Files.writeString(
                folder.resolve("text.txt"), Files.readString(ModelFolders.DEMO.resolve("text/poems.txt")).substring(0, 8000));
        LlamaCpp.Run run = programs.runUntil(whole -> estimate(whole).find(),
                "llama-perplexity", "-m", file.toString(), "-f", text.toString(), "-c", "256", "-t", "2");
        Matcher estimate = estimate(run);
        assertThat(estimate.find()).as(run.err()).isTrue();
        try (Llama llama = Llama.load(file)) {
            Perplexity ours = llama.perplexity(Files.readString(text), PerplexityOptions.defaults().method(PerplexityMethod.LLAMA_CPP));
            double theirs = Double.parseDouble(estimate.group(1));
            assertThat(ours.value()).as(type).isCloseTo(theirs, withinPercentage(PERCENT));
            assertThat(ours.standardError()).as(type).isCloseTo(Double.parseDouble(estimate.group(2)), within(0.02 * ours.standardError()));
        }
    }
}
