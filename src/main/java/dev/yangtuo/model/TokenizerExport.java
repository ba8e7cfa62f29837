package dev.yangtuo.model;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.SentencePieceModel;
import dev.yangtuo.tokenizer.SpecialTokens;
import dev.yangtuo.tokenizer.TokenizerModel;
import dev.yangtuo.tokenizer.Vocabulary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The files of a tokenizer in a Hugging Face directory: copies of those that it was read from, or, of a GGUF file's, new ones that encode and
 * decode as it does.
 *
 * @param files their bytes by their names
 */
record TokenizerExport(Map<String, byte[]> files) {
    static final String CONFIG_FILE = "tokenizer_config.json";

    /** What may stand beside a {@code tokenizer.model} and belongs to it. */
    private static final List<String> COMPANIONS = List.of(
            "added_tokens.json", CONFIG_FILE, "special_tokens_map.json", "tokenizer.json", ChatTemplate.FILE_NAME, "chat_template.json");
    private static final long MAX_FILE_BYTES = 64 << 20;

    /**
     * Makes the files for a model's tokenizer.
     *
     * @throws YangtuoException if it is a kind that has no file of SentencePiece
     */
    static TokenizerExport of(MergedModel model) {
        TokenizerModel tokenizer = model.tokenizer().model();
        if (!(tokenizer instanceof SentencePieceModel sentencePiece)) {
            throw new YangtuoException(("%s: its tokenizer is byte-level BPE, for which a Hugging Face directory needs a tokenizer.json, and that is"
                    + " not written; name an output that ends in .gguf, which keeps it").formatted(tokenizer.source()));
        }
        Map<String, byte[]> files = new LinkedHashMap<>();
        boolean isFile = isModelFile(tokenizer.source());
        if (isFile) {
            files.put(TokenizerFiles.FILE_NAME, read(tokenizer.source()));
            for (String name : COMPANIONS) {
                Path file = tokenizer.source().resolveSibling(name);
                if (Files.isRegularFile(file)) {
                    files.put(name, read(file));
                }
            }
        } else {
            files.put(TokenizerFiles.FILE_NAME, sentencePiece.toModelFile());
        }
        files.computeIfAbsent(CONFIG_FILE, _ -> HuggingFaceExport.json(config(sentencePiece, isFile ? null : chatTemplate(model))));
        return new TokenizerExport(files);
    }

    private static boolean isModelFile(Path source) {
        Path name = source.getFileName();
        return name != null && name.toString().equals(TokenizerFiles.FILE_NAME) && Files.isRegularFile(source);
    }

    private static @Nullable String chatTemplate(MergedModel model) {
        return model.source() instanceof GgufSource source ? ChatTemplate.of(source.gguf()).map(ChatTemplateSource::text).orElse(null) : null;
    }

    private static ObjectNode config(SentencePieceModel tokenizer, @Nullable String chatTemplate) {
        Vocabulary vocabulary = tokenizer.vocabulary();
        SpecialTokens special = tokenizer.special();
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("tokenizer_class", "LlamaTokenizer").put("add_bos_token", special.addBos()).put("add_eos_token", special.addEos());
        putPiece(json, "bos_token", vocabulary, special.bosId());
        putPiece(json, "eos_token", vocabulary, special.eosId());
        putPiece(json, "pad_token", vocabulary, special.padId());
        putPiece(json, "unk_token", vocabulary, vocabulary.unkId());
        // As SentencePiece itself does it, with its own rules for spaces.
        json.put("legacy", true).put("clean_up_tokenization_spaces", false);
        ObjectNode added = json.putObject("added_tokens_decoder");
        for (int id = 0; id < vocabulary.size(); id++) {
            PieceType type = vocabulary.type(id);
            if (vocabulary.piece(id).indexOf(' ') >= 0) {
                continue; // the file could not tell it from one with the symbol for a space
            }
            if (type == PieceType.CONTROL || type == PieceType.UNKNOWN || type == PieceType.USER_DEFINED) {
                added.putObject(String.valueOf(id))
                        .put("content", text(vocabulary, id))
                        .put("special", type != PieceType.USER_DEFINED)
                        .put("lstrip", false)
                        .put("rstrip", false)
                        .put("normalized", false)
                        .put("single_word", false);
            }
        }
        if (chatTemplate != null) {
            json.put(ChatTemplate.CONFIG_KEY, chatTemplate);
        }
        return json;
    }

    private static void putPiece(ObjectNode json, String key, Vocabulary vocabulary, int id) {
        if (id < 0) {
            json.putNull(key);
        } else {
            json.put(key, text(vocabulary, id));
        }
    }

    /** As it stands in a text. */
    private static String text(Vocabulary vocabulary, int id) {
        return vocabulary.piece(id).replace('\u2581', ' ');
    }

    private static byte[] read(Path file) {
        try {
            if (Files.size(file) > MAX_FILE_BYTES) {
                throw new TokenizerFormatException(file, "has %d bytes, more than the %d of any such file".formatted(Files.size(file), MAX_FILE_BYTES));
            }
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }
}
