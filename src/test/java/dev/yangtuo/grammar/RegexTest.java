package dev.yangtuo.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.GrammarException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Regular expressions, against {@link Pattern}. */
class RegexTest {
    private static final List<String> TEXTS = List.of("", "a", "b", "ab", "ba", "aab", "abab", "é", "中a", "😀", "\n", "a\n",
            "-", "]", "0", "a0_", "\\", "^", "$", "A", " ", "\u00A0");

    @ParameterizedTest
    @CsvSource(delimiterString = " ~ ", quoteCharacter = '`', value = {
        "a*b", "(a|b)+", "(?:ab){1,2}", "(?<name>a|b)?", "[^a]", "[a-c0-9_-]+", "\\d\\w*", "[\\s\\S]*", "[^\\w]", ".", "..?", "a??b+?",
        "\\x61|\\u4e2d.", "\\x{1F600}", "[中-龥]a", "\\^|\\$|\\\\|\\]|-", "^a|b$", "^(a|b)*$", "\\p{L}+", "\\P{L}", "[\\p{IsHan}a]+", "[\\]\\-]",
        "a{2}b", "(a{0,2}b){2}", "(|a)b", "\\t|\\n|\\r|\\f", "\\W"
    })
    void matchesWhatJavaMatches(String pattern) {
        Automaton automaton = new Automaton(NetworkBuilder.build(Rules.of(RegexParser.parseWhole("", pattern))));
        for (String text : TEXTS) {
            // In Java $ also stands before a last line feed.
            boolean expected = Pattern.compile(pattern.replace("$", "\\z").replace("\\\\z", "\\$")).matcher(text).matches();
            assertThat(Matching.behind(automaton, text.getBytes(StandardCharsets.UTF_8)).complete).as("%s matches '%s'", pattern, text).isEqualTo(expected);
        }
    }

    /** ECMAScript, whose expressions the patterns of JSON schemas are, has more of it than Java. */
    @ParameterizedTest
    @ValueSource(strings = {"\u00A0", "\u1680", "\u2000", "\u200A", "\u2028", "\u202F", "\u205F", "\u3000", "\uFEFF"})
    void whatIsSpaceInOneDialectAloneIsNeitherSpaceNorNot(String space) {
        assertThat(Matching.regex("\\S", space)).isFalse();
        assertThat(Matching.regex("[^\\s]", space)).isFalse();
        assertThat(Matching.regex("\\s", space)).isFalse();
        assertThat(Matching.regex("[^\\S]", space)).isFalse();
        assertThat(Matching.regex("[\\s\\S]", space)).isTrue();
        assertThat(Matching.regex("\\S", "a")).isTrue();
        assertThat(Matching.regex("\\S", " ")).isFalse();
    }

    @Provide
    Arbitrary<String> patterns() {
        Arbitrary<String> atoms = Arbitraries.of("a", "b", "中", ".", "[ab]", "[^a]", "\\d", "\\w", "\\s", "é", "[中-鿿]");
        Arbitrary<String> quantifiers = Arbitraries.of("", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,3}", "{2,}");
        Arbitrary<String> quantified = Combinators.combine(atoms, quantifiers).as(String::concat);
        Arbitrary<String> sequences = quantified.list().ofMinSize(0).ofMaxSize(3).map(parts -> String.join("", parts));
        Arbitrary<String> groups = Combinators.combine(sequences.list().ofMinSize(1).ofMaxSize(3), quantifiers)
                .as((alternatives, quantifier) -> "(?:" + String.join("|", alternatives) + ")" + quantifier);
        Arbitrary<String> nested = Combinators.combine(groups, sequences, quantifiers).as((group, rest, quantifier) -> "(" + group + rest + ")" + quantifier);
        return Arbitraries.oneOf(sequences, groups, nested).list().ofMinSize(1).ofMaxSize(3).map(parts -> String.join("", parts));
    }

    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.of("a", "b", "中", "é", "1", " ", "\n", "😀").list().ofMaxSize(7).map(parts -> String.join("", parts));
    }

    /** Complete is what matches. What is not dead can be completed, and what Java has seen to fail before the end of the text is dead. */
    @Property(tries = 2_000)
    void beginningsAndMatchesAreThoseOfJava(@ForAll("patterns") String pattern, @ForAll("texts") String text) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        boolean matches = matcher.matches();
        Automaton automaton = new Automaton(NetworkBuilder.build(Rules.of(RegexParser.parseWhole("", pattern))));
        State state = Matching.behind(automaton, text.getBytes(StandardCharsets.UTF_8));
        assertThat(state.complete).isEqualTo(matches);
        if (!matches && !matcher.hitEnd()) {
            assertThat(state.dead).isTrue();
        }
        if (!state.dead) {
            byte[] rest = completion(automaton, state).getBytes(StandardCharsets.ISO_8859_1);
            assertThat(text + new String(rest, StandardCharsets.UTF_8)).matches(whole -> Pattern.matches(pattern, whole));
        }
    }

    /** Repetitions of repetitions may take more steps than there are; such a pattern says nothing here. */
    private static String completion(Automaton automaton, State state) {
        try {
            return Matching.completion(automaton, state);
        } catch (GrammarException e) {
            assertThat(e).hasMessageContaining("too ambiguous");
            Assume.that(false);
            throw e;
        }
    }

    @Test
    void countsOfAMillionCostNoMemory() {
        Network network = NetworkBuilder.build(Rules.of(RegexParser.parseWhole("", "[a-z]{1,1000000}x")));
        assertThat(network.nodes()).isLessThan(10);
        assertThat(Matching.regex("[a-c]{3,1000000}x", "abcabx")).isTrue();
        assertThat(Matching.regex("[a-c]{3,1000000}x", "abx")).isFalse();
        assertThat(Matching.regex("[a-c]{70000}", "a".repeat(70_000))).isTrue();
        assertThat(Matching.regex("[a-c]{70000}", "a".repeat(69_999))).isFalse();
    }

    @ParameterizedTest
    @CsvSource(delimiterString = " => ", quoteCharacter = '`', value = {
        "`a(?=b)` => column 4: lookahead, lookbehind, atomic groups and flags are not supported; found (?=",
        "`(?<!a)b` => not supported",
        "`(?i)a` => not supported; found (?i",
        "`(?>a)` => not supported",
        "`(a)\\1` => a backreference is not regular",
        "`\\k<x>` => a backreference",
        "`\\bword` => \\b is not supported",
        "`a*+` => a possessive quantifier",
        "`a**` => a quantifier behind a quantifier",
        "`*a` => column 1: '*' repeats what stands before it",
        "`(a` => a '(' without its ')'",
        "`a)` => a ')' without its '('",
        "`[a` => it ends where more is expected",
        "`[]a]` => an empty class; write ] as \\]",
        "`[a[b]]` => means different things",
        "`[a&&b]` => means different things",
        "`[\\d-z]` => a range cannot begin with a class",
        "`a{2,1}` => at least 2 and at most 1",
        "`a{x}` => expected a number",
        "`a(b^c)` => '^' is supported at the ends",
        "`a$b` => '$' is supported at the ends",
        "`\\p{Nonsense}` => there is no property \\p{Nonsense}",
        "`\\x{110000}` => is no character of Unicode",
        "`[^\\x{0}-\\x{10FFFF}]` => never comes to an end"
    })
    void whatIsNotSupportedIsSaid(String pattern, String problem) {
        assertThatThrownBy(() -> Grammar.regex(pattern)).isInstanceOf(GrammarException.class).hasMessageContaining(problem);
    }
}
