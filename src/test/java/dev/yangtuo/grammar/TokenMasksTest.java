package dev.yangtuo.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.GrammarException;
import dev.yangtuo.tokenizer.NormalizerSpec;
import dev.yangtuo.tokenizer.PieceTrie;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.StreamingDecoder;
import dev.yangtuo.tokenizer.Tokenizer;
import dev.yangtuo.tokenizer.Utf8;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Which tokens may come: the walk over the tree of pieces, against trying each piece byte by byte. */
class TokenMasksTest {
    static Stream<Grammar> grammars() {
        return Stream.of(
                Grammar.json(),
                Grammar.jsonSchema(Schemas.ALL.get(8)),
                Grammar.regex("[一-鿿]{5}(，[一-鿿]{5}){1,3}。"),
                Grammar.regex(".{0,40}[^a-z]{2,60}"),
                Grammar.regex("(a|b|中)*a(a|b|中){10}"),
                Grammar.gbnf("root ::= (line \"\\n\"){1,100}\nline ::= [^\\n]{1,30} | pair\npair ::= \"(\" pair? \")\""),
                Grammar.gbnf("root ::= [^\\x00-\\x7F]* \"é\" [\\U0001F600-\\U0001F64F]+"));
    }

    private static void equalsBruteForce(Grammar grammar, Tokenizer tokenizer, Random random) {
        TokenConstraint constraint = grammar.newConstraint(tokenizer, Vocabularies.ends(tokenizer));
        Automaton automaton = new Automaton(grammar.network());
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        for (int tokens = 0; tokens < 40; tokens++) {
            State state = Matching.behind(automaton, text.toByteArray());
            int[] expected = IntStream.range(0, tokenizer.vocabSize()).filter(id -> mayCome(automaton, state, tokenizer, id)).toArray();
            assertThat(RandomTexts.ids(constraint.allowed())).as("behind '%s'", text.toString(StandardCharsets.UTF_8)).isEqualTo(expected);
            int id = expected[random.nextInt(expected.length)];
            constraint.accept(id);
            if (id == tokenizer.eosId()) {
                return;
            }
            text.writeBytes(tokenizer.bytes(id));
        }
    }

    private static boolean mayCome(Automaton automaton, State from, Tokenizer tokenizer, int id) {
        if (id == tokenizer.eosId()) {
            return from.complete;
        }
        State state = from;
        for (byte each : tokenizer.bytes(id)) {
            state = automaton.step(state, each & 0xFF);
        }
        return tokenizer.bytes(id).length > 0 && !state.dead;
    }

    @ParameterizedTest
    @MethodSource("grammars")
    void setsAreThoseOfTryingEachPiece(Grammar grammar) {
        Random random = new Random(7);
        for (int i = 0; i < 3; i++) {
            equalsBruteForce(grammar, Vocabularies.DEMO, random);
        }
        Tokenizer byteLevel = Vocabularies.byteLevel();
        for (int i = 0; i < 10; i++) {
            equalsBruteForce(grammar, byteLevel, random);
        }
    }

    @Test
    void bytesOfPiecesAreWhatTheDecoderAdds() {
        for (Tokenizer tokenizer : List.of(Vocabularies.DEMO, Vocabularies.byteLevel(), Vocabularies.plain(true, "\u2581a", "a\u2581", "\u2581", "中"))) {
            for (int id = 0; id < tokenizer.vocabSize(); id++) {
                if (tokenizer.type(id) != PieceType.UNKNOWN) {
                    StreamingDecoder behind = tokenizer.continuationDecoder(tokenizer.encode("a"));
                    assertThat(behind.accept(id) + behind.flush()).as(tokenizer.piece(id)).isEqualTo(Utf8.decode(tokenizer.bytes(id)));
                    StreamingDecoder first = tokenizer.streamingDecoder();
                    assertThat(first.accept(id) + first.flush()).as(tokenizer.piece(id))
                            .isEqualTo(Utf8.decode(tokenizer.streamingDecoder().dropsSpace() ? tokenizer.firstBytes(id) : tokenizer.bytes(id)));
                }
            }
        }
    }

