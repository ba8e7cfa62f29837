package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** No two names are alike, and none is longer than that takes. */
class ShortNamesTest {
    private static List<String> names(String... paths) {
        return ShortNames.of(Stream.of(paths).map(Path::of).toList());
    }

    @Test
    void theLastPartIsEnoughWhereItDiffers() {
        assertThat(names("/models/llama", "/models/llama.model", "chinese/羊驼.gguf")).containsExactly("llama", "llama.model", "羊驼.gguf");
        assertThat(names("models/base/.", "models/base/../chinese/")).containsExactly("base", "chinese");
    }

    @Test
    void aTokenizerModelIsCalledAsItsDirectory() {
        assertThat(names("/a/base/tokenizer.model", "/a/chinese/tokenizer.model")).containsExactly("base", "chinese");
        assertThat(names("tokenizer.model")).containsExactly(Path.of("").toAbsolutePath().getFileName().toString());
        assertThat(names("/tokenizer.model")).containsExactly("tokenizer.model");
    }

    @Test
    void partsAreAddedUntilNamesDiffer() {
        assertThat(names("/a/x/llama", "/b/x/llama", "/c/y/llama", "/d/other")).containsExactly("a/x/llama", "b/x/llama", "y/llama", "other");
        assertThat(names("/llama", "/a/llama")).containsExactly("llama", "a/llama");
    }

    @Test
    void whatIsNamedTwiceIsNumbered() {
        assertThat(names("/a/llama", "/a/llama", "/a/llama (2)", "/a/./llama", "/a/llama/tokenizer.model"))
                .containsExactly("llama", "llama (3)", "llama (2)", "llama (4)", "llama (5)");
    }

    @Test
    void controlCharactersAreNotShown() {
        assertThat(names("/a/red\u001B[31m\nfish\u0085")).containsExactly("red\uFFFD[31m\uFFFDfish\uFFFD");
    }

    @Test
    void theRootHasAName() {
        assertThat(names("/", "/a")).containsExactly("/", "a");
    }
}
