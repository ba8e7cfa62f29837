package dev.yangtuo.grammar;

import dev.yangtuo.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Texts that a model without sense would write under a grammar: any of the tokens that may come, each as probable. */
final class RandomTexts {
    private RandomTexts() {}

    /** The ids of a mask. */
    static int[] ids(long[] mask) {
        return IntStream.range(0, mask.length * Long.SIZE).filter(id -> (mask[id / Long.SIZE] >>> id & 1) != 0).toArray();
    }

    /**
     * A whole text.
     *
     * @param tokens after which the text is completed on the shortest way, by the tokens of single bytes
     * @return the ids, without the end
     */
    static int[] ids(Grammar grammar, Tokenizer tokenizer, Random random, int tokens) {
        TokenConstraint constraint = grammar.newConstraint(tokenizer, Vocabularies.ends(tokenizer));
        List<Integer> ids = new ArrayList<>();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        while (ids.size() < tokens) {
            int[] allowed = ids(constraint.allowed());
            int id = allowed[random.nextInt(allowed.length)];
            constraint.accept(id);
            if (id == tokenizer.eosId()) {
                return ids.stream().mapToInt(Integer::intValue).toArray();
            }
            ids.add(id);
            bytes.writeBytes(tokenizer.bytes(id));
        }
        Automaton automaton = new Automaton(grammar.network());
        String rest = Matching.completion(automaton, Matching.behind(automaton, bytes.toByteArray()));
        for (byte each : rest.getBytes(StandardCharsets.ISO_8859_1)) {
            int id = tokenizer.id("<0x%02X>".formatted(each & 0xFF)).orElseThrow();
            constraint.accept(id);
            ids.add(id);
        }
        constraint.accept(tokenizer.eosId());
        return ids.stream().mapToInt(Integer::intValue).toArray();
    }

    static String text(Tokenizer tokenizer, int[] ids) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int id : ids) {
            bytes.writeBytes(tokenizer.bytes(id));
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