    @Test
    void treeHoldsEachPieceOnce() {
        Tokenizer tokenizer = Vocabularies.DEMO;
        PieceTrie trie = tokenizer.trie();
        byte[] path = new byte[trie.maxDepth()];
        boolean[] found = new boolean[tokenizer.vocabSize()];
        for (int node = 0; node < trie.size(); node++) {
            path[trie.depth(node) - 1] = (byte) trie.label(node);
            assertThat(trie.end(node)).isGreaterThan(node);
            for (int i = trie.idStart(node); i < trie.idEnd(node); i++) {
                assertThat(tokenizer.bytes(trie.id(i))).isEqualTo(Arrays.copyOf(path, trie.depth(node)));
                assertThat(found[trie.id(i)]).isFalse();
                found[trie.id(i)] = true;
            }
        }
        for (int id = 0; id < found.length; id++) {
            assertThat(found[id]).as(tokenizer.piece(id)).isEqualTo(tokenizer.bytes(id).length > 0);
        }
    }

    @Test
    void charactersComeInPieces() {
        Tokenizer tokenizer = Vocabularies.DEMO;
        TokenConstraint constraint = Grammar.regex("[一-丏]").newConstraint(tokenizer, Vocabularies.ends(tokenizer));
        // E4 B8 80 to E4 B8 8F
        assertThat(pieces(tokenizer, constraint)).contains("<0xE4>", "一", "上").doesNotContain("<0xE5>", "</s>", "<s>", "<unk>", "床", "中");
        constraint.accept(tokenizer.id("<0xE4>").orElseThrow());
        assertThat(pieces(tokenizer, constraint)).containsExactly("<0xB8>");
        constraint.accept(tokenizer.id("<0xB8>").orElseThrow());
        assertThat(pieces(tokenizer, constraint)).hasSize(16).startsWith("<0x80>").endsWith("<0x8F>");
        constraint.accept(tokenizer.id("<0x80>").orElseThrow());
        assertThat(pieces(tokenizer, constraint)).containsExactly("</s>");
    }

    private static List<String> pieces(Tokenizer tokenizer, TokenConstraint constraint) {
        return Arrays.stream(RandomTexts.ids(constraint.allowed())).mapToObj(tokenizer::piece).toList();
    }

    /** What is constrained is what the decoder of the continuation shows. */
    @ParameterizedTest
    @MethodSource("firsts")
    void theTextIsTheOneThatIsShown(Tokenizer tokenizer) {
        Grammar grammar = Grammar.regex(" ?[a-z]{1,3}( [a-z]{1,2})*");
        Random random = new Random(3);
        for (String prompt : List.of("", "a", "\u2581", "b a")) {
            int[] ids = IntStream.concat(IntStream.of(1), Arrays.stream(prompt.isEmpty() ? new int[0] : tokenizer.encode(prompt))).toArray();
            for (int i = 0; i < 50; i++) {
                TokenConstraint constraint = grammar.newConstraint(tokenizer, Vocabularies.ends(tokenizer), ids);
                StreamingDecoder decoder = tokenizer.continuationDecoder(ids);
                StringBuilder text = new StringBuilder();
                for (int id = -1; id != tokenizer.eosId(); ) {
                    int[] allowed = RandomTexts.ids(constraint.allowed());
                    boolean may = Arrays.stream(allowed).anyMatch(each -> each == tokenizer.eosId());
                    assertThat(may).isEqualTo(text.toString().matches(" ?[a-z]{1,3}( [a-z]{1,2})*"));
                    id = allowed[random.nextInt(allowed.length)];
                    constraint.accept(id);
                    text.append(decoder.accept(id));
                }
                assertThat(text + decoder.flush()).matches(" ?[a-z]{1,3}( [a-z]{1,2})*");
            }
        }
    }

    static Stream<Tokenizer> firsts() {
        String[] pieces = {"\u2581", "\u2581a", "a", "b", "ab", "\u2581\u2581a", "b\u2581a", "\u2581ab"};
        NormalizerSpec dropsAllSpaces = new NormalizerSpec("spaces", new byte[0], true, true, true);
        return Stream.of(Vocabularies.plain(true, pieces), Vocabularies.plain(false, pieces), Vocabularies.plain(dropsAllSpaces, pieces));
    }

    @Test
    void firstTokensAreChosenByWhatIsShown() {
        Tokenizer tokenizer = Vocabularies.plain(true, "\u2581a", "a", "\u2581");
        Grammar grammar = Grammar.regex("a");
        assertThat(pieces(tokenizer, grammar.newConstraint(tokenizer, Vocabularies.ends(tokenizer), new int[] {1}))).containsExactly("\u2581a", "a", "\u2581");
        assertThat(pieces(tokenizer, grammar.newConstraint(tokenizer, Vocabularies.ends(tokenizer), new int[] {1, 4}))).containsExactly("a");
        assertThat(pieces(tokenizer, grammar.newConstraint(tokenizer, Vocabularies.ends(tokenizer)))).containsExactly("a");
    }

