package dev.yangtuo.llamacpp;

import dev.yangtuo.checkpoint.GgufBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** Vocabularies of several kinds as GGUF's metadata say them, learned from the text of the licence and some Chinese. */
public enum VocabularyKind {
    /** Byte-level BPE that cuts words as Qwen 2 does, with ChatML's control pieces and template. Ours knows it. */
    QWEN2 {
        @Override
        int put(GgufBuilder gguf) {
            return putChatMl(gguf, "qwen2");
        }
    },
    /** Byte-level BPE that cuts words as Mistral's Tekken does, which ours does not know. */
    TEKKEN {
        @Override
        int put(GgufBuilder gguf) {
            List<String> controls = List.of("<unk>", "<s>", "</s>", "[INST]", "[/INST]");
            List<String> pieces = new ArrayList<>(controls);
            pieces.addAll(BYTE_LEVEL.pieces);
            putPieces(gguf, "gpt2", pieces, controls)
                    .put("tokenizer.ggml.pre", "tekken")
                    .put("tokenizer.ggml.merges", BYTE_LEVEL.merges.toArray(String[]::new))
                    .put("tokenizer.ggml.unknown_token_id", 0)
                    .put("tokenizer.ggml.bos_token_id", 1)
                    .put("tokenizer.ggml.eos_token_id", 2)
                    .put("tokenizer.ggml.add_bos_token", true)
                    .put("tokenizer.chat_template", "{{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}[INST]{{ message.content }}[/INST]"
                            + "{% else %}{{ message.content }}{{ eos_token }}{% endif %}{% endfor %}");
            return pieces.size();
        }
    },
    /** The longest piece first, as RWKV's World vocabulary, whose pieces are written with escapes; ours does not know it. */
    RWKV {
        @Override
        int put(GgufBuilder gguf) {
            List<String> controls = List.of("<s>");
            List<String> pieces = new ArrayList<>(controls);
            for (int value = 0; value < 256; value++) {
                pieces.add(value > ' ' && value < 0x7F && value != '\\' ? String.valueOf((char) value) : "\\x%02x".formatted(value));
            }
            for (String piece : BYTE_LEVEL.pieces) {
                String text = new String(bytes(piece), StandardCharsets.UTF_8);
                if (text.length() > 1 && text.indexOf('\uFFFD') < 0) {
                    pieces.add(text.replace("\\", "\\\\").replace("\n", "\\n"));
                }
            }
            putPieces(gguf, "rwkv", pieces, controls)
                    .put("tokenizer.ggml.bos_token_id", 0)
                    .put("tokenizer.ggml.eos_token_id", 0)
                    .put("tokenizer.ggml.unknown_token_id", 0);
            return pieces.size();
        }
    },
    /** Whole words and their ends, as BERT's; lower case only, and whatever else is one piece. Ours does not know it. */
    WORD_PIECE {
        @Override
        int put(GgufBuilder gguf) {
            List<String> controls = List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[EOS]");
            Set<String> pieces = new LinkedHashSet<>(controls);
            for (char c = '!'; c < 0x7F; c++) {
                pieces.add("\u2581" + c);
                pieces.add(String.valueOf(c));
            }
            for (String piece : BYTE_LEVEL.pieces) {
                String text = new String(bytes(piece), StandardCharsets.UTF_8).toLowerCase(Locale.ROOT);
                if (text.strip().matches("[a-z]{2,}")) {
                    pieces.add(text.startsWith(" ") ? "\u2581" + text.strip() : text);
                }
            }
            putPieces(gguf, "bert", List.copyOf(pieces), controls)
                    .put("tokenizer.ggml.padding_token_id", 0)
                    .put("tokenizer.ggml.unknown_token_id", 1)
                    .put("tokenizer.ggml.bos_token_id", 2)
                    .put("tokenizer.ggml.seperator_token_id", 3) // GGUF's own spelling
                    .put("tokenizer.ggml.mask_token_id", 4)
                    .put("tokenizer.ggml.eos_token_id", 5);
            return pieces.size();
        }
    };

    private static final String CHATML = "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{% endfor %}"
            + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
    private static final String CHINESE = "羊驼是一种动物。羊驼在山上吃草。大语言模型把文字分成词元，再猜下一个词元。你好，世界！你好，羊驼！";
    private static final ByteLevel BYTE_LEVEL = ByteLevel.learn(600);

    /** Puts the vocabulary into the metadata, and returns its size. */
    abstract int put(GgufBuilder gguf);

