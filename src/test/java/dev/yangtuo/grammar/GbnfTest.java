package dev.yangtuo.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.GrammarException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** GBNF, as llama.cpp's guide and parser have it. */
class GbnfTest {
    private static void conforms(String grammar, List<String> follow, List<String> doNot) {
        for (String text : follow) {
            assertThat(Matching.gbnf(grammar, text)).as("%s follows %s", text, grammar).isTrue();
        }
        for (String text : doNot) {
            assertThat(Matching.gbnf(grammar, text)).as("%s follows %s", text, grammar).isFalse();
        }
    }

    @Test
    void literalsSequencesAndAlternatives() {
        conforms("root ::= \"a\" \"bc\" | \"d\"", List.of("abc", "d"), List.of("", "a", "abcd", "ab", "D"));
        conforms("root ::= \"\" | \"x\"", List.of("", "x"), List.of("xx"));
        conforms("root ::= | \"x\"", List.of("", "x"), List.of("xx"));
    }

    @Test
    void classesAndRanges() {
        conforms("root ::= [a-c] [^a-c] .", List.of("adz", "bé\n", "c中文"), List.of("aab", "dd", "adzz"));
        conforms("root ::= [a-]", List.of("a", "-"), List.of("b", ""));
        conforms("root ::= [\\]\\[\\-\\\\\"]+", List.of("]", "[", "-", "\\", "\""), List.of("a"));
        conforms("root ::= [一-鿿]+", List.of("床前明月光"), List.of("a", "床a"));
        conforms("root ::= [^\"]*", List.of("", "😀中é"), List.of("\""));
    }

    @Test
    void escapesAreCodePoints() {
        conforms("root ::= \"\\x41\\u4E2D\\U0001F600\\n\\t\\r\\\\\\\"\"", List.of("A中😀\n\t\r\\\""), List.of("A"));
        conforms("root ::= [\\u4E00-\\u9FFF] [\\xE9] [\\U0001F600-\\U0001F64F]", List.of("中é😀"), List.of("中e😀"));
    }

    @Test
    void repetitions() {
        conforms("root ::= \"a\"* \"b\"+ \"c\"?", List.of("b", "abc", "aabbb"), List.of("", "a", "ac", "abcc"));
        conforms("root ::= \"ab\"{2}", List.of("abab"), List.of("ab", "ababab", "abb"));
        conforms("root ::= [0-9]{2,}", List.of("12", "1234567"), List.of("1", ""));
        conforms("root ::= [0-9]{ 1 , 3 }", List.of("1", "12", "123"), List.of("", "1234"));
        conforms("root ::= \"x\"{0,2}", List.of("", "x", "xx"), List.of("xxx"));
        conforms("root ::= \"x\"{0} \"y\"", List.of("y"), List.of("xy"));
        conforms("root ::= (\"a\" | \"b\")+ \"!\"", List.of("ab!", "a!"), List.of("!"));
        conforms("root ::= \"a\"+? \"b\"", List.of("b", "ab", "aab"), List.of("a"));
        conforms("root ::= (\"a\"?){2,3} \"b\"", List.of("b", "ab", "aab", "aaab"), List.of("aaaab"));
        conforms("root ::= (\"a\"{2}){2,3}", List.of("aaaa", "aaaaaa"), List.of("aa", "aaa", "aaaaa", "aaaaaaa"));
        conforms("root ::= (x y?){2}\nx ::= \"x\"?\ny ::= \"y\"", List.of("", "x", "xy", "yy", "xyxy", "xx", "xxy"), List.of("xxx", "yyy"));
    }

    @Test
    void rulesCommentsAndLines() {
        String grammar = """
                # a list
                root   ::= item (  # the first
                    "," item

                )*   # and more
                item ::=
                    word |
                    number
                word ::= [a-z]+ # letters
                number ::= "-"? [0-9]+
                """;
        conforms(grammar, List.of("a", "a,-12,b"), List.of("", "a,", ",a", "a b"));
        conforms("root ::= a-1\r\na-1 ::= \"x\"", List.of("x"), List.of("y"));
    }