    @Test
    void aCharacterThatThePromptBeganIsCompleted() {
        Tokenizer tokenizer = Vocabularies.DEMO;
        int[] prompt = {tokenizer.bosId(), tokenizer.id("<0xE4>").orElseThrow(), tokenizer.id("<0xB8>").orElseThrow()};
        TokenConstraint constraint = Grammar.regex("[一二]a").newConstraint(tokenizer, Vocabularies.ends(tokenizer), prompt);
        assertThat(pieces(tokenizer, constraint)).containsExactly("<0x80>");
        assertThatThrownBy(() -> Grammar.regex("a").newConstraint(tokenizer, Vocabularies.ends(tokenizer), prompt))
                .isInstanceOf(GrammarException.class).hasMessageContaining("the prompt ends within a character");
    }

    @Test
    void tokensThatAreNamed() {
        Tokenizer tokenizer = Vocabularies.plain(false, "a", "b", "ab", "<think>");
        int[] ends = Vocabularies.ends(tokenizer);
        TokenConstraint constraint = Grammar.gbnf("root ::= <[6]> (!<[3]>){2} <ab> | \"a\" <s>".replace("<ab>", "<think>")).newConstraint(tokenizer, ends);
        assertThat(pieces(tokenizer, constraint)).containsExactly("a", "<think>");
        constraint.accept(6);
        assertThat(pieces(tokenizer, constraint)).containsExactly("b", "ab", "<think>");
        constraint.accept(5);
        constraint.accept(6);
        assertThat(pieces(tokenizer, constraint)).containsExactly("<think>");
        constraint.accept(6);
        assertThat(pieces(tokenizer, constraint)).containsExactly("</s>");

        TokenConstraint control = Grammar.gbnf("root ::= \"a\" <s>").newConstraint(tokenizer, ends);
        control.accept(3);
        assertThat(pieces(tokenizer, control)).containsExactly("<s>");

    }

    @ParameterizedTest
    @CsvSource({"<nonsense>, <nonsense>", "<[99]>, token 99", "</s>, ends the text", "<unk>, unknown text"})
    void tokensThatCannotComeAreSaid(String token, String problem) {
        Tokenizer tokenizer = Vocabularies.plain(false, "a");
        assertThatThrownBy(() -> Grammar.gbnf("root ::= " + token).newConstraint(tokenizer, Vocabularies.ends(tokenizer)))
                .isInstanceOf(GrammarException.class).hasMessageContaining(problem);
    }

    @Test
    void aVocabularyThatLacksCharactersIsSaid() {
        Tokenizer tokenizer = Vocabularies.plain(false, "a", "b");
        int[] ends = Vocabularies.ends(tokenizer);
        TokenConstraint constraint = Grammar.regex("ac").newConstraint(tokenizer, ends);
        constraint.accept(3);
        assertThatThrownBy(constraint::allowed).isInstanceOf(GrammarException.class).hasMessageContaining("no token for what the grammar demands next: 'c'");
        assertThatThrownBy(() -> Grammar.regex("a").newConstraint(tokenizer, new int[0]))
                .isInstanceOf(GrammarException.class).hasMessageContaining("no token that ends a text");
    }

    @Test
    void whatMayNotComeIsNotAccepted() {
        Tokenizer tokenizer = Vocabularies.plain(false, "a", "b");
        TokenConstraint constraint = Grammar.regex("a").newConstraint(tokenizer, Vocabularies.ends(tokenizer));
        for (int id : new int[] {0, 1, 2, 4}) {
            assertThatThrownBy(() -> constraint.accept(id)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("token " + id);
        }
        constraint.accept(3);
        constraint.accept(2);
        // A guess behind the end may be looked at; the end comes again.
        assertThat(RandomTexts.ids(constraint.allowed())).containsExactly(2);
        assertThatThrownBy(() -> constraint.accept(3)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void manyThreadsShareAGrammar() {
        Grammar grammar = Grammar.jsonSchema(Schemas.ALL.get(0));
        Tokenizer tokenizer = Vocabularies.DEMO;
        List<String> alone = IntStream.range(0, 40).mapToObj(seed -> text(Grammar.jsonSchema(Schemas.ALL.get(0)), tokenizer, seed % 4)).toList();
        List<String> together = IntStream.range(0, 40).parallel().mapToObj(seed -> text(grammar, tokenizer, seed % 4)).toList();
        assertThat(together).isEqualTo(alone);
    }

    private static String text(Grammar grammar, Tokenizer tokenizer, int seed) {
        return RandomTexts.text(tokenizer, RandomTexts.ids(grammar, tokenizer, new Random(seed), 30));
    }
}