    /** The byte-level vocabulary with another expression for words. */
    static int putChatMl(GgufBuilder gguf, String pre) {
        List<String> pieces = new ArrayList<>(BYTE_LEVEL.pieces);
        List<String> controls = List.of("<|endoftext|>", "<|im_start|>", "<|im_end|>");
        int first = pieces.size();
        pieces.addAll(controls);
        putPieces(gguf, "gpt2", pieces, controls)
                .put("tokenizer.ggml.pre", pre)
                .put("tokenizer.ggml.merges", BYTE_LEVEL.merges.toArray(String[]::new))
                .put("tokenizer.ggml.eos_token_id", first + 2)
                .put("tokenizer.ggml.padding_token_id", first)
                .put("tokenizer.ggml.add_bos_token", false)
                .put("tokenizer.chat_template", CHATML);
        return pieces.size();
    }

    private static GgufBuilder putPieces(GgufBuilder gguf, String kind, List<String> pieces, List<String> controls) {
        return gguf.put("tokenizer.ggml.model", kind)
                .put("tokenizer.ggml.tokens", pieces.toArray(String[]::new))
                .put("tokenizer.ggml.token_type", pieces.stream().mapToInt(piece -> piece.equals("<unk>") || piece.equals("[UNK]") ? 2
                        : controls.contains(piece) ? 3 : 1).toArray());
    }

    /** GPT-2's letter for each byte. */
    private static char letter(int value) {
        boolean visible = value >= '!' && value <= '~' || value >= 0xA1 && value <= 0xAC || value >= 0xAE;
        int hidden = value <= ' ' ? value : value < 0xA1 ? value - 0x7F + 33 : 67;
        return (char) (visible ? value : 256 + hidden);
    }

    private static String letters(String text) {
        StringBuilder letters = new StringBuilder();
        for (byte value : text.getBytes(StandardCharsets.UTF_8)) {
            letters.append(letter(value & 0xFF));
        }
        return letters.toString();
    }

    private static byte[] bytes(String letters) {
        Map<Character, Integer> values = new HashMap<>();
        for (int value = 0; value < 256; value++) {
            values.put(letter(value), value);
        }
        byte[] bytes = new byte[letters.length()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = values.get(letters.charAt(i)).byteValue();
        }
        return bytes;
    }

    /** @param pieces the 256 bytes in their order, then what the merges form */
    private record ByteLevel(List<String> pieces, List<String> merges) {
        private static final Pattern WORD = Pattern.compile(" ?\\p{L}+| ?[^\\s\\p{L}]+|\\s");

        /** Merges the most frequent pair of neighbours, again and again; of two that are as frequent the one that came first. */
        static ByteLevel learn(int count) {
            Map<String, Integer> frequencies = new LinkedHashMap<>();
            WORD.matcher(text()).results().map(MatchResult::group).forEach(word -> frequencies.merge(letters(word), 1, Integer::sum));
            Map<List<String>, Integer> words = new LinkedHashMap<>();
            frequencies.forEach((word, frequency) -> words.put(List.of(word.split("")), frequency));
            Set<String> pieces = new LinkedHashSet<>();
            for (int value = 0; value < 256; value++) {
                pieces.add(String.valueOf(letter(value)));
            }
            List<String> merges = new ArrayList<>();
            Map<List<String>, Integer> current = words;
            while (merges.size() < count) {
                List<String> best = mostFrequentPair(current);
                merges.add(String.join(" ", best));
                pieces.add(String.join("", best));
                Map<List<String>, Integer> merged = new LinkedHashMap<>();
                current.forEach((word, frequency) -> merged.put(merge(word, best), frequency));
                current = merged;
            }
            return new ByteLevel(List.copyOf(pieces), merges);
        }

        private static String text() {
            try {
                return Files.readString(Path.of("LICENSE")) + CHINESE;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static List<String> mostFrequentPair(Map<List<String>, Integer> words) {
            Map<List<String>, Integer> pairs = new LinkedHashMap<>();
            words.forEach((word, frequency) -> {
                for (int i = 0; i + 1 < word.size(); i++) {
                    pairs.merge(List.of(word.get(i), word.get(i + 1)), frequency, Integer::sum);
                }
            });
            List<String> best = List.of();
            int most = 0;
            for (Map.Entry<List<String>, Integer> pair : pairs.entrySet()) {
                if (pair.getValue() > most) {
                    most = pair.getValue();
                    best = pair.getKey();
                }
            }
            return best;
        }

        private static List<String> merge(List<String> word, List<String> pair) {
            List<String> merged = new ArrayList<>();
            for (int i = 0; i < word.size(); i++) {
                boolean here = i + 1 < word.size() && word.get(i).equals(pair.getFirst()) && word.get(i + 1).equals(pair.getLast());
                merged.add(here ? word.get(i) + word.get(++i) : word.get(i));
            }
            return merged;
        }
    }
}
