package dev.yangtuo.model;

import dev.yangtuo.cache.WeightCache;
import dev.yangtuo.checkpoint.Checkpoint;
import dev.yangtuo.checkpoint.Checkpoints;
import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.exception.TokenizerFormatException;
import dev.yangtuo.exception.UnsupportedModelException;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.lora.LoraAdapter;
import dev.yangtuo.lora.LoraExport;
import dev.yangtuo.lora.LoraStack;
import dev.yangtuo.lora.MergeReport;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Decides what llama.cpp is given for one load. A model that our engine knows too goes through the same checks as there, and is converted or merged where llama.cpp
 * cannot do it; of other kinds ({@link ForeignGguf}) only GGUF files can be given, as they are.
 */
final class LlamaCppPreparation {
    static final String ARCHITECTURE = "llama";

    private final Path path;
    private final LoadSettings settings;
    private final LlamaCppFiles.@Nullable OtherTokenizer other;
    private final LlamaCppCache cache;

    LlamaCppPreparation(Path path, LoadSettings settings, LlamaCppFiles.@Nullable OtherTokenizer other) {
        this.path = path;
        this.settings = settings;
        this.other = other;
        this.cache = new LlamaCppCache(settings, WeightCache.now());
    }

    LlamaCppFiles prepare() {
        Checkpoint checkpoint = Checkpoints.open(path);
        ModelSource source;
        try {
            if (checkpoint instanceof GgufCheckpoint gguf) {
                LlamaCppCheck.check(gguf);
            }
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
        try {
            source = ModelSource.of(checkpoint); // closes it if it fails
        } catch (UnsupportedModelException e) {
            try (GgufCheckpoint gguf = GgufCheckpoint.open(path)) {
                return new ForeignGguf(gguf, path, settings, cache).files(tokenizer(gguf));
            }
        }
        try (MergedModel merged = MergedModel.open(source, settings.lora(), settings.rope())) {
            return known(merged);
        }
    }

    private Tokenizer tokenizer(GgufCheckpoint gguf) {
        try {
            return TokenizerFiles.of(gguf);
        } catch (TokenizerFormatException e) {
            return otherTokenizer(gguf.path(), e);
        }
    }

    private Tokenizer otherTokenizer(Path file, TokenizerFormatException reason) {
        if (other == null) {
            throw reason;
        }
        return other.of(file, reason);
    }

    private LlamaCppFiles known(MergedModel merged) {
        requireRope(merged.config());
        boolean applicable = isApplicable(merged);
        boolean asItIs = applicable && merged.source() instanceof GgufSource && settings.types() == null && settings.rope().equals(RopeOverride.NONE);
        Tokenizer tokenizer = asItIs ? tokenizer(merged) : merged.tokenizer();
        LlamaCppCache.Model model = asItIs ? asItIs((GgufSource) merged.source()) : applicable ? converted(merged) : cache.model(merged);
        ModelConfig config = merged.config();
        return new LlamaCppFiles(
                path,
                model.file(),
                applicable ? adapters(merged) : List.of(),
                ARCHITECTURE,
                RopeOverride.NONE,
                tokenizer,
                merged.generation(),
                merged.chatTemplate().orElse(null),
                merged.baseConfig().vocabSize(),
                applicable ? applied(merged) : model.merge(),
                model.weightTypes(),
                model.use(),
                List.copyOf(merged.endIds(tokenizer)),
                config.nLayers(),
                config.dim(),
                config.contextLength(),
                config.reach());
    }

    /** Dynamic NTK is what llama.cpp lacks: it would compute as if nothing were scaled. */
    private void requireRope(ModelConfig config) {
        int context = settings.context() > 0 ? settings.context() : config.contextLength();
        if (config.rope().scaling() instanceof RopeScaling.Dynamic scaling && context > scaling.originalContext()) {
            throw new YangtuoException("%s: llama.cpp cannot scale RoPE by dynamic NTK, which a context of %d tokens needs; take the engine yangtuo, or a context of at most %d"
                    .formatted(path, context, scaling.originalContext()));
        }
    }

    /** Whether llama.cpp can apply all adapters; if one must be merged, they all are, in their order. */
    private boolean isApplicable(MergedModel merged) {
        return !settings.lora().float16() && merged.adapters().stream().allMatch(adapter -> LoraExport.matrices(adapter) != null);
    }

    private Tokenizer tokenizer(MergedModel merged) {
        try {
            return merged.tokenizer();
        } catch (TokenizerFormatException e) {
            return otherTokenizer(((GgufSource) merged.source()).gguf().path(), e);
        }
    }

    private LlamaCppCache.Model asItIs(GgufSource source) {
        return new LlamaCppCache.Model(source.gguf().path(), new MergeReport(List.of()), ForeignGguf.typesByFrequency(source.gguf()), CacheUse.NONE);
    }

    /** The model without its adapters, which any adapters can be applied to. */
    private LlamaCppCache.Model converted(MergedModel merged) {
        if (merged.adapters().isEmpty()) {
            return cache.model(merged);
        }
        try (MergedModel base = MergedModel.open(ModelSource.open(path), LoraStack.NONE, settings.rope())) {
            return cache.model(base);
        }
    }

    private List<LlamaCppFiles.LoraFile> adapters(MergedModel merged) {
        Map<String, LoraExport.Target> targets = targets(merged.config());
        List<LlamaCppFiles.LoraFile> files = new ArrayList<>();
        for (LoraAdapter adapter : merged.adapters()) {
            Path file = adapter.path();
            if (adapter.format() == LoraAdapter.Format.GGUF) {
                try (GgufCheckpoint gguf = GgufCheckpoint.open(file)) {
                    new LlamaCppAdapterCheck(gguf).checkFile();
                }
            } else {
                file = cache.adapter(file, ARCHITECTURE, "heads of " + merged.config().headDim(), targets::get);
            }
            files.add(new LlamaCppFiles.LoraFile(file, adapter.scale()));
        }
        return files;
    }

    private static Map<String, LoraExport.Target> targets(ModelConfig config) {
        Map<String, LoraExport.Target> targets = new HashMap<>();
        for (int layer = 0; layer < config.nLayers(); layer++) {
            for (LayerParameter parameter : LayerParameter.values()) {
                targets.put(parameter.name(layer), new LoraExport.Target(parameter.ggufName(layer),
                        rows -> parameter.isRotated() ? RowOrder.halvesToPairs(rows, config.headDim()) : rows));
            }
        }
        return targets;
    }

    /** What the adapters do, checked against the model; nothing has been merged. */
    private static MergeReport applied(MergedModel merged) {
        merged.forEach(parameter -> {});
        return new MergeReport(merged.finish().adapters().stream().map(MergeReport.Adapter::applied).toList());
    }
}
