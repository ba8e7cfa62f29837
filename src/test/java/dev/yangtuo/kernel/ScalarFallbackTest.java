package dev.yangtuo.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.BackendType;
import dev.yangtuo.ChildJvm;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.ModelFolders;
import dev.yangtuo.exception.NativeLibraryException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Without its native library the program still runs, and says why it is slow. */
class ScalarFallbackTest {
    /** Loads the tiny model twice on AUTO and once on NATIVE. */
    static final class Child {
        private Child() {}

        public static void main(String[] args) {
            Path model = Path.of(args[0]);
            for (int i = 0; i < 2; i++) {
                try (Llama llama = Llama.load(model, LoadOptions.defaults())) {
                    System.out.println("backend " + llama.report().backend());
                    System.out.println("ids " + llama.generate("In", GenerateOptions.defaults().greedy().maxTokens(5)).result().ids());
                }
            }
            try (Llama llama = Llama.load(model, LoadOptions.defaults().backend(BackendType.NATIVE))) {
                System.out.println("loaded " + llama.report().backend());
            } catch (NativeLibraryException e) {
                System.out.println("NativeLibraryException " + e.getMessage());
            }
        }
    }

    @Test
    void missingLibraryIsOneWarningOnAutoAndAnErrorOnNative() throws Exception {
        Path model = ModelFolders.tiny("base");
        ChildJvm.Outcome outcome = ChildJvm.run(
                60, Map.of(), List.of("-D" + NativeLibrary.PATH_PROPERTY + "=/nonexistent"), Child.class, model.toString());
        assertThat(outcome.exitCode()).as(outcome.output()).isZero();
        List<String> lines = outcome.output().lines().toList();
        assertThat(lines.stream().filter(line -> line.contains("plain Java computes instead")))
                .as(outcome.output())
                .singleElement().asString().contains("/nonexistent");
        assertThat(lines.stream().filter("backend scalar"::equals)).hasSize(2);
        assertThat(lines.stream().filter(line -> line.startsWith("NativeLibraryException"))).singleElement().asString().contains("/nonexistent");
        assertThat(outcome.output()).doesNotContain("loaded ");
        try (Llama llama = Llama.load(model, LoadOptions.defaults().backend(BackendType.NATIVE))) {
            String ids = "ids " + llama.generate("In", GenerateOptions.defaults().greedy().maxTokens(5)).result().ids();
            assertThat(lines.stream().filter(ids::equals)).as("the same ids as on the native backend").hasSize(2);
        }
    }
}
