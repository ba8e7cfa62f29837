package dev.yangtuo.model;

import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.lora.MergeReport;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What llama.cpp is given to compute a model with its adapters, and what must be known of both beside. llama.cpp ends the process on some damaged files: these
 * have passed the checks that prevent it ({@link LlamaCppCheck}), as they were then.
 *
 * @param path the model that was asked for
 * @param file the GGUF file that llama.cpp loads (of a split model the first): the model itself, or a file of the cache
 * @param adapters GGUF adapters that llama.cpp applies itself, all at once; what is not among them is merged into {@code file}
 * @param architecture {@code general.architecture} of {@code file}
 * @param rope what takes the place of what {@code file} says about RoPE; nothing where {@code file} says it already
 * @param tokenizer the last adapter's that has one, else the model's
 * @param generation what the last adapter that says so recommends, else the model
 * @param chatTemplate what belongs to the tokenizer; null where there is none
 * @param baseVocabSize vocabulary of the model, before adapters
 * @param merge what the adapters change
 * @param weightTypes types of the matrices of {@code file}, the most frequent first
 * @param cache what the cache did for {@code file}; {@link CacheUse#NONE} if it is the model itself
 * @param eosIds ids that end a text by whatever says so; the tokenizer's first
 * @param layers transformer layers
 * @param dim width of the residual stream
 * @param contextLength positions that the model was trained for
 * @param reach positions that texts may have: as trained, or as RoPE is scaled for, as far as that is known
 */
public record LlamaCppFiles(
        Path path,
        Path file,
        List<LoraFile> adapters,
        String architecture,
        RopeOverride rope,
        Tokenizer tokenizer,
        GenerationConfig generation,
        @Nullable ChatTemplateSource chatTemplate,
        int baseVocabSize,
        MergeReport merge,
        List<String> weightTypes,
        CacheUse cache,
        List<Integer> eosIds,
        int layers,
        int dim,
        int contextLength,
        int reach) {

    /**
     * An adapter that llama.cpp applies.
     *
     * @param file a GGUF adapter
     * @param scale what its deltas are multiplied with beside their own scale
     */
    public record LoraFile(Path file, double scale) {}

    /** The tokenizer of a GGUF file that ours cannot read. */
    @FunctionalInterface
    public interface OtherTokenizer {
        /**
         * Makes it.
         *
         * @param file a file that has passed all checks
         * @param reason why ours cannot
         * @return never null
         * @throws TokenizerFormatException if it cannot either
         */
        Tokenizer of(Path file, TokenizerFormatException reason);
    }

    /** Copies the lists. */
    public LlamaCppFiles {
        adapters = List.copyOf(adapters);
        weightTypes = List.copyOf(weightTypes);
        eosIds = List.copyOf(eosIds);
    }

    /**
     * Finds or makes the files. What has to be converted or merged is written into the cache, which may take minutes; the settings' listener is told.
     *
     * @param path a model of any kind that can be read, or a GGUF file of any architecture
     * @param other what reads the tokenizers of GGUF files that ours cannot; null: nothing does
     * @throws dev.yangtuo.exception.CheckpointFormatException if the model is damaged, incomplete, or of a kind that cannot be given to llama.cpp
     * @throws dev.yangtuo.exception.AdapterException if an adapter is, or does not fit the model
     * @throws TokenizerFormatException if there is no tokenizer, or nothing can read it
     * @throws dev.yangtuo.exception.YangtuoException if the cache is needed and there is no place for it
     */
    public static LlamaCppFiles prepare(Path path, LoadSettings settings, @Nullable OtherTokenizer other) {
        return new LlamaCppPreparation(path, settings, other).prepare();
    }
}
