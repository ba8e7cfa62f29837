package dev.yangtuo.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.yangtuo.benchmarks.Shell;
import dev.yangtuo.benchmarks.compare.Program.Kind;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgramTest {
    private static String command(Kind kind, String test) {
        Program program = new Program(kind, Path.of("/p"), List.of("-fa", "1"));
        return Shell.command(program.command(Path.of("m.gguf"), TestNames.parse(test).getFirst(), 2, 3));
    }

    @Test
    void commandLinesAskForTheOneTest() {
        assertThat(command(Kind.YANGTUO, "tg128@d300x8")).isEqualTo("/p bench --json --model m.gguf -p 0 -n 128 -d 300 -b 8 -r 3 -t 2 -fa 1");
        assertThat(command(Kind.LLAMA_BENCH, "pp512")).isEqualTo("/p -m m.gguf -o json -r 3 -p 512 -n 0 -t 2 -fa 1");
        assertThat(command(Kind.LLAMA_BENCH, "tg128@d300")).isEqualTo("/p -m m.gguf -o json -r 3 -p 0 -n 128 -d 300 -t 2 -fa 1");
        assertThat(command(Kind.LLAMA_BATCHED_BENCH, "tg128x8"))
                .isEqualTo("/p -m m.gguf --output-format jsonl -c 2048 -npp 1 -ntg 128,128,128 -npl 8 -t 2 -fa 1");
        assertThat(command(Kind.LLAMA_BATCHED_BENCH, "tg128@d300 x2"))
                .isEqualTo("/p -m m.gguf --output-format jsonl -c 1024 -npp 300 -ntg 128,128,128 -npl 2 -t 2 -fa 1");
    }

    @Test
    void wordsAreQuotedAsAShellNeedsThem() {
        assertThat(Shell.command(List.of("--peer-args", "ik=-rtr 1", "it's", ""))).isEqualTo("--peer-args 'ik=-rtr 1' 'it'\\''s' ''");
    }

    @Test
    void namesOfTestsAreRead() {
        assertThat(TestNames.parse("pp512, tg128,tg128x8,pp512@d3500,tg64@d10 x2,pp512").stream().map(test -> test.name()))
                .containsExactly("pp512", "tg128", "tg128 x8", "pp512@d3500", "tg64@d10 x2");
        for (String wrong : List.of("", "pp", "pp-1", "tg128x", "xx5", "pp512x2", "pp0", "tg1x999")) {
            assertThatIllegalArgumentException().as(wrong).isThrownBy(() -> TestNames.parse(wrong)).withMessageContaining("'" + wrong + "'");
        }
    }
}
