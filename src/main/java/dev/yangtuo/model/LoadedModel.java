package dev.yangtuo.model;

import dev.yangtuo.lora.MergeReport;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What loading gives.
 *
 * @param path the base model
 * @param baseVocabSize vocabulary of the base model, before adapters
 * @param model owned by whoever gets this record
 * @param tokenizer the last adapter's that has one, else the model's
 * @param generation what the last adapter that says so recommends, else the model
 * @param chatTemplate what belongs to the tokenizer; null where there is none
 * @param merge what the adapters changed
 * @param weightTypes types of the matrices, the most frequent first
 * @param cache what a cache of packed weights did
 * @param time how long it took
 */
public record LoadedModel(
        Path path,
        int baseVocabSize,
        Model model,
        Tokenizer tokenizer,
        GenerationConfig generation,
        @Nullable ChatTemplateSource chatTemplate,
        MergeReport merge,
        List<String> weightTypes,
        CacheUse cache,
        Duration time) {}
