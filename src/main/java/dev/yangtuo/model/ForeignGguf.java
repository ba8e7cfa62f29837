package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.checkpoint.UnreadableTensor;
import dev.yangtuo.exception.AdapterException;
import dev.yangtuo.exception.UnsupportedModelException;
import dev.yangtuo.lora.LoraAdapter;
import dev.yangtuo.lora.LoraExport;
import dev.yangtuo.lora.LoraRequest;
import dev.yangtuo.lora.MergeReport;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A GGUF file of a kind that only llama.cpp can run: given to it as it is, with adapters that it applies itself. */
final class ForeignGguf {
    /** Converters leave the rows of Q and K of these as Hugging Face has them. */
    private static final Set<String> ROWS_AS_THEY_ARE = Set.of("qwen2", "qwen2moe", "qwen3", "qwen3moe", "gemma", "gemma2", "gemma3", "olmo2", "seed_oss");
    /** Of these they put partners of RoPE beside each other. */
    private static final Set<String> ROWS_IN_PAIRS = Set.of("llama", "granite", "arcee", "smollm3");

    private final GgufCheckpoint gguf;
    private final GgufMetadata metadata;
    private final String architecture;
    private final Path path;
    private final LoadSettings settings;
    private final LlamaCppCache cache;
    /** Shapes of all tensors, slowest dimension first. */
    private final Map<String, List<Long>> shapes = new HashMap<>();

    ForeignGguf(GgufCheckpoint gguf, Path path, LoadSettings settings, LlamaCppCache cache) {
        this.gguf = gguf;
        this.metadata = gguf.metadata();
        this.architecture = metadata.string("general.architecture");
        this.path = path;
        this.settings = settings;
        this.cache = cache;
        gguf.tensors().forEach(tensor -> shapes.put(tensor.name(), tensor.shape()));
        gguf.unreadable().forEach(tensor -> shapes.put(tensor.name(), tensor.shape()));
    }

    LlamaCppFiles files(Tokenizer tokenizer) {
        if (settings.types() != null) {
            throw new UnsupportedModelException(path, ("a model of the architecture '%s' cannot be kept in another type here; make such a file with llama.cpp's"
                    + " llama-quantize, and give that").formatted(architecture));
        }
        List<LlamaCppFiles.LoraFile> adapters = new ArrayList<>();
        List<MergeReport.Adapter> reports = new ArrayList<>();
        for (LoraRequest request : settings.lora().adapters()) {
            adapters.add(new LlamaCppFiles.LoraFile(adapter(request, reports), request.scale()));
        }
        int contextLength = metadata.integer(architecture + ".context_length");
        return new LlamaCppFiles(
                path,
                gguf.path(),
                adapters,
                architecture,
                settings.rope(),
                tokenizer,
                GgufSampling.read(gguf.path(), metadata),
                ChatTemplate.of(gguf).orElse(null),
                rows(),
                new MergeReport(reports),
                typesByFrequency(gguf),
                CacheUse.NONE,
                endIds(tokenizer),
                metadata.integer(architecture + ".block_count"),
                metadata.integer(architecture + ".embedding_length"),
                contextLength,
                contextLength);
    }

    /** Of the embedding; a model without one of this name has a row for each token. */
    private int rows() {
        List<Long> embedding = shapes.get(ModelSource.GGUF_EMBEDDING);
        return embedding == null ? metadata.arrayLength(GgufTokenizer.TOKENS) : Math.toIntExact(embedding.getFirst());
    }

    private List<Integer> endIds(Tokenizer tokenizer) {
        Set<Integer> ids = new LinkedHashSet<>(List.of(tokenizer.eosId()));
        GgufSource.MORE_END_IDS.stream().filter(metadata::contains).map(metadata::integer).forEach(ids::add);
        ids.removeIf(id -> id < 0);
        return List.copyOf(ids);
    }

