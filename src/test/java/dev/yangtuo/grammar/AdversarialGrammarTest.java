package dev.yangtuo.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.GrammarException;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Grammars that would take all time or memory if nothing bounded them. What they cost is counted in steps, not in time; the timeouts only end a hang. */
@Timeout(60)
class AdversarialGrammarTest {
    private static final String A_LOT = "a".repeat(300);

    private static Network gbnf(String grammar) {
        return NetworkBuilder.build(GbnfParser.parse(grammar));
    }

    private static Network regex(String pattern) {
        return NetworkBuilder.build(Rules.of(RegexParser.parseWhole("", pattern)));
    }

    /** The most places that a text is at, at any of its bytes. */
    private static int mostPlaces(Network network, String text) {
        Automaton automaton = new Automaton(network);
        State state = automaton.start();
        int most = state.configurations.length;
        for (byte each : text.getBytes(StandardCharsets.UTF_8)) {
            automaton.begin();
            state = automaton.step(automaton.remembered(state), each & 0xFF);
            assertThat(state.dead).isFalse();
            assertThat(automaton.steps()).isLessThan(100_000);
            most = Math.max(most, state.configurations.length);
        }
        return most;
    }

    static Stream<Network> ambiguous() {
        return Stream.of(
                gbnf("root ::= (\"a\"* \"a\"*)* \"b\""),
                gbnf("root ::= ((((\"a\"*)*)*)*)*"),
                gbnf("root ::= (\"\" | \"a\")* | (\"a\" | \"\")+"),
                gbnf("root ::= s*\ns ::= \"a\" s? | \"\""),
                gbnf("root ::= \"a\" root | \"a\" root | \"a\" | \"\""),
                gbnf("root ::= x x x x\nx ::= y*\ny ::= (\"a\" | \"aa\")?"),
                regex("(a|a)*(a|aa)*(aa|aaa)*a*"),
                regex("(x+x+)+y|a*"),
                regex("(.*)*a(.|a)*"));
    }

    @ParameterizedTest
    @MethodSource("ambiguous")
    void ambiguityIsNoMoreThanTheGrammarHasPlaces(Network network) {
        assertThat(mostPlaces(network, A_LOT)).isLessThanOrEqualTo(8 * network.nodes());
    }

    @Test
    @Timeout(5)
    void manyValuesTakeNoSquareOfThem() {
        String values = IntStream.range(0, 50_000).mapToObj(i -> "\"" + i + "\"").collect(Collectors.joining(","));
        String schema = "{\"allOf\":[{\"enum\":[%s]},{\"enum\":[\"x\",%s]}]}".formatted(values, values);
        assertThat(Grammar.jsonSchema(schema)).isNotNull();
    }

    @Test
    void countedAmbiguityIsOnePlaceForEachCount() {
        assertThat(mostPlaces(regex("(a|aa){1,1000000}b"), A_LOT)).isLessThan(4 * A_LOT.length());
        assertThat(mostPlaces(regex("(a?){1,1000}b?"), A_LOT)).isLessThan(4 * A_LOT.length());
        assertThat(mostPlaces(regex("((a{0,50}){0,50}){0,50}"), A_LOT.substring(0, 30))).isLessThan(Limits.MAX_CONFIGURATIONS);
    }

    @Test
    void rightRecursionTakesNoStack() {
        Automaton automaton = new Automaton(gbnf("root ::= \"a\" root | \"b\""));
        State once = Matching.behind(automaton, new byte[] {'a'});
        assertThat(Matching.behind(automaton, A_LOT.getBytes(StandardCharsets.UTF_8))).isSameAs(once);
    }

    @Test
    void nestingIsBoundedByTheText() {
        String deep = "[".repeat(20_000);
        assertThat(mostPlaces(NetworkBuilder.build(SchemaReader.read("true")), deep)).isLessThan(50);
        assertThat(Matching.schema("true", deep + "]".repeat(20_000))).isTrue();
    }

    /** Twenty rules that each begin with the next in two ways: a million stacks. */
    @Test
    void exponentiallyManyStacksAreRefused() {
        String rules = IntStream.range(0, 20).mapToObj(i -> "r%d ::= r%d \"x\" | r%d \"y\"".formatted(i, i + 1, i + 1)).collect(Collectors.joining("\n"));
        Network network = gbnf("root ::= r0\n" + rules + "\nr20 ::= \"a\"");
        assertThatThrownBy(() -> new Automaton(network).start())
                .isInstanceOf(GrammarException.class).hasMessageContaining("too ambiguous: a text may be at more than 50,000 places");
    }

    /** Each text of 60 characters is a state of its own. */
    @Test
    void exponentiallyManyStatesAreNotRememberedForEver() {
        Automaton automaton = new Automaton(regex("(a|b)*a(a|b){60}c"));
        Random random = new Random(5);
        automaton.begin();
        State state = automaton.start();
        boolean forgotten = false;
        for (int i = 0; i < 60_000; i++) {
            forgotten |= automaton.begin();
            state = automaton.step(automaton.remembered(state), random.nextBoolean() ? 'a' : 'b');
            assertThat(state.dead).isFalse();
        }
        assertThat(forgotten).isTrue();
        assertThat(automaton.states()).isLessThanOrEqualTo(Limits.MAX_STATES + 1);
    }

