package dev.yangtuo.benchmarks.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.tokenizer.ModelType;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.SentencePieceModel;
import dev.yangtuo.tokenizer.Vocabulary;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The {@code tokenizer.json} of Hugging Face's tokenizers that Transformers makes of a LLaMA model's SentencePiece BPE model
 * ({@code LlamaConverter} with {@code legacy} set), as far as encoding needs it.
 *
 * <p>It is not quite the same tokenizer. SentencePiece merges two neighbours if their union is a piece, best score first; this one merges
 * by a list of pairs of pieces, which has to break the ties between pieces of equal score some way. The Chinese pieces that were merged into LLaMA's
 * vocabulary all have score 0, so Chinese text often gets other ids.
 */
public final class HuggingFaceJson {
    /** The first pieces are taken for unknown, begin and end of text, with score 0 whatever the model says. */
    private static final int FIRST_SCORED_ID = 3;

    private HuggingFaceJson() {}

    /** A pair of pieces that become one, its score, and the lengths in characters of the two. */
    private record Merge(String left, String right, float score, int leftLength, int rightLength) {}

    /**
     * {@return the file's bytes}
     *
     * @param model of BPE
     * @throws IllegalArgumentException if it is of another type
     */
    public static byte[] of(SentencePieceModel model) {
        if (model.type() != ModelType.BPE) {
            throw new IllegalArgumentException("%s is a %s model, djl-huggingface is prepared for BPE alone; choose other encoders with -p encoder="
                    .formatted(model.source(), model.type()));
        }
        Vocabulary vocabulary = model.vocabulary();
        ObjectNode root = JsonNodeFactory.instance.objectNode().put("version", "1.0");
        root.set("added_tokens", addedTokens(vocabulary));
        root.set("normalizer", normalizer(model));
        ObjectNode bpe = root.putObject("model")
                .put("type", "BPE")
                .put("unk_token", vocabulary.piece(vocabulary.unkId()))
                .put("fuse_unk", true)
                .put("byte_fallback", model.byteFallback());
        ObjectNode ids = bpe.putObject("vocab");
        for (int id = 0; id < vocabulary.size(); id++) {
            ids.put(vocabulary.piece(id), id);
        }
        ArrayNode merges = bpe.putArray("merges");
        for (Merge merge : merges(vocabulary)) {
            merges.addArray().add(merge.left).add(merge.right);
        }
        try {
            return new ObjectMapper().writeValueAsBytes(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static ArrayNode addedTokens(Vocabulary vocabulary) {
        ArrayNode tokens = JsonNodeFactory.instance.arrayNode();
        for (int id = 0; id < vocabulary.size(); id++) {
            PieceType type = vocabulary.type(id);
            if (type == PieceType.CONTROL || type == PieceType.USER_DEFINED) {
                tokens.addObject().put("id", id).put("content", vocabulary.piece(id)).put("special", type == PieceType.CONTROL)
                        .put("normalized", false).put("single_word", false).put("lstrip", false).put("rstrip", false);
            }
        }
        return tokens;
    }

    private static ObjectNode normalizer(SentencePieceModel model) {
        ObjectNode sequence = JsonNodeFactory.instance.objectNode().put("type", "Sequence");
        ArrayNode steps = sequence.putArray("normalizers");
        if (model.normalizer().addDummyPrefix()) {
            steps.addObject().put("type", "Prepend").put("prepend", "\u2581");
        }
        steps.addObject().put("type", "Replace").put("content", "\u2581").putObject("pattern").put("String", " ");
        return sequence;
    }

    /**
     * All ways to cut a piece into two pieces: of one piece by the ids of the two, of all the best score first, then the longest left piece, then the
     * longest right one. Sorting is stable, so that among equals the order of the pieces' ids stays.
     */
    private static List<Merge> merges(Vocabulary vocabulary) {
        Map<String, Integer> ids = HashMap.newHashMap(vocabulary.size());
        for (int id = 0; id < vocabulary.size(); id++) {
            ids.put(vocabulary.piece(id), id);
        }
        Comparator<Merge> byIds = Comparator.<Merge>comparingInt(merge -> ids.get(merge.left)).thenComparingInt(merge -> ids.get(merge.right));
        List<Merge> all = new ArrayList<>();
        for (int id = 0; id < vocabulary.size(); id++) {
            List<Merge> ofPiece = cuts(vocabulary.piece(id), id < FIRST_SCORED_ID ? 0 : vocabulary.score(id), ids);
            ofPiece.sort(byIds);
            all.addAll(ofPiece);
        }
        // A difference, not a sign: -0.0 must equal 0.0.
        all.sort(Comparator.<Merge>comparingDouble(merge -> 0.0 - merge.score)
                .thenComparingInt(merge -> -merge.leftLength)
                .thenComparingInt(merge -> -merge.rightLength));
        return all;
    }

    private static List<Merge> cuts(String piece, float score, Map<String, Integer> ids) {
        List<Merge> cuts = new ArrayList<>();
        int length = piece.codePointCount(0, piece.length());
        for (int i = 1; i < length; i++) {
            int end = piece.offsetByCodePoints(0, i);
            String left = piece.substring(0, end);
            String right = piece.substring(end);
            if (ids.containsKey(left) && ids.containsKey(right)) {
                cuts.add(new Merge(left, right, score, i, length - i));
            }
        }
        return cuts;
    }
}
