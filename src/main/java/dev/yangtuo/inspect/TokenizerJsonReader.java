package dev.yangtuo.inspect;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import dev.yangtuo.inspect.TokenizerFacts.Piece;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.Vocabulary;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Counts what is in a {@code tokenizer.json}, which cannot be used, in one pass that keeps only the added tokens. */
final class TokenizerJsonReader {
    private static final int MAX_DEPTH = 64;
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
            .build();

    private final Path file;
    private final List<Piece> added = new ArrayList<>();
    private @Nullable String type;
    private int pieces;

    private TokenizerJsonReader(Path file) {
        this.file = file;
    }

    /**
     * Reads a file.
     *
     * @throws IOException if it is not JSON or cannot be read
     */
    static TokenizerFacts read(Path file) throws IOException {
        return new TokenizerJsonReader(file).read();
    }

    private TokenizerFacts read() throws IOException {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16); JsonParser json = FACTORY.createParser(in)) {
            if (json.nextToken() == JsonToken.START_OBJECT) {
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    String key = json.currentName();
                    JsonToken value = json.nextToken();
                    if (key.equals("model") && value == JsonToken.START_OBJECT) {
                        readModel(json);
                    } else if (key.equals("added_tokens") && value == JsonToken.START_ARRAY) {
                        readAdded(json);
                    } else {
                        json.skipChildren();
                    }
                }
            }
        }
        int own = pieces;
        long beyond = added.stream().filter(piece -> piece.id() >= own).count();
        return new TokenizerFacts("other", type, null, file, (int) (own + beyond), new LinkedHashMap<>(), new LinkedHashMap<>(), null, null,
                added, List.of());
    }

    private void readModel(JsonParser json) throws IOException {
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String key = json.currentName();
            JsonToken value = json.nextToken();
            if (key.equals("type") && value == JsonToken.VALUE_STRING) {
                type = json.getText();
            } else if (key.equals("vocab") && value.isStructStart()) {
                countVocabulary(json);
            } else {
                json.skipChildren();
            }
        }
    }

    /** An object of pieces and ids, or a list of pairs of piece and score. */
    private void countVocabulary(JsonParser json) throws IOException {
        for (JsonToken token = json.nextToken(); token != null && !token.isStructEnd(); token = json.nextToken()) {
            if (token != JsonToken.FIELD_NAME) {
                json.skipChildren();
                pieces++;
            }
        }
    }

    private void readAdded(JsonParser json) throws IOException {
        while (json.nextToken() == JsonToken.START_OBJECT) {
            long id = -1;
            String content = null;
            boolean special = false;
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String key = json.currentName();
                JsonToken value = json.nextToken();
                switch (key) {
                    case "id" -> id = value == JsonToken.VALUE_NUMBER_INT ? json.getLongValue() : -1;
                    case "content" -> content = value == JsonToken.VALUE_STRING ? json.getText() : null;
                    case "special" -> special = value == JsonToken.VALUE_TRUE;
                    default -> json.skipChildren();
                }
            }
            if (added.size() < Vocabulary.MAX_PIECES) {
                added.add(new Piece(id, content, special ? PieceType.CONTROL : PieceType.USER_DEFINED));
            }
        }
    }
}
