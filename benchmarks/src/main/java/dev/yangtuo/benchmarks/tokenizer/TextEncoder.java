package dev.yangtuo.benchmarks.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import ai.djl.sentencepiece.SpTokenizer;
import com.github.tjake.jlama.model.llama.LlamaTokenizer;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.WeightType;
import dev.yangtuo.bench.SyntheticCache;
import dev.yangtuo.benchmarks.Checkout;
import dev.yangtuo.llamacpp.LlamaCppLibrary;
import dev.yangtuo.llamacpp.LlamaCppTokenizer;
import dev.yangtuo.model.SyntheticShape;
import dev.yangtuo.tokenizer.SentencePieceModel;
import dev.yangtuo.tokenizer.Tokenizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/** Text to ids, by us or by a peer. Thread-safe, as all of them allow it. */
sealed interface TextEncoder extends AutoCloseable {
    /** Texts that Hugging Face's cache holds at most. */
    int HUGGING_FACE_CACHE = 10_000;

    /** Of a model that has a vocabulary and nothing else to speak of. */
    SyntheticShape LEAST_SHAPE = SyntheticShape.of("dim=32,layers=1,heads=1,kv=1,ffn=32");

    /**
     * {@return an encoder}
     *
     * @param name {@code yangtuo}, {@code llama.cpp}, {@code jlama}, {@code djl-sentencepiece}, {@code djl-huggingface} or {@code djl-huggingface-ids}
     * @param model a SentencePiece model, of BPE for Hugging Face's
     */
    static TextEncoder open(String name, Path model) {
        return switch (name) {
            case "yangtuo" -> new Yangtuo(Tokenizer.load(model));
            case "llama.cpp" -> LlamaCpp.open(model);
            case "jlama" -> Jlama.open(model);
            case "djl-sentencepiece" -> DjlSentencePiece.open(model);
            case "djl-huggingface" -> new DjlHuggingFace(huggingFace(model));
            case "djl-huggingface-ids" -> {
                HuggingFaceTokenizer tokenizer = huggingFace(model);
                yield new DjlHuggingFaceIds(tokenizer, tokenizer.getHandle());
            }
            default -> throw new IllegalArgumentException(
                    "encoder %s: expected yangtuo, llama.cpp, jlama, djl-sentencepiece, djl-huggingface or djl-huggingface-ids".formatted(name));
        };
    }

    /** {@return the ids of a text, nothing added, in an array of the kind that the encoder itself makes: this is what is timed} */
    Object encode(String text);

    /** {@return the same as int[]} */
    int[] ids(String text);

    @Override
    void close();

    /**
     * This library.
     *
     * @param tokenizer ours
     */
    record Yangtuo(Tokenizer tokenizer) implements TextEncoder {
        @Override
        public Object encode(String text) {
            return tokenizer.encode(text);
        }

        @Override
        public int[] ids(String text) {
            return tokenizer.encode(text);
        }

        @Override
        public void close() {}
    }