    @Test
    void recursion() {
        conforms("root ::= \"(\" root* \")\"", List.of("()", "(())", "(()(()))"), List.of("", "(", "())", "(()"));
        conforms("root ::= \"a\" root \"b\" | \"\"", List.of("", "ab", "aaabbb"), List.of("aab", "ba"));
        conforms("root ::= expr\nexpr ::= term ([-+*/] term)*\nterm ::= [0-9]+ | \"(\" expr \")\"", List.of("1+2*(3-4)", "((7))"), List.of("1+", "(1"));
        conforms("root ::= \"a\" root | \"a\"", List.of("a", "a".repeat(5_000)), List.of("", "b"));
    }

    @Test
    void partsThatNeverEndAreLeftOut() {
        conforms("root ::= \"a\" | \"b\" never\nnever ::= \"x\" never", List.of("a"), List.of("b", "bx"));
        assertThat(Matching.behind(new Automaton(NetworkBuilder.build(GbnfParser.parse("root ::= \"a\" | \"b\" never\nnever ::= \"x\" never"))), new byte[] {'b'}).dead)
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource(delimiterString = " => ", quoteCharacter = '`', value = {
        "`root ::= \"a` => line 1, column 12: it ends",
        "`root ::= [a` => line 1, column 12: it ends",
        "`root ::= []` => column 10: an empty class",
        "`root ::= [z-a]` => runs backwards",
        "`root ::= \"\\q\"` => \\q is no escape",
        "`root ::= \"\\x4\"` => expected 2 hexadecimal digits, found '\"'",
        "`root ::= \"\\uD800\"` => D800 is no character",
        "`root ::= \"\\U00110000\"` => 00110000 is no character",
        "`root ::= (\"a\"` => expected ')', found the end",
        "`root ::= \"a\")` => found ')'",
        "`root ::= *` => there is nothing",
        "`root ::= \"a\"{` => expected a number, found the end",
        "`root ::= \"a\"{,3}` => expected a number, found ','",
        "`root ::= \"a\"{3,2}` => at least 3 and at most 2",
        "`root ::= \"a\"{1,99999999999}` => 99999999999 is more than the 1,000,000",
        "`root = \"a\"` => expected '::=', found '='",
        "`root ::= other` => column 10: there is no rule 'other'",
        "`other ::= \"a\"` => no rule 'root'",
        "`` => no rule 'root'",
        "`root ::= \"a\"\nroot ::= \"b\"` => line 2, column 1: a second definition of the rule 'root'",
        "`root ::= <[x]>` => expected a number, found 'x'",
        "`root ::= <think` => it ends",
        "`root ::= !x` => expected '<', found 'x'",
        "`root ::= root \"a\" | \"b\"` => 'root' begins with itself; left recursion",
        "`root ::= a\na ::= b \"x\"\nb ::= \"\" a` => left recursion",
        "`root ::= x? root` => left recursion",
        "`root ::= (root \"a\"){2,3} | \"b\"` => left recursion",
        "`root ::= \"x\" root` => never comes to an end"
    })
    void errorsSayWhere(String grammar, String problem) {
        String text = grammar.replace("x?", "\"x\"?");
        assertThatThrownBy(() -> Grammar.gbnf(text)).isInstanceOf(GrammarException.class).hasMessageContaining(problem);
    }

    @ParameterizedTest
    @ValueSource(strings = {"root ::= \"\uD800\"", "root ::= [\uDC00]"})
    void halfSurrogatePairsAreRefused(String grammar) {
        assertThatThrownBy(() -> Grammar.gbnf(grammar)).isInstanceOf(GrammarException.class).hasMessageContaining("half a surrogate pair");
    }
}
