package dev.yangtuo.grammar;

import dev.yangtuo.exception.GrammarException;
import dev.yangtuo.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;

/**
 * What a text must look like: a grammar, a JSON schema or a regular expression. A model that generates under one chooses only among tokens after which the text can
 * still be completed, and ends it only where it is complete. A text that ends before, because its tokens or the context are used up or a stop text came, is the
 * beginning of one that follows the grammar.
 *
 * {@snippet :
 * Grammar grammar = Grammar.jsonSchema("""
 *         {"type": "object", "properties": {"title": {"type": "string", "maxLength": 20}, "lines": {"type": "integer", "minimum": 1}},
 *          "required": ["title", "lines"]}
 *         """);
 * String json = llama.generate("《静夜思》", GenerateOptions.defaults().grammar(grammar)).result().text();
 * }
 *
 * <p>Immutable, and thread-safe. What it has computed for a vocabulary is kept with it, in bounded memory, as long as it and the tokenizer are in use, and is
 * shared by all texts: use one instance for all texts of a kind. {@code docs/constrained-output.md} describes what is understood, and the limits.
 */
public final class Grammar {
    /** Sets of end tokens for one tokenizer; a model has one. */
    private static final int MAX_END_SETS = 8;

    private final Network network;
    /** For each tokenizer and its end tokens. Guarded by itself. */
    private final Map<Tokenizer, Map<List<Integer>, TokenMasks>> masks = new WeakHashMap<>();

    private Grammar(Rules rules) {
        network = NetworkBuilder.build(rules);
    }

    /**
     * A grammar in GBNF, llama.cpp's notation.
     *
     * @param text its rules; {@code root} is where a text begins
     * @throws GrammarException if it is not understood, with line and column; if a rule begins with itself (left recursion) or no text can follow it; or if it is
     *     larger than what is supported
     */
    public static Grammar gbnf(String text) {
        return new Grammar(GbnfParser.parse(text));
    }

    /**
     * JSON that is valid under a schema (JSON Schema, draft 2020-12, and what older drafts have in common with it). Properties come in the schema's order. Objects
     * get properties beyond those only where {@code additionalProperties} asks for them.
     *
     * @param schema JSON
     * @throws GrammarException if it is not JSON or no schema, or has a keyword that cannot be followed; the message names the keyword and where it stands
     */
    public static Grammar jsonSchema(String schema) {
        return new Grammar(SchemaReader.read(schema));
    }

    /** Any JSON value: an object, array, string, number, {@code true}, {@code false} or {@code null}. */
    public static Grammar json() {
        return jsonSchema("true");
    }

    /**
     * Texts that a regular expression matches as a whole.
     *
     * @param pattern literals, classes, {@code . \d \w \s \p{..}}, groups, alternatives, and the quantifiers <code>* + ? {m} {m,} {m,n}</code>
     * @throws GrammarException if it is not understood or not supported (lookaround, backreferences, flags, possessive quantifiers), with the column
     */
    public static Grammar regex(String pattern) {
        return new Grammar(Rules.of(RegexParser.parseWhole("the regular expression", pattern)));
    }

    /**
     * Begins a text that goes on where other text has ended. For samplers of this library: the type of the result is not exported.
     *
     * @param endIds tokens that end a text; at least one in the vocabulary
     * @return for one text, and one thread at a time
     * @throws GrammarException if the grammar names tokens that the vocabulary does not have, or no token ends a text
     */
    public TokenConstraint newConstraint(Tokenizer tokenizer, int[] endIds) {
        return GrammarConstraint.within(masks(tokenizer, endIds), tokenizer);
    }

    /**
     * Begins a text that continues a prompt. Where the prompt has no text, the space that the first token begins with does not count, as it is not shown either.
     * For samplers of this library: the type of the result is not exported.
     *
     * @param endIds tokens that end a text; at least one in the vocabulary
     * @param prompt its tokens, which the grammar does not concern
     * @return for one text, and one thread at a time
     * @throws GrammarException if the grammar names tokens that the vocabulary does not have, no token ends a text, or the prompt ends within a character that the
     *     grammar does not let a text begin with
     */
    public TokenConstraint newConstraint(Tokenizer tokenizer, int[] endIds, int[] prompt) {
        return GrammarConstraint.behind(masks(tokenizer, endIds), tokenizer, tokenizer.continuationDecoder(prompt));
    }

    /** What it has become. */
    Network network() {
        return network;
    }

    private TokenMasks masks(Tokenizer tokenizer, int[] endIds) {
        List<Integer> ends = Arrays.stream(endIds).sorted().distinct().boxed().toList();
        synchronized (masks) {
            Map<List<Integer>, TokenMasks> ofTokenizer = masks.computeIfAbsent(tokenizer, _ -> new HashMap<>());
            if (ofTokenizer.size() == MAX_END_SETS && !ofTokenizer.containsKey(ends)) {
                ofTokenizer.clear();
            }
            return ofTokenizer.computeIfAbsent(ends, _ -> new TokenMasks(network, tokenizer, endIds));
        }
    }
}