    /**
     * llama.cpp's own, called by us.
     *
     * @param tokenizer its
     */
    record LlamaCpp(LlamaCppTokenizer tokenizer) implements TextEncoder {
        /** It reads GGUF files: the pieces are put into one, with few weights, which nobody looks at. */
        private static LlamaCpp open(Path model) {
            LlamaCppLibrary library = LlamaCppLibrary.load(null);
            try {
                Path directory = Files.createTempDirectory("vocabulary");
                Path file = directory.resolve("vocabulary.gguf");
                try {
                    SyntheticCache.write(LEAST_SHAPE, model, file, LoadOptions.defaults().quantize(WeightType.F16).settings());
                    return new LlamaCpp(LlamaCppTokenizer.load(library, file));
                } finally {
                    Files.deleteIfExists(file);
                    Files.delete(directory);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public Object encode(String text) {
            return ids(text);
        }

        @Override
        public int[] ids(String text) {
            return tokenizer.encode(text, false, false);
        }

        @Override
        public void close() {
            tokenizer.close();
        }
    }

    /**
     * Jlama's, of the same {@code tokenizer.json} as Hugging Face's.
     *
     * @param tokenizer its
     */
    record Jlama(LlamaTokenizer tokenizer) implements TextEncoder {
        private static Jlama open(Path model) {
            try {
                Path directory = Files.createTempDirectory("tokenizer");
                Path file = directory.resolve("tokenizer.json");
                try {
                    Files.write(file, HuggingFaceJson.of(SentencePieceModel.read(model)));
                    return new Jlama(new LlamaTokenizer(directory));
                } finally {
                    Files.deleteIfExists(file);
                    Files.delete(directory);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public Object encode(String text) {
            return tokenizer.encode(text);
        }

        @Override
        public int[] ids(String text) {
            return toInts(tokenizer.encode(text));
        }

        @Override
        public void close() {}
    }

    /**
     * SentencePiece itself, through JNI.
     *
     * @param tokenizer DJL's
     */
    record DjlSentencePiece(SpTokenizer tokenizer) implements TextEncoder {
        private static DjlSentencePiece open(Path model) {
            keepDjlToItself();
            try {
                return new DjlSentencePiece(new SpTokenizer(model));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public Object encode(String text) {
            return tokenizer.getProcessor().encode(text);
        }

        @Override
        public int[] ids(String text) {
            return tokenizer.getProcessor().encode(text);
        }

        @Override
        public void close() {
            tokenizer.close();
        }
    }

    /**
     * Hugging Face's tokenizers through JNI, called as DJL's users do. DJL brings offsets, masks and the text of each token into Java
     * together with the ids, which takes most of the time.
     *
     * @param tokenizer DJL's
     */
    record DjlHuggingFace(HuggingFaceTokenizer tokenizer) implements TextEncoder {
        @Override
        public Object encode(String text) {
            return tokenizer.encode(text, false, false).getIds();
        }

        @Override
        public int[] ids(String text) {
            return toInts(tokenizer.encode(text, false, false).getIds());
        }

        @Override
        public void close() {
            tokenizer.close();
        }
    }

    /**
     * Hugging Face's tokenizers through the same JNI library, but for the ids alone. It asks for DJL's inner functions, which a program
     * should not; it shows the tokenizer without DJL's part.
     *
     * @param tokenizer DJL's
     * @param handle its native tokenizer
     */
    record DjlHuggingFaceIds(HuggingFaceTokenizer tokenizer, long handle) implements TextEncoder {
        @Override
        public Object encode(String text) {
            return longIds(text);
        }

        @Override
        public int[] ids(String text) {
            return toInts(longIds(text));
        }

        private long[] longIds(String text) {
            long encoding = TokenizersLibrary.LIB.encode(handle, text, false);
            try {
                return TokenizersLibrary.LIB.getTokenIds(encoding);
            } finally {
                TokenizersLibrary.LIB.deleteEncoding(encoding);
            }
        }

        @Override
        public void close() {
            tokenizer.close();
        }
    }

    private static int[] toInts(long[] ids) {
        return Arrays.stream(ids).mapToInt(Math::toIntExact).toArray();
    }

    private static HuggingFaceTokenizer huggingFace(Path model) {
        keepDjlToItself();
        byte[] json = HuggingFaceJson.of(SentencePieceModel.read(model));
        try {
            HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json),
                    Map.of("addSpecialTokens", "false", "truncation", "false", "padding", "false"));
            fillCache(tokenizer);
            return tokenizer;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Its cache keeps the ids of whole texts, because a LLaMA tokenizer does not cut text into words first. A benchmark that encodes the
     * same lines again and again would find them all there, which a program with ever new texts never does. The cache takes nothing more
     * once it holds 10,000 texts, so it is filled with others.
     */
    private static void fillCache(HuggingFaceTokenizer tokenizer) {
        for (int i = 0; i < HUGGING_FACE_CACHE; i++) {
            tokenizer.encode("cached " + i, false, false);
        }
    }

    /**
     * To be called before DJL's classes are loaded: no network, no call home, and native libraries unpacked inside this checkout. The environment
     * variables of the same names go before these properties.
     */
    private static void keepDjlToItself() {
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        System.setProperty("DJL_CACHE_DIR", Checkout.target("djl").toString());
    }
}