    /** Types of the matrices of a file, the most frequent first. */
    static List<String> typesByFrequency(GgufCheckpoint gguf) {
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

    private Path adapter(LoraRequest request, List<MergeReport.Adapter> reports) {
        if (settings.lora().float16()) {
            throw new AdapterException(request.path(), "models of the architecture '%s' cannot be merged here, neither in float16".formatted(architecture));
        }
        if (Files.isRegularFile(request.path())) {
            try (GgufCheckpoint adapter = GgufCheckpoint.open(request.path())) {
                List<String> names = new LlamaCppAdapterCheck(adapter).check(architecture, shapes);
                reports.add(report(request, LoraAdapter.Format.GGUF, names.stream().map(name -> change(name, shapes.get(name).getFirst())).toList(), List.of()));
                return adapter.path();
            }
        }
        try (LoraAdapter adapter = LoraAdapter.open(request)) {
            List<LoraExport.Matrix> matrices = matrices(adapter);
            Map<String, LoraExport.Target> targets = new HashMap<>();
            matrices.forEach(matrix -> targets.put(matrix.parameter(), target(adapter, matrix)));
            reports.add(report(request, adapter.format(), matrices.stream().map(matrix -> change(matrix.parameter(), matrix.rows())).toList(), adapter.notes()));
            return cache.adapter(request.path(), architecture, isInPairs() ? "heads of " + headDim() : "", targets::get);
        }
    }

    private MergeReport.Adapter report(LoraRequest request, LoraAdapter.Format format, List<MergeReport.Change> changes, List<String> notes) {
        MergeReport.Source source = new MergeReport.Source(request.path(), format.label(), request.scale(), false);
        return new MergeReport.Adapter(source, changes, rows(), rows(), Double.NaN, List.of(), notes);
    }

    private static MergeReport.Change change(String parameter, long rows) {
        return new MergeReport.Change(parameter, List.of(MergeReport.Kind.LORA), rows, rows, 0, false, Double.NaN);
    }

    private boolean isInPairs() {
        return ROWS_IN_PAIRS.contains(architecture);
    }

    private int headDim() {
        int heads = metadata.integer(architecture + ".attention.head_count");
        return metadata.integer(architecture + ".attention.key_length", metadata.integer(architecture + ".embedding_length") / heads);
    }

    /** What an adapter in PEFT's format changes. */
    private List<LoraExport.Matrix> matrices(LoraAdapter adapter) {
        if (!ROWS_AS_THEY_ARE.contains(architecture) && !isInPairs()) {
            throw new AdapterException(adapter.path(), ("how the file of a model of the architecture '%s' names and orders what the adapter changes is not known here;"
                    + " convert it with llama.cpp's convert_lora_to_gguf.py, and give the file").formatted(architecture));
        }
        List<LoraExport.Matrix> matrices = LoraExport.matrices(adapter);
        if (matrices == null) {
            throw new AdapterException(adapter.path(), ("it brings more than a plain LoRA of matrices of layers (embeddings, whole modules, biases, DoRA,"
                    + " a tokenizer), so it must be merged, and models of the architecture '%s' cannot be merged here; merge it with PEFT"
                    + " (merge_and_unload) and convert the result").formatted(architecture));
        }
        return matrices;
    }

    private LoraExport.Target target(LoraAdapter adapter, LoraExport.Matrix matrix) {
        for (LayerParameter parameter : LayerParameter.values()) {
            Integer layer = parameter.isVector() ? null : parameter.layerOf(matrix.parameter());
            if (layer != null) {
                String name = parameter.ggufName(layer);
                List<Long> shape = shapes.get(name);
                requireFitting(adapter, matrix, name, shape);
                boolean reordered = isInPairs() && parameter.isRotated();
                return new LoraExport.Target(name, rows -> reordered ? RowOrder.halvesToPairs(rows, headDim()) : rows);
            }
        }
        throw new AdapterException(adapter.path(), "its matrix '%s' is none of q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj and down_proj of a layer"
                .formatted(matrix.parameter()));
    }

    private void requireFitting(LoraAdapter adapter, LoraExport.Matrix matrix, String name, @Nullable List<Long> shape) {
        if (shape == null) {
            throw new AdapterException(adapter.path(), "it changes '%s', but the model has no tensor '%s'; give it to the model that it was trained on"
                    .formatted(matrix.parameter(), name));
        }
        if (!shape.equals(List.of(matrix.rows(), matrix.columns()))) {
            throw new AdapterException(adapter.path(), "its deltas of '%s' are [%d, %d], but '%s' is %s; give it to the model that it was trained on"
                    .formatted(matrix.parameter(), matrix.rows(), matrix.columns(), name, shape));
        }
    }
}
