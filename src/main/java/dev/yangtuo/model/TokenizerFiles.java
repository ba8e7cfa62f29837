package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.tokenizer.SentencePieceModel;
import dev.yangtuo.tokenizer.Tokenizer;
import dev.yangtuo.tokenizer.TokenizerModel;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Finds the tokenizer that belongs to a model, an adapter or a file. */
public final class TokenizerFiles {
    static final String FILE_NAME = "tokenizer.model";
    private static final byte[] GGUF_MAGIC = "GGUF".getBytes(StandardCharsets.US_ASCII);

    /** Field 1, length-delimited: the first piece, with which every writer begins. */
    private static final byte[] SENTENCEPIECE_START = {0x0A};

    private TokenizerFiles() {}

    /**
     * The tokenizer of a {@code tokenizer.model} file, of a directory that holds one, or of a GGUF file. Of a directory, what the JSON
     * files beside it add counts, too ({@link AddedTokens}); a file is taken as it is.
     *
     * @throws TokenizerFormatException if there is none, or it is damaged or of a kind that is not supported
     * @throws dev.yangtuo.exception.CheckpointFormatException if a GGUF file is damaged
     */
    public static Tokenizer load(Path path) {
        return Tokenizer.of(model(path));
    }

    /** Whether the tokenizer of a file is of a kind that {@link #load} reads, or missing. False is said of GGUF files alone: llama.cpp may read it. */
    public static boolean knows(Path path) {
        if (!isGguf(path)) {
            return true;
        }
        try (GgufCheckpoint checkpoint = GgufCheckpoint.open(path)) {
            return GgufTokenizer.knows(checkpoint.metadata());
        }
    }

    /** The same without the tables that encoding needs; throws the same. */
    public static TokenizerModel model(Path path) {
        if (Files.isDirectory(path)) {
            return model(path, Integer.MAX_VALUE);
        }
        if (!isGguf(path)) {
            return readSentencePiece(path);
        }
        try (GgufCheckpoint checkpoint = GgufCheckpoint.open(path)) {
            return GgufTokenizer.read(checkpoint.path(), checkpoint.metadata());
        }
    }

    /**
     * The tokenizer of a directory that belongs to a vocabulary of so many rows. Tokens that its JSON files add beyond that are left out:
     * some published models name a padding token that their matrices have no row for.
     *
     * @throws TokenizerFormatException if there is none, or it is damaged or of a kind that is not supported
     */
    static Tokenizer load(Path directory, long rows) {
        return Tokenizer.of(model(directory, rows));
    }

    private static SentencePieceModel model(Path directory, long rows) {
        if (!isIn(directory)) {
            boolean fast = Files.exists(directory.resolve("tokenizer.json"));
            throw new TokenizerFormatException(directory, "%s is missing%s".formatted(
                    FILE_NAME, fast ? "; tokenizer.json, which is there, cannot be read, take the SentencePiece model of the same name" : ""));
        }
        return AddedTokens.extend(readSentencePiece(directory.resolve(FILE_NAME)), directory, rows);
    }

    /** Says of what is no SentencePiece model at all that it is none, instead of where it stops looking like one. */
    private static SentencePieceModel readSentencePiece(Path path) {
        try {
            return SentencePieceModel.read(path);
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
        return Tokenizer.of(GgufTokenizer.read(checkpoint.path(), checkpoint.metadata()));
    }
}
