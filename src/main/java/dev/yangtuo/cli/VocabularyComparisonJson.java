package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.bench.Samples;
import dev.yangtuo.cli.VocabularyComparison.ModelCost;
import dev.yangtuo.cli.VocabularyComparison.Subject;
import dev.yangtuo.tokenizer.TokenStatistics;

/** A comparison for programs: one JSON object, which docs/compare-vocabularies.md describes. Keys are not renamed or removed. */
final class VocabularyComparisonJson {
    private VocabularyComparisonJson() {}

    /** The object. */
    static ObjectNode of(VocabularyComparison comparison) {
        ObjectNode object = JsonResult.object();
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
        return object;
    }

    private static void put(ObjectNode object, VocabularyComparison comparison, Subject subject) {
        object.put("name", subject.name()).put("path", subject.path().toString());
        object.putArray("adapters");
        subject.adapters().forEach(adapter -> object.withArray("adapters").add(adapter.toString()));
        object.put("vocab_size", subject.vocabSize()).put("tokens", subject.statistics().tokens());
        object.set("tokens_per_1000_characters", JsonResult.number(subject.tokensPerUnit()));
        object.set("characters_per_token", JsonResult.number(subject.statistics().charactersPerToken()));
        object.set("byte_token_share", JsonResult.number(subject.statistics().byteTokenShare()));
        ModelCost costs = subject.costs();
        if (costs != null) {
            object.put("context", costs.context());
            object.set("characters_in_context", JsonResult.number(subject.charactersInContext()));
            object.put("kv_bytes_per_token", costs.kvBytesPerToken());
            object.set("kv_bytes_per_1000_characters", JsonResult.number(subject.kvBytes()));
            putTimes(object, "prefill", costs.readSeconds(), subject.readTokensPerSecond());
            if (costs.writeSeconds() != null) {
                putTimes(object, "generation", costs.writeSeconds(), subject.writeTokensPerSecond());
            }
        }
        ObjectNode ratios = object.putObject("ratio_to_first");
        ratios.set("tokens", JsonResult.number(comparison.ratioToFirst(subject, Subject::tokensPerUnit)));
        ratios.set("prefill", JsonResult.number(comparison.ratioToFirst(subject, Subject::readSeconds)));
        ratios.set("generation", JsonResult.number(comparison.ratioToFirst(subject, Subject::writeSeconds)));
        ratios.set("kv_bytes", JsonResult.number(comparison.ratioToFirst(subject, Subject::kvBytes)));
        ratios.set("characters_in_context", JsonResult.number(comparison.ratioToFirst(subject, Subject::charactersInContext)));
    }

    private static void putTimes(ObjectNode object, String name, Samples seconds, double tokensPerSecond) {
        ObjectNode times = object.putObject(name);
        times.put("seconds_per_1000_characters", seconds.median());
        times.put("tokens_per_second", tokensPerSecond);
        seconds.values().forEach(times.putArray("runs")::add);
    }
}
