package dev.yangtuo.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * BPE as a textbook writes it, on strings and in quadratic time: look at all adjacent pairs, merge the best, begin again. Proves the
 * fast encoder; shares nothing with it but the vocabulary.
 */
final class TextbookBpe {
    private final Vocabulary vocabulary;
    private final boolean byteFallback;
    private final Map<String, Integer> matchable = new HashMap<>();
    private final List<String> userDefined = new ArrayList<>();

    TextbookBpe(SentencePieceModel model) {
        vocabulary = model.vocabulary();
        byteFallback = model.byteFallback();
        for (int id = 0; id < vocabulary.size(); id++) {
            if (!vocabulary.type(id).isReserved()) {
                matchable.put(vocabulary.piece(id), id);
            }
            if (vocabulary.type(id) == PieceType.USER_DEFINED) {
                userDefined.add(vocabulary.piece(id));
            }
        }
    }

    private record Symbol(String text, boolean frozen) {}

    List<Integer> encode(String normalized) {
        List<Symbol> symbols = split(normalized);
        Map<String, String[]> halves = new HashMap<>();
        for (int i = 0; i + 1 < symbols.size(); i++) {
            joined(symbols, i, halves);
        }
        while (true) {
            int best = -1;
            float bestScore = 0;
            for (int i = 0; i + 1 < symbols.size(); i++) {
                Integer id = joined(symbols, i, null);
                if (id != null && (best < 0 || vocabulary.score(id) > bestScore)) {
                    best = i;
                    bestScore = vocabulary.score(id);
                }
            }
            if (best < 0) {
                break;
            }
            String merged = symbols.get(best).text() + symbols.get(best + 1).text();
            symbols.set(best, new Symbol(merged, false));
            symbols.remove(best + 1);
            joined(symbols, best - 1, halves);
            joined(symbols, best, halves);
        }
        List<Integer> ids = new ArrayList<>();
        boolean[] afterUnknown = {false};
        symbols.forEach(symbol -> emit(symbol.text(), halves, ids, afterUnknown));
        return ids;
    }

    private List<Symbol> split(String text) {
        List<Symbol> symbols = new ArrayList<>();
        for (int i = 0; i < text.length(); ) {
            String longest = "";
            for (String candidate : userDefined) {
                if (text.startsWith(candidate, i) && candidate.length() > longest.length()) {
                    longest = candidate;
                }
            }
            boolean frozen = !longest.isEmpty();
            String symbol = frozen ? longest : Character.toString(text.codePointAt(i));
            symbols.add(new Symbol(symbol, frozen));
            i += symbol.length();
        }
        return symbols;
    }

    private @Nullable Integer joined(List<Symbol> symbols, int left, @Nullable Map<String, String[]> halves) {
        if (left < 0 || left + 1 >= symbols.size() || symbols.get(left).frozen() || symbols.get(left + 1).frozen()) {
            return null;
        }
        String text = symbols.get(left).text() + symbols.get(left + 1).text();
        Integer id = matchable.get(text);
        if (id != null && halves != null && vocabulary.type(id) == PieceType.UNUSED) {
            halves.put(text, new String[] {symbols.get(left).text(), symbols.get(left + 1).text()});
        }
        return id;
    }

    private void emit(String text, Map<String, String[]> halves, List<Integer> ids, boolean[] afterUnknown) {
        Integer id = matchable.get(text);
        if (id != null && vocabulary.type(id) == PieceType.UNUSED && halves.containsKey(text)) {
            emit(halves.get(text)[0], halves, ids, afterUnknown);
            emit(halves.get(text)[1], halves, ids, afterUnknown);
        } else if (id != null) {
            ids.add(id);
            afterUnknown[0] = false;
        } else if (byteFallback) {
            for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
                ids.add(vocabulary.id("<0x%02X>".formatted(b & 0xFF)).orElseThrow());
            }
        } else if (!afterUnknown[0]) {
            ids.add(vocabulary.unkId());
            afterUnknown[0] = true;
        }
    }
}
