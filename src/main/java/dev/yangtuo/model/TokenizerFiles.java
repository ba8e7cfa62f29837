package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.tokenizer.NormalizerSpec;
import dev.yangtuo.tokenizer.SentencePieceModel;
import dev.yangtuo.tokenizer.SpecialTokens;
import dev.yangtuo.tokenizer.Tokenizer;
import dev.yangtuo.tokenizer.Vocabulary;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Finds the tokenizer that belongs to a model, an adapter or a file. */
public final class TokenizerFiles {
    private static final String FILE_NAME = "tokenizer.model";
    private static final byte[] GGUF_MAGIC = "GGUF".getBytes(StandardCharsets.US_ASCII);

    /** Field 1, length-delimited: the first piece, with which every writer begins. */
    private static final byte[] SENTENCEPIECE_START = {0x0A};

    /** GGML's number of the type of control pieces. */
    private static final int GGUF_CONTROL = 3;

    private TokenizerFiles() {}

    /**
     * The tokenizer of a {@code tokenizer.model} file, of a directory that holds one, or of a GGUF file.
     *
     * @throws TokenizerFormatException if there is none, or it is damaged or of a kind that is not supported
     * @throws dev.yangtuo.exception.CheckpointFormatException if a GGUF file is damaged
     */
    public static Tokenizer load(Path path) {
        if (Files.isDirectory(path)) {
            if (!isIn(path)) {
                boolean fast = Files.exists(path.resolve("tokenizer.json"));
                throw new TokenizerFormatException(path, "%s is missing%s".formatted(
                        FILE_NAME, fast ? "; tokenizer.json, which is there, cannot be read, take the SentencePiece model of the same name" : ""));
            }
            return loadSentencePiece(path.resolve(FILE_NAME));
        }
        if (!isGguf(path)) {
            return loadSentencePiece(path);
        }
        try (GgufCheckpoint checkpoint = GgufCheckpoint.open(path)) {
            return of(checkpoint);
        }
    }

    /** Says of what is no SentencePiece model at all that it is none, instead of where it stops looking like one. */
    private static Tokenizer loadSentencePiece(Path path) {
        try {
            return Tokenizer.load(path);
        } catch (TokenizerFormatException e) {
            if (!Files.isRegularFile(path) || startsWith(path, SENTENCEPIECE_START)) {
                throw e;
            }
            throw new TokenizerFormatException(
                    path, "is no SentencePiece model; expected a %s, a directory that holds one, or a GGUF file".formatted(FILE_NAME), e);
        }
    }

    /** Whether a directory holds a {@code tokenizer.model}. */
    static boolean isIn(Path directory) {
        return Files.isRegularFile(directory.resolve(FILE_NAME));
    }

    private static boolean isGguf(Path file) {
        return Files.isRegularFile(file) && startsWith(file, GGUF_MAGIC);
    }

    private static boolean startsWith(Path file, byte[] start) {
        try (InputStream in = Files.newInputStream(file)) {
            return Arrays.equals(in.readNBytes(start.length), start);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /** The tokenizer in the metadata of a GGUF file. */
    static Tokenizer of(GgufCheckpoint checkpoint) {
        Path file = checkpoint.path();
        GgufMetadata metadata = checkpoint.metadata();
        String kind = metadata.string("tokenizer.ggml.model");
        if (!kind.equals("llama")) {
            throw new TokenizerFormatException(
                    file, "its tokenizer is '%s'; 'llama' (SentencePiece) can be read".formatted(kind));
        }
        List<String> pieces = List.of(metadata.strings("tokenizer.ggml.tokens"));
        int[] types = metadata.integers("tokenizer.ggml.token_type");
        Vocabulary vocabulary = Vocabulary.of(file, pieces, metadata.floats("tokenizer.ggml.scores"), types);
        SpecialTokens special = new SpecialTokens(
                metadata.integer("tokenizer.ggml.bos_token_id", controlPiece(pieces, types, "<s>")),
                metadata.integer("tokenizer.ggml.eos_token_id", controlPiece(pieces, types, "</s>")),
                metadata.integer("tokenizer.ggml.padding_token_id", -1),
                metadata.flag("tokenizer.ggml.add_bos_token", true),
                metadata.flag("tokenizer.ggml.add_eos_token", false));
        NormalizerSpec normalizer = NormalizerSpec.identity(metadata.flag("tokenizer.ggml.add_space_prefix", true));
        return Tokenizer.of(SentencePieceModel.bpe(file, vocabulary, normalizer, special));
    }

    /** The id of a control piece, for files that do not say which it is; -1 if there is none. */
    private static int controlPiece(List<String> pieces, int[] types, String piece) {
        int id = pieces.indexOf(piece);
        return id >= 0 && types[id] == GGUF_CONTROL ? id : -1;
    }
}
