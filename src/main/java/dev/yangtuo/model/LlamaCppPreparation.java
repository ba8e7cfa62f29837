package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.checkpoint.UnreadableTensor;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.lora.MergeReport;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Decides what llama.cpp is given for one load. */
final class LlamaCppPreparation {
    private final Path path;
    private final LoadSettings settings;
    private final LlamaCppFiles.@Nullable OtherTokenizer other;

    LlamaCppPreparation(Path path, LoadSettings settings, LlamaCppFiles.@Nullable OtherTokenizer other) {
        this.path = path;
        this.settings = settings;
        this.other = other;
    }

    LlamaCppFiles prepare() {
        try (GgufCheckpoint gguf = GgufCheckpoint.open(path)) {
            LlamaCppCheck.check(gguf);
            return asItIs(gguf);
        }
    }

    private LlamaCppFiles asItIs(GgufCheckpoint gguf) {
        GgufMetadata metadata = gguf.metadata();
        String architecture = metadata.string("general.architecture");
        Tokenizer tokenizer = tokenizer(gguf);
        int contextLength = metadata.integer(architecture + ".context_length");
        return new LlamaCppFiles(
                path,
                gguf.path(),
                List.of(),
                architecture,
                settings.rope(),
                tokenizer,
                GgufSampling.read(gguf.path(), metadata),
                ChatTemplate.of(gguf).orElse(null),
                rows(gguf),
                new MergeReport(List.of()),
                typesByFrequency(gguf),
                CacheUse.NONE,
                endIds(metadata, tokenizer),
                metadata.integer(architecture + ".block_count"),
                metadata.integer(architecture + ".embedding_length"),
                contextLength,
                contextLength);
    }

    private Tokenizer tokenizer(GgufCheckpoint gguf) {
        try {
            return TokenizerFiles.of(gguf);
        } catch (TokenizerFormatException e) {
            if (other == null) {
                throw e;
            }
            return other.of(gguf.path(), e);
        }
    }

    /** Of the embedding; architectures without one of this name have a row for each token. */
    private static int rows(GgufCheckpoint gguf) {
        return gguf.tensors().stream()
                .filter(tensor -> tensor.name().equals(ModelSource.GGUF_EMBEDDING))
                .mapToInt(tensor -> Math.toIntExact(tensor.shape().getFirst()))
                .findFirst()
                .orElseGet(() -> gguf.metadata().arrayLength(GgufTokenizer.TOKENS));
    }

    private static List<Integer> endIds(GgufMetadata metadata, Tokenizer tokenizer) {
        Set<Integer> ids = new LinkedHashSet<>(List.of(tokenizer.eosId()));
        GgufSource.MORE_END_IDS.stream().filter(metadata::contains).map(metadata::integer).forEach(ids::add);
        ids.removeIf(id -> id < 0);
        return new ArrayList<>(ids);
    }

    private static List<String> typesByFrequency(GgufCheckpoint gguf) {
        Map<String, Integer> counts = new LinkedHashMap<>();
        for (TensorInfo tensor : gguf.tensors()) {
            if (tensor.shape().size() > 1) {
                counts.merge(tensor.type().name(), 1, Integer::sum);
            }
        }
        for (UnreadableTensor tensor : gguf.unreadable()) {
            counts.merge(tensor.typeName(), 1, Integer::sum);
        }
        return counts.entrySet().stream().sorted(Map.Entry.<String, Integer>comparingByValue().reversed()).map(Map.Entry::getKey).toList();
    }
}
