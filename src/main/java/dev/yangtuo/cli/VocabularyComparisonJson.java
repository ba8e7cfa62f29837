package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.bench.Samples;
import dev.yangtuo.cli.VocabularyComparison.ModelCost;
import dev.yangtuo.cli.VocabularyComparison.Subject;
import dev.yangtuo.tokenizer.TokenStatistics;
import java.io.IOException;

/** A comparison for programs: one JSON object, which docs/compare-vocabularies.md describes. Keys are not renamed or removed. */
final class VocabularyComparisonJson {
    private VocabularyComparisonJson() {}

    /** The object and a line feed. */
    static String of(VocabularyComparison comparison) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode object = mapper.createObjectNode();
        TokenStatistics text = comparison.subjects().getFirst().statistics();
        object.put("text", comparison.text())
                .put("characters", text.characters())
                .put("bytes", text.bytes())
                .put("invalid_bytes", text.malformed())
                .put("timed_characters", comparison.timedCharacters())
                .put("repeats", comparison.repeats())
                .put("interrupted", comparison.interrupted());
        for (Subject subject : comparison.subjects()) {
            put(object.withArray("models").addObject(), comparison, subject);
        }
        return mapper.writeValueAsString(object) + "\n";
    }

    private static void put(ObjectNode object, VocabularyComparison comparison, Subject subject) {
        object.put("name", subject.name()).put("path", subject.path().toString());
        object.putArray("adapters");
        subject.adapters().forEach(adapter -> object.withArray("adapters").add(adapter.toString()));
        object.put("vocab_size", subject.vocabSize()).put("tokens", subject.statistics().tokens());
        putNumber(object, "tokens_per_1000_characters", subject.tokensPerUnit());
        putNumber(object, "characters_per_token", subject.statistics().charactersPerToken());
        putNumber(object, "byte_token_share", subject.statistics().byteTokenShare());
        ModelCost costs = subject.costs();
        if (costs != null) {
            object.put("context", costs.context());
            putNumber(object, "characters_in_context", subject.charactersInContext());
            object.put("kv_bytes_per_token", costs.kvBytesPerToken());
            putNumber(object, "kv_bytes_per_1000_characters", subject.kvBytes());
            putTimes(object, "prefill", costs.readSeconds(), subject.readTokensPerSecond());
            if (costs.writeSeconds() != null) {
                putTimes(object, "generation", costs.writeSeconds(), subject.writeTokensPerSecond());
            }
        }
        ObjectNode ratios = object.putObject("ratio_to_first");
        putNumber(ratios, "tokens", comparison.ratioToFirst(subject, Subject::tokensPerUnit));
        putNumber(ratios, "prefill", comparison.ratioToFirst(subject, Subject::readSeconds));
        putNumber(ratios, "generation", comparison.ratioToFirst(subject, Subject::writeSeconds));
        putNumber(ratios, "kv_bytes", comparison.ratioToFirst(subject, Subject::kvBytes));
        putNumber(ratios, "characters_in_context", comparison.ratioToFirst(subject, Subject::charactersInContext));
    }

    private static void putTimes(ObjectNode object, String name, Samples seconds, double tokensPerSecond) {
        ObjectNode times = object.putObject(name);
        times.put("seconds_per_1000_characters", seconds.median());
        times.put("tokens_per_second", tokensPerSecond);
        seconds.values().forEach(times.putArray("runs")::add);
    }

    /** JSON has no number for what there is not. */
    private static void putNumber(ObjectNode object, String key, double value) {
        if (Double.isFinite(value)) {
            object.put(key, value);
        } else {
            object.putNull(key);
        }
    }
}
