package dev.yangtuo.eval;

import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Generation;
import dev.yangtuo.Llama;
import dev.yangtuo.Score;
import dev.yangtuo.tokenizer.EncodeOptions;
import dev.yangtuo.tokenizer.Tokenizer;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/** A loaded model that is asked. */
final class LlamaModel implements LanguageModel {
    /** What C-Eval's prompts have before an answer's letter. */
    private static final String COLON = "：";

    private static final GenerateOptions GREEDY = GenerateOptions.defaults().greedy();

    private final Llama llama;
    private final Tokenizer tokenizer;

    LlamaModel(Llama llama) {
        this.llama = llama;
        this.tokenizer = llama.tokenizer();
    }

    @Override
    public int contextLength() {
        return llama.contextLength();
    }

    @Override
    public int countTokens(String prompt) {
        return ids(prompt).length;
    }

    private int[] ids(String prompt) {
        return tokenizer.encode(prompt, EncodeOptions.PLAIN.withBos(tokenizer.bosId() >= 0));
    }

    @Override
    public double[] scoreNext(String prompt, List<String> words) {
        List<int[]> pieces = words.stream().map(this::pieces).toList();
        int[] distinct = pieces.stream().flatMapToInt(IntStream::of).distinct().toArray();
        List<Score> scores = llama.score(ids(prompt), IntStream.of(distinct).mapToObj(id -> new int[] {id}).toList());
        return pieces.stream().mapToDouble(of -> of(of[0], distinct, scores) + of(of[1], distinct, scores)).toArray();
    }

    /** The word's first piece where it begins a text, and its last where it follows a colon. */
    private int[] pieces(String word) {
        int[] behindColon = tokenizer.encode(COLON + word);
        return new int[] {tokenizer.encode(word)[0], behindColon[behindColon.length - 1]};
    }

    private static double of(int id, int[] ids, List<Score> scores) {
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] == id) {
                return scores.get(i).sum();
            }
        }
        throw new IllegalArgumentException("token id %d was not scored".formatted(id));
    }

    @Override
    public List<Score> score(String prompt, List<String> continuations) {
        return llama.score(prompt, continuations);
    }

    @Override
    public String generate(String prompt, int maxTokens, Predicate<String> enough) {
        StringBuilder text = new StringBuilder();
        try (Generation generation = llama.generate(prompt, GREEDY.maxTokens(maxTokens))) {
            for (String piece : generation) {
                text.append(piece);
                if (enough.test(text.toString())) {
                    break;
                }
            }
        }
        return text.toString();
    }
}
