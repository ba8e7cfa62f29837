package dev.yangtuo.llamacpp;

import dev.yangtuo.Engine;
import dev.yangtuo.Llama;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.ModelFolders;
import dev.yangtuo.checkpoint.GgufBuilder;
import dev.yangtuo.tokenizer.*;
import java.nio.file.*;
import java.util.*;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenParityProbeTest {
    @TempDir Path folder;

    static final EncodeOptions PARSING = new EncodeOptions(false, false, false, true);

    void diff(String name, Path file) {
        Tokenizer ours = Llama.loadTokenizer(file, LoadOptions.defaults().engine(Engine.YANGTUO));
        try (LlamaCppTokenizer own = LlamaCppTokenizer.load(SharedLibrary.assumed(), file)) {
            Tokenizer theirs = own.tokenizer();
            List<String> texts = new ArrayList<>(LlamaCppTokenizerTest.NASTY);
            Random random = new Random(3);
            String alphabet = "aAbB  \n\t\r'12.,!é\u0301羊驼你好🦙\u00a0\u3000\u200d<>/s\0_\u2581ﬁ½각राक";
            int[] cps = alphabet.codePoints().toArray();
            for (int i = 0; i < 3000; i++) {
                StringBuilder b = new StringBuilder();
                int n = 1 + random.nextInt(12);
                for (int k = 0; k < n; k++) b.appendCodePoint(cps[random.nextInt(cps.length)]);
                texts.add(b.toString());
            }
            int bad = 0, badp = 0, badc = 0, badd = 0;
            for (String t : texts) {
                int[] a = ours.encode(t), b = theirs.encode(t);
                if (!Arrays.equals(a, b) && bad++ < 6) {
                    System.err.printf("TOK %s %s%n   ours %s %s%n   them %s %s%n", name, esc(t), Arrays.toString(a), ours.encodeAsPieces(t), Arrays.toString(b), Arrays.stream(b).mapToObj(theirs::piece).toList());
                }
                a = ours.encode(t, PARSING); b = own.encode(t, false, true);
                if (!Arrays.equals(a, b) && badp++ < 3) {
                    System.err.printf("TOKP %s %s%n   ours %s%n   them %s%n", name, esc(t), Arrays.toString(a), Arrays.toString(b));
                }
                if (!ours.decode(ours.encode(t)).equals(theirs.decode(ours.encode(t))) && badd++ < 3) {
                    System.err.printf("TOKD %s %s%n   ours %s%n   them %s%n", name, esc(t), esc(ours.decode(ours.encode(t))), esc(theirs.decode(ours.encode(t))));
                }
                if (!Arrays.equals(ours.encodeContinuation(t), theirs.encodeContinuation(t))) badc++;
            }
            System.err.printf("TOKSUM %s: %d texts, %d differ, %d with parsing, %d decoded, %d continuations%n", name, texts.size(), bad, badp, badd, badc);
        }
    }

    static String esc(String s) {
        StringBuilder b = new StringBuilder("\"");
        for (char c : s.toCharArray()) b.append(c < 32 || c > 0x7e && c < 0xa1 || Character.isSurrogate(c) ? "\\u%04x".formatted((int) c) : "" + c);
        return b.append('"').toString();
    }

    @Test
    void probe() throws Exception {
        Path base = folder.resolve("base.gguf");
        if (false) Llama.convert(ModelFolders.DEMO.resolve("base"), base, LoadOptions.defaults());
        ;
        if (false) Llama.convert(ModelFolders.DEMO.resolve("base"), base, LoadOptions.defaults().lora(ModelFolders.DEMO.resolve("chinese-lora")));
        ;
        for (PreTokenizerType type : PreTokenizerType.values()) {
            for (String pre : type.ggufNames()) {
                try {
                    diff(pre, SyntheticGguf.vocabulary(g -> VocabularyKind.putChatMl(g, pre)).write(folder.resolve("p.gguf")));
                } catch (RuntimeException e) {
                    System.err.println("TOKERR " + pre + " " + e.getMessage());
                }
            }
        }
        for (String name : List.of("unigram-rules","unigram-suffix","unigram-nfkc-cf")) {
            Path m = Path.of("src/test/resources/tokenizer/models/" + name + ".model");
            if (!Files.exists(m)) continue;
            SentencePieceModel model = SentencePieceModel.read(m);
            Vocabulary v = model.vocabulary();
            int n = v.size();
            String[] pieces = new String[n]; float[] scores = new float[n]; int[] types = new int[n];
            for (int i = 0; i < n; i++) { pieces[i] = v.piece(i); scores[i] = v.score(i); types[i] = v.type(i).number(); }
            GgufBuilder g = SyntheticGguf.vocabulary(x -> 0);
            g.put("tokenizer.ggml.model", "t5").put("tokenizer.ggml.tokens", pieces).put("tokenizer.ggml.scores", scores).put("tokenizer.ggml.token_type", types)
             .put("tokenizer.ggml.unknown_token_id", v.unkId()).put("tokenizer.ggml.add_space_prefix", model.normalizer().addDummyPrefix())
             .put("tokenizer.ggml.remove_extra_whitespaces", model.normalizer().removeExtraWhitespaces());
            byte[] cm = model.normalizer().precompiledCharsmap();
            if (cm.length > 0) g.array("tokenizer.ggml.precompiled_charsmap", 0, cm.length, cm);
            diff(name, g.write(folder.resolve("u.gguf")));
        }
    }
}