    /** After some letters there are as many places as ways to share them out among five counts. */
    @Test
    void countsWithinCountsAreRefusedWhenTheyAreTooMany() {
        Tokenizer tokenizer = Vocabularies.DEMO;
        TokenConstraint constraint = Grammar.regex("(((((a{1,50}){1,50}){1,50}){1,50}){1,50}){1,50}b").newConstraint(tokenizer, Vocabularies.ends(tokenizer));
        int letter = tokenizer.id("a").orElseThrow();
        assertThatThrownBy(() -> {
            for (int i = 0; i < 200; i++) {
                constraint.allowed();
                constraint.accept(letter);
            }
        }).isInstanceOf(GrammarException.class).hasMessageContaining("too ambiguous");
    }

    @Test
    void sizesAreBounded() {
        assertThatThrownBy(() -> Grammar.gbnf("root ::= " + "(".repeat(101) + "\"a\"" + ")".repeat(101)))
                .isInstanceOf(GrammarException.class).hasMessageContaining("nested more than 100 deep");
        assertThatThrownBy(() -> Grammar.gbnf("root ::= \"a\"" + "*".repeat(200))).isInstanceOf(GrammarException.class).hasMessageContaining("nested more than 100 deep");
        assertThatThrownBy(() -> Grammar.regex("(".repeat(5_000))).isInstanceOf(GrammarException.class).hasMessageContaining("nested more than 100 deep");
        assertThatThrownBy(() -> Grammar.jsonSchema("{\"items\":".repeat(150) + "{}" + "}".repeat(150)))
                .isInstanceOf(GrammarException.class).hasMessageContaining("nested more than 100 deep");
        assertThatThrownBy(() -> Grammar.jsonSchema("[".repeat(100_000))).isInstanceOf(GrammarException.class).hasMessageContaining("no JSON");
        assertThatThrownBy(() -> Grammar.gbnf("#".repeat(2_000_000))).isInstanceOf(GrammarException.class).hasMessageContaining("1,048,576");
        String rules = IntStream.range(0, 20_001).mapToObj(i -> "r%d ::= \"b\"\n".formatted(i)).collect(Collectors.joining());
        assertThatThrownBy(() -> Grammar.gbnf("root ::= \"a\"\n" + rules)).isInstanceOf(GrammarException.class).hasMessageContaining("20,000 rules");
        assertThatThrownBy(() -> Grammar.gbnf("root ::= " + "[一-鿿]".repeat(140_000) + " \"b\""))
                .isInstanceOf(GrammarException.class).hasMessageContaining("larger than the 500,000 places");
        assertThatThrownBy(() -> Grammar.regex("(" + "a?".repeat(5_000) + "){2}")).isInstanceOf(GrammarException.class).hasMessageContaining("500,000 places");
        String properties = Stream.of("Lu Ll Lt Lm Lo Nd Nl No Pc".split(" ")).map("\\p{%s}"::formatted).collect(Collectors.joining());
        assertThatThrownBy(() -> Grammar.regex(properties)).isInstanceOf(GrammarException.class).hasMessageContaining("more than the 8 properties");
    }

    /** Two choices in each of forty schemas. */
    @Test
    void combinationsOfSchemasAreBounded() {
        String parts = IntStream.range(0, 40).mapToObj(i -> "{\"anyOf\": [{\"minLength\": %d}, {\"maxLength\": %d}]}".formatted(i, 100 + i))
                .collect(Collectors.joining(", "));
        assertThatThrownBy(() -> Grammar.jsonSchema("{\"allOf\": [" + parts + "]}")).isInstanceOf(GrammarException.class);
    }

    @Test
    void manyRulesInAnyOrderAreReadInLittleTime() {
        String chain = IntStream.range(0, 10_000).mapToObj(i -> "r%d ::= r%d?\n".formatted(i, i + 1)).collect(Collectors.joining());
        assertThat(gbnf("root ::= r0 \"x\"\n" + chain + "r10000 ::= \"a\"?").nodes()).isLessThan(60_000);
    }

    @Test
    void manyLiteralsAreFollowed() {
        String words = IntStream.range(0, 5_000).mapToObj(i -> "\"word%d\"".formatted(i * 7919 % 100_003)).collect(Collectors.joining(" | "));
        Tokenizer tokenizer = Vocabularies.DEMO;
        Grammar grammar = Grammar.gbnf("root ::= " + words);
        String text = RandomTexts.text(tokenizer, RandomTexts.ids(grammar, tokenizer, new Random(1), 20));
        assertThat(words).contains("\"" + text + "\"");
    }

    /** Each value with each other one would be billions of pairs. */
    @Test
    @Timeout(20)
    void longListsOfValuesAreNotComparedPairwise() {
        String values = IntStream.range(10_000, 80_000).mapToObj(Integer::toString).collect(Collectors.joining(", ", "{\"enum\": [", "]}")).replace(" ", "");
        assertThatThrownBy(() -> Grammar.jsonSchema("{\"type\": \"string\", \"allOf\": [%s, %s]}".formatted(values, values)))
                .isInstanceOf(GrammarException.class).hasMessageContaining("never comes to an end");
    }

    /** Whether a rule may be empty hangs on the next one, and so on, in no order. */
    @Test
    @Timeout(20)
    void chainsOfRulesAreFollowedOnce() {
        int count = 19_900;
        List<Integer> order = new ArrayList<>(IntStream.range(0, count).boxed().toList());
        Collections.shuffle(order, new Random(1));
        String rules = order.stream().map(i -> "x%d ::= \"a\"|\"b\"|\"c\"|\"d\"|\"e\"|\"f\"|x%d\n".formatted(i, i + 1)).collect(Collectors.joining());
        assertThat(gbnf("root ::= x0\n" + rules + "x%d ::= \"\"\n".formatted(count)).nodes()).isLessThan(500_000);
    }
}
