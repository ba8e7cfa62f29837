package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.tokenizer.TokenStatistics;
import java.io.IOException;
import java.util.List;

/** Statistics for programs: one JSON object, which docs/formats.md describes. Keys are not renamed or removed. */
final class StatisticsJson {
    private StatisticsJson() {}

    /** The object, on one line without a line feed. */
    static String of(StatisticsReport report) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode object = mapper.createObjectNode();
        for (StatisticsReport.NamedTokenizer model : report.models()) {
            object.withArray("models").addObject()
                    .put("name", model.name())
                    .put("path", model.path().toString())
                    .put("vocab_size", model.tokenizer().vocabSize());
        }
        for (StatisticsReport.Section section : report.sections()) {
            ObjectNode file = object.withArray("files").addObject().put("file", section.text().argument());
            put(file, report.models(), section.byModel());
        }
        put(object.putObject("total"), report.models(), report.total());
        return mapper.writeValueAsString(object);
    }

    private static void put(ObjectNode object, List<StatisticsReport.NamedTokenizer> models, List<TokenStatistics> byModel) {
        TokenStatistics text = byModel.getFirst();
        object.put("lines", text.texts())
                .put("characters", text.characters())
                .put("bytes", text.bytes())
                .put("invalid_bytes", text.malformed());
        for (int i = 0; i < models.size(); i++) {
            TokenStatistics model = byModel.get(i);
            ObjectNode entry = object.withArray("by_model").addObject().put("name", models.get(i).name()).put("tokens", model.tokens());
            putRate(entry, "ratio_to_first", StatisticsReport.ratioToFirst(byModel, i));
            putRate(entry, "characters_per_token", model.charactersPerToken());
            putRate(entry, "bytes_per_token", model.bytesPerToken());
            entry.put("byte_tokens", model.byteTokens());
            putRate(entry, "byte_token_share", model.byteTokenShare());
            entry.put("unknown_tokens", model.unknownTokens());
        }
    }

    /** JSON has no number for a rate of nothing. */
    private static void putRate(ObjectNode object, String key, double rate) {
        if (Double.isFinite(rate)) {
            object.put(key, rate);
        } else {
            object.putNull(key);
        }
    }
}
