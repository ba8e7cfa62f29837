package dev.yangtuo.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModulePatternTest {
    private static final String Q0 = "model.layers.0.self_attn.q_proj";

    private static boolean matches(String key, String module) {
        return ModulePattern.compile(key).matches(module, new ModulePattern.Budget(10_000_000));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ' ', value = {
        "q_proj true",
        "self_attn.q_proj true",
        "model.layers.0.self_attn.q_proj true",
        "^model.layers.0.self_attn.q_proj true",
        "^layers.0.self_attn.q_proj false",
        "model\\.layers\\.\\d+\\.self_attn\\.(q|k)_proj true",
        "layers.[0-3].*q_proj true",
        "layers.[^0-3].*q_proj false",
        "proj false",
        "_proj false",
        ".*proj true",
        "q_pro false",
        "q_pro. true",
        "q_pro.? true",
        "q_pro.$ true",
        "k_proj|q_proj true",
        "(?:k|q)_proj true",
        "(?P<which>k|q)_proj true",
        "(?<which>k|v)_proj false",
        "\\w{6} true",
        "\\w{1,5} false",
        "\\w{7,} false",
        "\\w{,6} true",
        "layers.0.\\D+ true",
        "[\\w.]+?j true",
        "[]q]_proj true",
        "[q-]_proj true",
    })
    void matchesTheWholeNameOrTheRestAfterADot(String key, boolean expected) {
        assertThat(matches(key, Q0)).isEqualTo(expected);
    }

    @Test
    void anEmptyKeyMatchesNoModule() {
        assertThat(matches("", Q0)).isFalse();
    }

    @Test
    void aBraceThatBeginsNoCountIsOrdinary() {
        assertThat(matches("a{x}", "a{x}")).isTrue();
        assertThat(matches("a{,}", "a{,}")).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"(", ")", "(a", "a)", "[a", "[z-a]", "*a", "a**", "a{2}{3}", "a{3,2}", "a{999999999}", "a++", "\\", "\\b", "\\1",
            "(?=a)", "(?!a)", "(?<=a)", "(?i)a", "(?P=x)", "(?P<x", "[[a-\\d]"})
    void refusesWhatItDoesNotUnderstand(String key) {
        assertThatThrownBy(() -> ModulePattern.compile(key)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("character");
    }

    @Test
    void refusesDeepNestingWithoutOverflowingTheStack() {
        assertThatThrownBy(() -> ModulePattern.compile("(".repeat(4000))).hasMessageContaining("nested");
        assertThatThrownBy(() -> ModulePattern.compile("a".repeat(5000))).hasMessageContaining("5000 characters");
    }

    @ParameterizedTest
    @ValueSource(strings = {"(a|a)*b", "((a*)*)*b", "(a+)+b", "(a|aa)+b", "(.*)*(.*)*(.*)*x", "(((a{9999}){9999}){9999}){9999}",
            "(((){99999}){99999}){99999}x", "(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)(|)x"})
    void hostileExpressionsEndQuickly(String key) {
        Assertions.assertTimeoutPreemptively(Duration.ofSeconds(60), () -> {
            try {
                assertThat(matches(key, "a".repeat(2000))).isFalse();
            } catch (ModulePattern.BudgetExceededException expected) {
                assertThat(expected).hasMessage(null);
            }
        });
    }

    @Property(tries = 2000)
    void agreesWithTheJdk(@ForAll("keys") String key, @ForAll("modules") String module) {
        Pattern expected = Pattern.compile("(?:.*\\.)?(?:" + key + ")$");
        assertThat(matches(key, module)).as("%s on %s", key, module).isEqualTo(expected.matcher(module).matches());
    }

    @Provide
    Arbitrary<String> keys() {
        return Arbitraries.strings()
                .withChars("ab.")
                .ofMinLength(1)
                .ofMaxLength(3)
                .flatMap(atom -> Arbitraries.of("%s", "(%s)*", "(%s)+b", "(?:%s)?", "%s|a.", "[%s]{1,2}", "(%s|b){2}", "^%s", "a*%s$", "((%s)*a)*")
                        .map(form -> form.formatted(atom)))
                .list()
                .ofMinSize(1)
                .ofMaxSize(3)
                .map(parts -> String.join("", parts));
    }

    @Provide
    Arbitrary<String> modules() {
        return Arbitraries.strings().withChars("ab.").ofMaxLength(9);
    }
}
