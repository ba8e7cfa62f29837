package dev.yangtuo.cli;

import static dev.yangtuo.cli.CommandRun.DEMO;
import static dev.yangtuo.cli.CommandRun.TINY;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Exit codes, and what is said to a person who got something wrong. */
class UsageTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "frobnicate | frobnicate",
        "generate --frobnicate | --frobnicate",
        "generate --quantize q9_9 | q9_9",
        "generate --quantize | --quantize",
        "generate --kv-type q5_0 | q5_0",
        "generate --backend cuda | cuda",
        "generate --temperature -0.5 | temperature is -0.5",
        "generate --temperature warm | warm",
        "generate --temperature NaN | NaN",
        "generate --top-p 0 | top-p",
        "generate --top-p 1.5 | top-p",
        "generate --top-k -1 | top-k",
        "generate --min-p 2 | min-p",
        "generate --repeat-penalty 0 | penalty",
        "generate --dynatemp-range -1 | range is -1.0",
        "generate --dynatemp-exp 2 | --dynatemp-exp is of --dynatemp-range",
        "generate --top-n-sigma -1 | top-n-sigma is -1.0, must be 0 (off) or more",
        "generate --typical 0 | typical-p is 0.0, must be more than 0",
        "generate --xtc-probability 2 | the XTC probability is 2.0, must be 0 (off) to 1",
        "generate --xtc-threshold 0.1 | --xtc-threshold is of --xtc-probability",
        "generate --mirostat 1 | --mirostat is 1, must be 0 (off) or 2",
        "generate --mirostat-tau 3 | --mirostat-tau or --mirostat-eta is of --mirostat 2",
        "generate --mirostat 2 --mirostat-tau -3 | mirostat's tau is -3.0, must be 0 or more",
        "generate --repeat-last-n -2 | is -2, must be -1 (the whole text), 0 (none) or more",
        "generate --presence-penalty NaN | the presence penalty is NaN",
        "generate --frequency-penalty Infinity | the frequency penalty is Infinity",
        "generate --dry-multiplier -1 | the DRY multiplier is -1.0",
        "generate --dry-base 2 | --dry-multiplier, which is not there",
        "generate --dry-multiplier 1 --dry-base 0.5 | the DRY base is 0.5, must be 1 or more",
        "generate --dry-multiplier 1 --dry-sequence-breaker= | a DRY sequence breaker is ''",
        "generate --logit-bias 5 | '5' is not a logit bias",
        "generate --logit-bias =5 | '=5' is not a logit bias",
        "generate --logit-bias 5=x | '5=x' is not a logit bias",
        "generate --logit-bias 5=Infinity | a logit bias is Infinity",
        "generate --logit-bias 99999999999=1 | 99999999999 is outside every vocabulary",
        "generate --min-tokens -1 | the minimum of tokens is -1, must be 0 or more",
        "generate --greedy --temperature 0.5 | --greedy excludes",
        "generate --greedy --dry-multiplier 1 | --greedy excludes",
        "generate --greedy --mirostat 2 | --greedy excludes",
        "generate --greedy --top-k 4 | --greedy excludes",
        "generate --prompt a --prompt-file b | mutually exclusive",
        "generate --prompt a - | '-'",
        "generate hello | --prompt",
        "generate --max-tokens 0 | must be at least 1",
        "generate --max-tokens many | many",
        "generate --threads 0 | --threads is 0",
        "generate --threads 1000 | 1 to 256",
        "generate --context 0 | --context is 0",
        "generate --context 99999999999 | 99999999999",
        "generate --seed x | 'x'",
        "generate --stop= | must not be empty",
        "generate --logprobs 3 | --logprobs needs --json",
        "generate --json --logprobs 21 | --logprobs is 21, must be 0 to 20",
        "embed | --prompt",
        "embed --prompt a --file b | mutually exclusive",
        "embed a | 'a' is not understood",
        "embed --prompt a --pool max | 'max' is not a pooling; there are mean, last",
        "embed --prompt a --context 0 | --context is 0",
        "score --prompt a | --continuation",
        "score --continuation a | --prompt",
        "score --prompt a --continuation b c | 'c'",
        "tokenize --stats --pieces | mutually exclusive",
        "tokenize --pieces --jsonl | mutually exclusive",
        "tokenize file.txt | file.txt",
        "detokenize --ids | --ids",
        "logits --ids 1 | --output",
        "logits --output x | --ids",
        "logits --ids 1,,2 --output x | ''",
        "logits --ids abc --output x | 'abc'",
        "logits --ids 1.5 --output x | '1.5'",
        "logits --ids 99999999999 --output x | '99999999999'",
        "perplexity --model x | --text",
        "perplexity --text x --method halves | 'halves' is not a method",
        "perplexity --text x --context 2 | --context is 2, must be at least 3",
        "merge-vocab --base a --add b | --output",
        "merge-vocab --base a --output x | --add",
        "merge-vocab --add b --output x | --base",
        "merge-vocab --base a --base b --add c --output x | --base",
        "merge-vocab --base a --add b --output x --json=maybe | maybe",
        "merge-vocab a b --output x | --base",
        "merge-vocab --base a --add b --output x c | 'c'",
        "doctor --model x | --model",
        "completion | SHELL",
        "completion tcsh | tcsh",
        "help frobnicate | 'yangtuo' has no command 'frobnicate'; there are generate",
        "help generate more | 'yangtuo generate' has no command 'more'; there is none",
        "man frobnicate | 'yangtuo' has no command 'frobnicate'; there are generate",
        "man generate --output x | leave 'generate' out"
    })
    void wrongUsageIsNamedInOneLine(String commandLine, String named) {
        CommandRun run = CommandRun.of((Object[]) commandLine.split(" "));
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.output()).isEmpty();
        assertThat(run.problem()).contains(named).doesNotContain("Error:");
        assertThat(run.hasStackTrace()).isFalse();
        assertThat(run.errors().lines().count()).as(run.errors()).isLessThanOrEqualTo(3);
    }

    @Test
    void withoutACommandTheCommandsAreListed() {
        CommandRun run = CommandRun.of();
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.output()).isEmpty();
        assertThat(run.errors()).contains("a command is missing", "generate", "tokenize", "detokenize", "embed", "score", "logits", "perplexity", "merge-vocab", "doctor");
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "--help", "--version", "help", "help generate", "generate --help", "tokenize --help", "detokenize -h", "logits --help", "doctor --help",
        "generate --version", "embed --help", "score --help", "merge-vocab --help", "perplexity --help"
    })
    void helpIsNoError(String commandLine) {
        CommandRun run = CommandRun.of((Object[]) commandLine.split(" "));
        assertThat(run.exitCode()).isZero();
        assertThat(run.text()).contains("yangtuo");
        assertThat(run.errors()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "generate --model /no/such | /no/such: there is no such file; expected a GGUF file",
        "generate --lora /no/such | /no/such: there is no such directory",
        "generate --prompt-file /no/such | /no/such: there is no such file",
        "generate --prompt-file src | src: is a directory",
        "generate --model pom.xml | pom.xml: this is a web page",
        "generate --model src | src: config.json is missing",
        "generate --model examples/demo-model/chinese-lora | this is a LoRA adapter",
        "generate --lora examples/demo-model/base | adapter_config.json is missing",
        "generate --model examples/demo-model/base/model.safetensors | give the directory",
        "logits --ids 1 --output x --model /no/such | /no/such",
        "perplexity --text src | src: is a directory",
        "embed --file /no/such | /no/such: there is no such file",
        "embed --prompt a --model /no/such | /no/such: there is no such file",
        "score --prompt a --continuation b --model /no/such | /no/such: there is no such file",
        "merge-vocab --base /no/such --add pom.xml --output x | /no/such: there is no such file",
        "merge-vocab --base examples/demo-model/base/tokenizer.model --add pom.xml --output x | pom.xml: is no SentencePiece model",
        "merge-vocab --base examples/demo-model/base/config.json --add examples/demo-model/base/tokenizer.model --output x | config.json: is no Sent",
        "merge-vocab --base src --add pom.xml --output x | src: is a directory",
        "tokenize --model /no/such | /no/such: there is no such file",
        "tokenize --model src | tokenizer.model is missing",
        "tokenize --model pom.xml | pom.xml: is no SentencePiece model",
        "detokenize --model examples/demo-model/base/config.json | is no SentencePiece model",
        "tokenize --model examples/demo-model/base/model.safetensors | is no SentencePiece model"
    })
    void filesThatDoNotServeAreNamedInOneParagraph(String commandLine, String said) throws IOException {
        CommandRun run = CommandRun.of((Object[]) commandLine.split(" "));
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.output()).isEmpty();
        assertThat(run.problem()).contains(said);
        assertThat(run.errors().lines()).hasSize(1);
        assertThat(Files.exists(Path.of("x"))).isFalse();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "generate --ban 12183 | a token's id is 12183, must be 0 to 12182",
        "generate --require 床前明月光疑是 | '床前明月光疑是' is not one token of the vocabulary",
        "generate --min-tokens 50 --max-tokens 40 | minTokens is 50, must be at most maxTokens, which is 40",
    })
    void whatTheVocabularyDoesNotHaveIsNamed(String commandLine, String said) {
        CommandRun run = CommandRun.of((Object[]) commandLine.split(" "));
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.output()).isEmpty();
        assertThat(run.problem()).contains(said);
        assertThat(run.hasStackTrace()).isFalse();
    }

    @Test
    void verboseShowsWhereItHappened() {
        CommandRun run = CommandRun.of("generate", "--model", "/no/such", "--verbose");
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains("/no/such");
        assertThat(run.hasStackTrace()).isTrue();
        assertThat(CommandRun.of("tokenize", "--model", "/no/such", "--verbose").hasStackTrace()).isTrue();
    }

    @Test
    void anAdapterOfAnotherModelNamesBothShapes() {
        CommandRun run = CommandRun.of("generate", "--model", TINY, "--lora", DEMO.resolve("chinese-lora"));
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.problem()).contains("chinese-lora", "another model", "64", "256");
    }

    @Test
    void aDamagedModelIsNamed() throws IOException {
        Path model = Files.write(directory.resolve("model.gguf"), new byte[] {'G', 'G', 'U', 'F', 3, 0, 0, 0, 1});
        for (String command : new String[] {"generate", "tokenize"}) {
            CommandRun run = CommandRun.of(command, "--model", model);
            assertThat(run.exitCode()).isEqualTo(1);
            assertThat(run.problem()).contains(model.toString());
        }
    }
}
