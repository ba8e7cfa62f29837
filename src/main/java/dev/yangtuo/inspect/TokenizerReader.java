package dev.yangtuo.inspect;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.inspect.TokenizerFacts.Piece;
import dev.yangtuo.model.TokenizerFiles;
import dev.yangtuo.tokenizer.ByteLevelModel;
import dev.yangtuo.tokenizer.ForeignModel;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.SentencePieceModel;
import dev.yangtuo.tokenizer.SpecialTokens;
import dev.yangtuo.tokenizer.TokenizerModel;
import dev.yangtuo.tokenizer.Vocabulary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Finds the tokenizer of what is inspected, and describes as much of it as can be read. */
final class TokenizerReader {
    private static final String FILE_NAME = "tokenizer.model";
    private static final String FAST_FILE_NAME = "tokenizer.json";

    private static final String GGUF_KIND = "tokenizer.ggml.model";
    private static final String GGUF_PRE = "tokenizer.ggml.pre";
    private static final String GGUF_TOKENS = "tokenizer.ggml.tokens";
    private static final String GGUF_TYPES = "tokenizer.ggml.token_type";
    private static final String GGUF_PREFIX = "tokenizer.ggml.";
    private static final String GGUF_ID_SUFFIX = "_token_id";

    /**
     * What was found.
     *
     * @param facts null where there is nothing to describe
     * @param problem why it cannot be used, null if it can or if there is none
     */
    record Found(@Nullable TokenizerFacts facts, @Nullable String problem) {
        static final Found NOTHING = new Found(null, null);
    }

    private TokenizerReader() {}

    /** The tokenizer of a directory. */
    static Found ofDirectory(Path directory) {
        Path file = directory.resolve(FILE_NAME);
        if (!Files.isRegularFile(file)) {
            return ofFastFile(directory.resolve(FAST_FILE_NAME));
        }
        try {
            return new Found(facts(TokenizerFiles.model(directory), ownPieces(file), null), null);
        } catch (YangtuoException e) {
            return new Found(withoutAdded(file), e.getMessage());
        }
    }

    /** The tokenizer of a directory whose model can be loaded with it. */
    static TokenizerFacts ofModel(TokenizerModel model, Path directory) {
        Path file = directory.resolve(FILE_NAME);
        return facts(model, Files.isRegularFile(file) ? ownPieces(file) : model.vocabulary().size(), null);
    }

    private static int ownPieces(Path file) {
        return SentencePieceModel.read(file).vocabulary().size();
    }

    private static @Nullable TokenizerFacts withoutAdded(Path file) {
        try {
            SentencePieceModel model = SentencePieceModel.read(file);
            return facts(model, model.vocabulary().size(), null);
        } catch (YangtuoException e) {
            return null;
        }
    }

