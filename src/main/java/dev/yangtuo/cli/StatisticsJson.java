package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.tokenizer.TokenStatistics;
import java.util.List;

/** Statistics for programs: one JSON object, which docs/formats.md describes. Keys are not renamed or removed. */
final class StatisticsJson {
    private StatisticsJson() {}

    static ObjectNode of(StatisticsReport report) {
        ObjectNode object = JsonResult.object();
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
        return object;
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
            entry.set("ratio_to_first", JsonResult.number(StatisticsReport.ratioToFirst(byModel, i)));
            entry.set("characters_per_token", JsonResult.number(model.charactersPerToken()));
            entry.set("bytes_per_token", JsonResult.number(model.bytesPerToken()));
            entry.put("byte_tokens", model.byteTokens());
            entry.set("byte_token_share", JsonResult.number(model.byteTokenShare()));
            entry.put("unknown_tokens", model.unknownTokens());
        }
    }
}
