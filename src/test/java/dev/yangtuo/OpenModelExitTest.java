package dev.yangtuo;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A program that forgets to close its model still ends when its main method does. */
class OpenModelExitTest {
    /** Leaves a model and a text in the making open. */
    static final class Child {
        private Child() {}

        public static void main(String[] args) {
            Llama llama = Llama.load(Path.of(args[0]), LoadOptions.defaults().threads(3).backend(BackendType.of(args[1])));
            System.out.println("piece " + llama.generate("山", GenerateOptions.defaults().greedy()).iterator().next().length());
            if (args[2].equals("throw")) {
                throw new IllegalStateException("the program fails");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"native return", "native throw", "scalar return"})
    void programEndsWithItsMainMethod(String how) throws Exception {
        String[] words = how.split(" ");
        // Half a second of work; the rest is for a machine that is busy.
        ChildJvm.Outcome outcome =
                ChildJvm.run(20, Map.of(), List.of(), Child.class, ModelFolders.tiny("base").toString(), words[0], words[1]);
        assertThat(outcome.output()).contains("piece ");
        assertThat(outcome.exitCode()).as(outcome.output()).isEqualTo(words[1].equals("throw") ? 1 : 0);
    }
}
