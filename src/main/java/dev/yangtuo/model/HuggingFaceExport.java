package dev.yangtuo.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.checkpoint.OutputFile;
import dev.yangtuo.checkpoint.PendingDirectory;
import dev.yangtuo.checkpoint.PlannedTensor;
import dev.yangtuo.checkpoint.SafetensorsLayout;
import dev.yangtuo.checkpoint.TensorLayout;
import dev.yangtuo.lora.MergeReport;
import dev.yangtuo.tensor.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes a model as a Hugging Face directory: safetensors in one file or shards, configuration, tokenizer. */
final class HuggingFaceExport {
    private static final String SINGLE_FILE = "model.safetensors";
    private static final String SHARD = "model-%05d-of-%05d.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    /** For the small files, which are not counted one by one. */
    private static final long SMALL_FILES_BYTES = 16 << 20;

    private final ModelExport export;
    private final MergedModel model;
    private final @Nullable TypeMix mix;

    HuggingFaceExport(ModelExport export) {
        this.export = export;
        this.model = export.model();
        this.mix = export.settings().load().types();
    }

    ModelExport.Written write() {
        List<PlannedTensor> tensors = new ArrayList<>();
        Map<TensorType, Integer> types = ModelExport.newCounts();
        model.forEach(parameter -> {
            TensorType type = typeOf(parameter);
            tensors.add(new PlannedTensor(parameter.name(), type, parameter.shape()));
            ModelExport.count(types, parameter, type);
        });
        TokenizerExport tokenizer = TokenizerExport.of(model);
        Shards shards = new Shards(tensors, export.settings().shardBytes());
        EncodeProgress progress = new EncodeProgress(model, this::bytesOf, export.settings().load().listener());
        try (PendingDirectory directory = PendingDirectory.create(
                        export.output(), export.settings().replace(), shards.byteSize() + SMALL_FILES_BYTES);
                ParameterEncoder encoder = export.newEncoder(progress)) {
            HuggingFaceFiles files = new HuggingFaceFiles(model, tensors);
            directory.write(HuggingFaceConfig.FILE_NAME, json(files.config()));
            if (!model.generation().equals(GenerationConfig.DEFAULT)) {
                directory.write(GenerationConfig.FILE_NAME, json(files.generation()));
            }
            tokenizer.files().forEach(directory::write);
            if (shards.layouts.size() > 1) {
                directory.write(INDEX, json(shards.index()));
            }
            try (ShardWriter writer = new ShardWriter(directory, shards)) {
                model.forEach(parameter -> {
                    writer.write(encoder, parameter);
                    progress.finished(parameter.name());
                });
                writer.endShard();
            }
            MergeReport merge = model.finish();
            directory.complete();
            return new ModelExport.Written(shards.byteSize(), shards.layouts.size(), types, merge);
        }
    }

    /** Matrices as asked for, else as stored if that is no block type; vectors are never rounded. */
    private TensorType typeOf(MergedParameter parameter) {
        TensorType stored = parameter.storedType();
        if (parameter.isVector()) {
            boolean same = parameter.blocks() != null && !stored.isQuantized() && (mix == null || mix.base() == stored);
            return same ? stored : TensorType.F32;
        }
        if (mix != null) {
            return mix.base();
        }
        return stored.isQuantized() ? TensorType.F16 : stored;
    }

    private long bytesOf(MergedParameter parameter) {
        return Math.multiplyExact(typeOf(parameter).rowBytes(parameter.rows().columns()), parameter.rows().rows());
    }

    static byte[] json(JsonNode node) {
        try {
            return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsBytes(node);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("what was made of texts and numbers is written as JSON", e);
        }
    }

    /** Which tensor is in which file. */
    private static final class Shards {
        private final List<PlannedTensor> tensors;
        private final List<TensorLayout> layouts = new ArrayList<>();
        /** Number of the shard of each tensor. */
        private final int[] shardOf;

        Shards(List<PlannedTensor> tensors, long shardBytes) {
            this.tensors = tensors;
            this.shardOf = new int[tensors.size()];
            int first = 0;
            long bytes = 0;
            for (int i = 0; i < tensors.size(); i++) {
                long more = tensors.get(i).byteSize();
                if (i > first && more > shardBytes - bytes) {
                    layouts.add(SafetensorsLayout.of(tensors.subList(first, i)));
                    first = i;
                    bytes = 0;
                }
                bytes += more;
                shardOf[i] = layouts.size();
            }
            layouts.add(SafetensorsLayout.of(tensors.subList(first, tensors.size())));
        }

        long byteSize() {
            return layouts.stream().mapToLong(TensorLayout::byteSize).sum();
        }

        String fileName(int shard) {
            return layouts.size() == 1 ? SINGLE_FILE : SHARD.formatted(shard + 1, layouts.size());
        }

        ObjectNode index() {
            ObjectNode index = new ObjectMapper().createObjectNode();
            index.putObject("metadata").put("total_size", tensors.stream().mapToLong(PlannedTensor::byteSize).sum());
            ObjectNode files = index.putObject("weight_map");
            for (int i = 0; i < shardOf.length; i++) {
                files.put(tensors.get(i).name(), fileName(shardOf[i]));
            }
            return index;
        }
    }

    /** Writes the tensors in their order, one file after the other. */
    private final class ShardWriter implements AutoCloseable {
        private final PendingDirectory directory;
        private final Shards shards;
        private int next;
        private int nextInShard;
        private @Nullable OutputFile out;

        ShardWriter(PendingDirectory directory, Shards shards) {
            this.directory = directory;
            this.shards = shards;
        }

        void write(ParameterEncoder encoder, MergedParameter parameter) {
            int shard = shards.shardOf[next];
            OutputFile file = out;
            if (file == null || next > 0 && shard != shards.shardOf[next - 1]) {
                endShard();
                file = directory.create(shards.fileName(shard));
                out = file;
                nextInShard = 0;
                shards.layouts.get(shard).begin(file);
            }
            long byteOffset = shards.layouts.get(shard).byteOffsets().get(nextInShard);
            ModelExport.writeRows(encoder, parameter, shards.tensors.get(next).type(), ParameterEncoder.Order.HALVES, file, byteOffset);
            next++;
            nextInShard++;
        }

        void endShard() {
            if (out != null) {
                directory.end(out);
            }
        }

        @Override
        public void close() {
            if (out != null) {
                out.close();
            }
        }
    }
}
