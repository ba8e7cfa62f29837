package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.exception.ContextLengthException;
import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Keys and values in a file serve the same model, and no other. */
@Timeout(60)
class SavedContextTest {
    private static final String PROMPT = "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。\n".repeat(6);
    private static final GenerateOptions GREEDY = GenerateOptions.defaults().greedy().maxTokens(12);

    @TempDir
    private static Path folder;

    private static Path saved;
    private static int tokens;
    private static GenerationResult expected;

    private static Llama load(LoadOptions options) {
        return Llama.load(ModelFolders.DEMO.resolve("base"), options.lora(ModelFolders.DEMO.resolve("chinese-lora")));
    }

    @BeforeAll
    static void save() {
        saved = folder.resolve("context.kv");
        try (Llama llama = load(LoadOptions.defaults())) {
            tokens = llama.saveContext(PROMPT, saved);
            expected = llama.generate(PROMPT + "床前", GREEDY).result();
        }
        assertThat(tokens).isPositive().isEqualTo((llamaTokens() + 1) / 64 * 64);
    }

    private static int llamaTokens() {
        return Llama.loadTokenizer(ModelFolders.DEMO.resolve("chinese-lora")).encode(PROMPT).length;
    }

    @Test
    void anotherProcessOfTheSameModelGoesOnFromIt() {
        try (Llama llama = load(LoadOptions.defaults().threads(1))) {
            assertThat(llama.restoreContext(saved)).isEqualTo(tokens);
            GenerationResult result = llama.generate(PROMPT + "床前", GREEDY).result();
            assertThat(result.reusedTokens()).isEqualTo(tokens);
            assertThat(result.ids()).isEqualTo(expected.ids());
            assertThat(llama.statistics().hitRate()).isBetween(0.5, 1.0);
        }
    }

    @Test
    void otherModelsRefuseIt() {
        for (LoadOptions options : new LoadOptions[] {LoadOptions.defaults().quantize(WeightType.Q8_0), LoadOptions.defaults().kvType(KvType.F32),
                LoadOptions.defaults().backend(BackendType.SCALAR), LoadOptions.defaults().lora(ModelFolders.DEMO.resolve("chinese-lora"), 0.5)}) {
            try (Llama other = load(options)) {
                assertThatThrownBy(() -> other.restoreContext(saved)).isInstanceOf(CheckpointFormatException.class).hasMessageContaining("context.kv")
                        .hasMessageContaining("another model");
            }
        }
    }

    @Test
    void damagedFilesAreRefused() throws IOException {
        byte[] good = Files.readAllBytes(saved);
        Path bad = folder.resolve("bad.kv");
        try (Llama llama = load(LoadOptions.defaults())) {
            for (int at : new int[] {0, 7, 8, 11, 12, 16, 23, 24, 55, 64, 70, 64 + 4 * tokens, good.length / 2, good.length - 5, good.length - 1}) {
                byte[] flipped = good.clone();
                flipped[at] ^= 0x40;
                Files.write(bad, flipped);
                assertThatThrownBy(() -> llama.restoreContext(bad)).as("byte %d", at).isInstanceOf(CheckpointFormatException.class).hasMessageContaining("bad.kv");
            }
            for (int length : new int[] {0, 1, 63, 64, 100, good.length / 2, good.length - 1}) {
                Files.write(bad, Arrays.copyOf(good, length));
                assertThatThrownBy(() -> llama.restoreContext(bad)).as("%d bytes", length).isInstanceOf(CheckpointFormatException.class);
            }
            Files.write(bad, Arrays.copyOf(good, good.length + 1));
            assertThatThrownBy(() -> llama.restoreContext(bad)).isInstanceOf(CheckpointFormatException.class);
            assertThatThrownBy(() -> llama.restoreContext(folder.resolve("none.kv"))).isInstanceOf(CheckpointFormatException.class).hasMessageContaining("no such file");
            assertThatThrownBy(() -> llama.restoreContext(folder)).isInstanceOf(YangtuoException.class);
            assertThat(llama.generate(PROMPT + "床前", GREEDY).result().ids()).as("nothing of them is used").isEqualTo(expected.ids());
        }
    }

    @Test
    void whatDoesNotFitIsRefused() {
        try (Llama small = load(LoadOptions.defaults().context(100))) {
            assertThatThrownBy(() -> small.saveContext(PROMPT, folder.resolve("small.kv"))).isInstanceOf(ContextLengthException.class);
            assertThatThrownBy(() -> small.restoreContext(saved)).isInstanceOf(CheckpointFormatException.class);
            assertThat(small.saveContext("山", folder.resolve("short.kv"))).isZero();
            assertThat(small.restoreContext(folder.resolve("short.kv"))).isZero();
        }
    }
}
