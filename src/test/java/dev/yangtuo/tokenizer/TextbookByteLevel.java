package dev.yangtuo.tokenizer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Byte-level BPE as it is told: words by the expressions, then the most urgent merge again and again, on strings. For short texts. */
final class TextbookByteLevel {
    private final Map<String, Integer> ids = new HashMap<>();
    private final Map<String, Integer> ranks = new HashMap<>();
    private final Map<String, Integer> userDefined = new HashMap<>();
    private final TextbookPreTokenizer preTokenizer;
    private final boolean wholePieces;

    TextbookByteLevel(ByteLevelModel model, List<String> merges) {
        for (int id = 0; id < model.vocabulary().size(); id++) {
            switch (model.vocabulary().type(id)) {
                case NORMAL -> ids.put(model.vocabulary().piece(id), id);
                case USER_DEFINED -> userDefined.put(model.vocabulary().piece(id), id);
                default -> { }
            }
        }
        for (int rank = 0; rank < merges.size(); rank++) {
            ranks.putIfAbsent(merges.get(rank), rank);
        }
        preTokenizer = new TextbookPreTokenizer(model.preTokenizer());
        wholePieces = model.preTokenizer().takesWholePieces();
    }

    List<Integer> encode(String text) {
        List<Integer> result = new ArrayList<>();
        int from = 0;
        for (int at = 0; at < text.length(); ) {
            String longest = "";
            for (String piece : userDefined.keySet()) {
                longest = piece.length() > longest.length() && text.startsWith(piece, at) ? piece : longest;
            }
            if (longest.isEmpty()) {
                at++;
                continue;
            }
            encodeWords(text.substring(from, at), result);
            result.add(userDefined.get(longest));
            at += longest.length();
            from = at;
        }
        encodeWords(text.substring(from), result);
        return result;
    }

    private void encodeWords(String text, List<Integer> result) {
        if (text.isEmpty()) {
            return;
        }
        for (String word : preTokenizer.words(text)) {
            String spelled = ByteLevelModels.spelled(word);
            if (wholePieces && ids.containsKey(spelled)) {
                result.add(ids.get(spelled));
            } else {
                encodeWord(spelled, result);
            }
        }
    }

    private void encodeWord(String spelled, List<Integer> result) {
        List<String> symbols = new ArrayList<>(List.of(spelled.split("")));
        while (true) {
            int best = -1;
            int bestRank = Integer.MAX_VALUE;
            for (int i = 0; i + 1 < symbols.size(); i++) {
                int rank = ranks.getOrDefault(symbols.get(i) + " " + symbols.get(i + 1), Integer.MAX_VALUE);
                if (rank < bestRank) {
                    best = i;
                    bestRank = rank;
                }
            }
            if (best < 0) {
                break;
            }
            symbols.set(best, symbols.get(best) + symbols.remove(best + 1));
        }
        for (String symbol : symbols) {
            if (ids.containsKey(symbol)) {
                result.add(ids.get(symbol));
            }
        }
    }
}