    private static Found ofFastFile(Path file) {
        if (!Files.isRegularFile(file)) {
            return Found.NOTHING;
        }
        try {
            return new Found(TokenizerJsonReader.read(file), file + ": cannot be read by this version; expected a " + FILE_NAME);
        } catch (JsonProcessingException e) {
            return new Found(null, "%s: not valid JSON: %s".formatted(file, e.getOriginalMessage()));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /**
     * The tokenizer of a {@code tokenizer.model} that is inspected itself.
     *
     * @throws dev.yangtuo.exception.TokenizerFormatException if it is damaged
     */
    static TokenizerFacts ofFile(Path file) {
        TokenizerModel model = TokenizerFiles.model(file);
        return facts(model, model.vocabulary().size(), null);
    }

    /**
     * The tokenizer in a GGUF file's metadata.
     *
     * @param model what the loader has read of it, null if that refused the file
     */
    static @Nullable TokenizerFacts ofGguf(Path file, GgufMetadata metadata, @Nullable TokenizerModel model) {
        if (model != null) {
            return facts(model, model.vocabulary().size(), metadata);
        }
        return metadata.contains(GGUF_KIND) || metadata.contains(GGUF_TOKENS) ? rawFacts(file, metadata) : null;
    }

    /** @param own pieces with ids below this are the tokenizer's own, the others are added */
    private static TokenizerFacts facts(TokenizerModel model, int own, @Nullable GgufMetadata metadata) {
        Vocabulary vocabulary = model.vocabulary();
        SequencedMap<PieceType, Integer> types = new TreeMap<>();
        List<Piece> added = new ArrayList<>();
        List<Piece> marks = new ArrayList<>();
        for (int id = 0; id < vocabulary.size(); id++) {
            PieceType type = vocabulary.type(id);
            types.merge(type, 1, Integer::sum);
            Piece piece = new Piece(id, vocabulary.piece(id), type);
            if (id >= own) {
                added.add(piece);
            }
            if (type == PieceType.CONTROL || type == PieceType.UNKNOWN || type == PieceType.USER_DEFINED) {
                marks.add(piece);
            }
        }
        SpecialTokens special = model.special();
        SequencedMap<String, Piece> roles = new LinkedHashMap<>();
        putRole(roles, "bos", special.bosId(), vocabulary);
        putRole(roles, "eos", special.eosId(), vocabulary);
        putRole(roles, "unk", vocabulary.unkId(), vocabulary);
        putRole(roles, "pad", special.padId(), vocabulary);
        if (metadata != null) {
            roleIds(metadata).forEach((role, id) -> putRole(roles, role, Math.toIntExact(id), vocabulary));
        }
        String kind = switch (model) {
            case SentencePieceModel sentencePiece -> "sentencepiece_" + sentencePiece.type().name().toLowerCase(Locale.ROOT);
            case ByteLevelModel bytes -> "byte_level_bpe";
            case ForeignModel foreign -> "other";
        };
        return new TokenizerFacts(kind, text(metadata, GGUF_KIND), text(metadata, GGUF_PRE), model.source(), vocabulary.size(), types, roles,
                special.addBos(), special.addEos(), added, marks);
    }

    private static void putRole(SequencedMap<String, Piece> roles, String role, int id, Vocabulary vocabulary) {
        if (id >= 0 && id < vocabulary.size()) {
            roles.putIfAbsent(role, new Piece(id, vocabulary.piece(id), vocabulary.type(id)));
        }
    }

    /** What a GGUF says of its tokenizer, understood or not; only the lengths of the arrays are known to be right. */
    private static TokenizerFacts rawFacts(Path file, GgufMetadata metadata) {
        String name = text(metadata, GGUF_KIND);
        String kind = switch (name) {
            case "llama" -> "sentencepiece_bpe";
            case "t5" -> "sentencepiece_unigram";
            case "gpt2" -> "byte_level_bpe";
            case null, default -> "other";
        };
        String[] tokens = metadata.contains(GGUF_TOKENS) ? metadata.strings(GGUF_TOKENS) : new String[0];
        int[] numbers = metadata.contains(GGUF_TYPES) && metadata.value(GGUF_TYPES) instanceof int[] array ? array : new int[0];
        SequencedMap<PieceType, Integer> types = new TreeMap<>();
        List<Piece> marks = new ArrayList<>();
        for (int id = 0; id < numbers.length; id++) {
            PieceType type = PieceType.ofNumber(numbers[id]).orElse(null);
            if (type != null) {
                types.merge(type, 1, Integer::sum);
            }
            if (type == PieceType.CONTROL || type == PieceType.UNKNOWN || type == PieceType.USER_DEFINED) {
                marks.add(new Piece(id, id < tokens.length ? tokens[id] : null, type));
            }
        }
        SequencedMap<String, Piece> roles = new LinkedHashMap<>();
        roleIds(metadata).forEach((role, id) -> roles.put(role, new Piece(id, id < tokens.length ? tokens[id.intValue()] : null,
                id < numbers.length ? PieceType.ofNumber(numbers[id.intValue()]).orElse(null) : null)));
        return new TokenizerFacts(kind, name, text(metadata, GGUF_PRE), file,
                metadata.contains(GGUF_TOKENS) ? tokens.length : null, types, roles, flag(metadata, "add_bos_token"),
                flag(metadata, "add_eos_token"), List.of(), marks);
    }

    /** Ids by role; GGUF spells some roles otherwise. */
    private static SequencedMap<String, Long> roleIds(GgufMetadata metadata) {
        SequencedMap<String, Long> ids = new LinkedHashMap<>();
        for (String key : metadata.keys()) {
            if (key.startsWith(GGUF_PREFIX) && key.endsWith(GGUF_ID_SUFFIX)
                    && key.length() > GGUF_PREFIX.length() + GGUF_ID_SUFFIX.length() && metadata.value(key) instanceof Long id && id >= 0) {
                String role = key.substring(GGUF_PREFIX.length(), key.length() - GGUF_ID_SUFFIX.length());
                ids.put(switch (role) {
                    case "unknown" -> "unk";
                    case "padding" -> "pad";
                    case "seperator", "separator" -> "sep";
                    default -> role;
                }, id);
            }
        }
        return ids;
    }

    private static @Nullable String text(@Nullable GgufMetadata metadata, String key) {
        return metadata != null && metadata.contains(key) && metadata.value(key) instanceof String text ? text : null;
    }

    private static @Nullable Boolean flag(GgufMetadata metadata, String name) {
        String key = GGUF_PREFIX + name;
        return metadata.contains(key) && metadata.value(key) instanceof Boolean flag ? flag : null;
    }
}
