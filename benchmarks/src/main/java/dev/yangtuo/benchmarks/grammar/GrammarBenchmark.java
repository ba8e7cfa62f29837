package dev.yangtuo.benchmarks.grammar;

import dev.yangtuo.benchmarks.Checkout;
import dev.yangtuo.grammar.Grammar;
import dev.yangtuo.grammar.TokenConstraint;
import dev.yangtuo.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** What a grammar costs for a token: to know what may come, and to go on. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class GrammarBenchmark {
    /** Tokens of a text; where one ends before, another follows. */
    static final int TOKENS = 128;

    private static final int TEXTS = 32;
    private static final String MADE = "made-";
    private static final long SEED = 20_261_128;

    private static final String SCHEMA = """
            {"type": "object", "properties": {"title": {"type": "string", "maxLength": 60},
              "lines": {"type": "array", "items": {"type": "string", "maxLength": 200}, "maxItems": 8},
              "year": {"type": "integer", "minimum": 618, "maximum": 907}, "kind": {"enum": ["诗", "词", "曲", "赋"]},
              "author": {"type": "object", "properties": {"name": {"type": "string"}, "born": {"type": "integer"}}, "required": ["name"]}},
             "required": ["title", "lines", "year", "kind"]}""";

    private static final String ARITHMETIC = """
            root ::= sum
            sum ::= product ([-+] product)*
            product ::= factor ([*/] factor)*
            factor ::= [0-9]{1,6} | name | "(" sum ")"
            name ::= [a-z]+
            """;

    /** Texts under a grammar, whose tokens were checked. */
    @State(Scope.Benchmark)
    public static class Prepared {
        /** {@code made-N}, a vocabulary of N pieces, or a SentencePiece model, by an absolute path or one relative to the repository. */
        @Param({"made-32000", "made-49953"})
        public String vocabulary;

        /** {@code json}: any; {@code schema}: a document; {@code regex}: a poem; {@code gbnf}: arithmetic. */
        @Param({"json", "schema", "regex", "gbnf"})
        public String grammar;

        private Tokenizer tokenizer;
        private int[] ends;
        private Supplier<Grammar> maker;
        private Grammar shared;
        private List<int[]> texts;

        /** Makes the texts, and checks each of their sets against trying each piece. */
        @Setup(Level.Trial)
        public void open() {
            boolean made = vocabulary.startsWith(MADE);
            tokenizer = made ? MadeVocabulary.of(Integer.parseInt(vocabulary.substring(MADE.length()))) : Tokenizer.load(Checkout.file(vocabulary));
            ends = new int[] {tokenizer.eosId()};
            maker = switch (grammar) {
                case "json" -> Grammar::json;
                case "schema" -> () -> Grammar.jsonSchema(SCHEMA);
                case "regex" -> () -> Grammar.regex("([一-鿿]{5}，[一-鿿]{5}。\n){1,40}");
                case "gbnf" -> () -> Grammar.gbnf(ARITHMETIC);
                default -> throw new IllegalArgumentException("grammar %s: expected json, schema, regex or gbnf".formatted(grammar));
            };
            shared = maker.get();
            SplittableRandom random = new SplittableRandom(SEED);
            texts = new ArrayList<>();
            while (texts.size() < TEXTS) {
                texts.add(text(random));
            }
            verify(texts.getFirst());
        }

        /** Any of the tokens that may come, but for the end as long as there is another. */
        private int[] text(SplittableRandom random) {
            TokenConstraint constraint = shared.newConstraint(tokenizer, ends);
            int[] ids = new int[TOKENS];
            for (int i = 0; i < TOKENS; i++) {
                ids[i] = pick(constraint.allowed(), random);
                constraint = next(constraint, ids[i], shared);
            }
            return ids;
        }

        /** The constraint behind a token: where a text ends, that of a new one. */
        private TokenConstraint next(TokenConstraint constraint, int id, Grammar by) {
            constraint.accept(id);
            return id == ends[0] ? by.newConstraint(tokenizer, ends) : constraint;
        }

        private int pick(long[] allowed, SplittableRandom random) {
            int count = 0;
            for (int id = 0; id < tokenizer.vocabSize(); id++) {
                count += isSet(allowed, id) && id != ends[0] ? 1 : 0;
            }
            int left = count == 0 ? 0 : random.nextInt(count);
            for (int id = 0; id < tokenizer.vocabSize() && count > 0; id++) {
                if (isSet(allowed, id) && id != ends[0] && left-- == 0) {
                    return id;
                }
            }
            return ends[0];
        }

        private static boolean isSet(long[] mask, int id) {
            return (mask[id / Long.SIZE] >>> id & 1) != 0;
        }

        /** @throws IllegalStateException if a set is not the one of trying each piece */
        void verify(int[] text) {
            for (int length : new int[] {0, 1, TOKENS / 2}) {
                TokenConstraint constraint = behind(text, length);
                for (int id = 0; id < tokenizer.vocabSize(); id += 7) {
                    if (isSet(constraint.allowed(), id) != accepts(behind(text, length), id)) {
                        throw new IllegalStateException("%s, %s: token %d behind %d tokens is in the set and refused, or the other way"
                                .formatted(vocabulary, grammar, id, length));
                    }
                }
            }
        }

        private TokenConstraint behind(int[] text, int length) {
            TokenConstraint constraint = shared.newConstraint(tokenizer, ends);
            for (int i = 0; i < length; i++) {
                constraint = next(constraint, text[i], shared);
            }
            return constraint;
        }

        private static boolean accepts(TokenConstraint constraint, int id) {
            try {
                constraint.accept(id);
                return true;
            } catch (IllegalArgumentException e) {
                return false;
            }
        }

        private void follow(Grammar by, int[] text, Blackhole blackhole) {
            TokenConstraint constraint = by.newConstraint(tokenizer, ends);
            for (int id : text) {
                blackhole.consume(constraint.allowed());
                constraint = next(constraint, id, by);
            }
        }
    }

    /** Which text is next. */
    @State(Scope.Thread)
    public static class Next {
        private int text;
    }

    /** A grammar that no text has followed. */
    @State(Scope.Thread)
    public static class New {
        private Grammar grammar;

        /** Makes it, which takes less than a millisecond and is not timed. */
        @Setup(Level.Invocation)
        public void make(Prepared prepared) {
            grammar = prepared.maker.get();
        }
    }

    /** A token of a text like those that came before. */
    @Benchmark
    @OperationsPerInvocation(TOKENS)
    public void token(Prepared prepared, Next next, Blackhole blackhole) {
        prepared.follow(prepared.shared, prepared.texts.get(next.text++ % TEXTS), blackhole);
    }

    /** A token of the first text under a grammar, in a warm JVM: most of what may come is not known. */
    @Benchmark
    @OperationsPerInvocation(TOKENS)
    public void tokenOfFirstText(Prepared prepared, New made, Next next, Blackhole blackhole) {
        prepared.follow(made.grammar, prepared.texts.get(next.text++ % TEXTS), blackhole);
    }
}
