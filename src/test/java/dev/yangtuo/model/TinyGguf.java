package dev.yangtuo.model;

import dev.yangtuo.ModelFolders;
import dev.yangtuo.checkpoint.GgufBuilder;
import dev.yangtuo.checkpoint.SafetensorsCheckpoint;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.TensorType;
import dev.yangtuo.tokenizer.Tokenizer;
import java.nio.file.Path;

/** Writes the tiny model as a GGUF file, as converters do: rows of Q and K in pairs, norms in F32, the tokenizer in the metadata. */
final class TinyGguf {
    private static final int HEAD_DIM = 16;
    private static final int LAYERS = 3;

    private TinyGguf() {}

    /** @param output whether the output matrix is written; without it the embedding serves */
    static Path write(Path file, TensorType type, boolean output) {
        GgufBuilder gguf = new GgufBuilder()
                .put("general.architecture", "llama")
                .put("llama.embedding_length", 64)
                .put("llama.feed_forward_length", 96)
                .put("llama.block_count", LAYERS)
                .put("llama.attention.head_count", 4)
                .put("llama.attention.head_count_kv", 2)
                .put("llama.context_length", 256)
                .put("llama.rope.dimension_count", HEAD_DIM)
                .put("llama.rope.freq_base", 10_000f)
                .put("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        putTokenizer(gguf, Tokenizer.load(ModelFolders.tiny("base").resolve("tokenizer.model")));
        try (SafetensorsCheckpoint base = SafetensorsCheckpoint.openDirectory(ModelFolders.tiny("base"), "model")) {
            add(gguf, base, ModelSource.EMBEDDING, "token_embd.weight", type, false);
            add(gguf, base, ModelSource.NORM, "output_norm.weight", type, false);
            if (output) {
                // As the loader does: no output matrix of four bits.
                TensorType outputType = type == TensorType.Q4_0 ? TensorType.Q8_0 : type;
                add(gguf, base, ModelSource.OUTPUT, "output.weight", outputType, false);
            }
            for (int layer = 0; layer < LAYERS; layer++) {
                for (LayerParameter parameter : LayerParameter.values()) {
                    if (parameter.isBias()) {
                        continue;
                    }
                    add(gguf, base, parameter.name(layer), parameter.ggufName(layer), type, parameter.isRotated());
                }
            }
        }
        return gguf.write(file);
    }

    private static void add(GgufBuilder gguf, SafetensorsCheckpoint base, String from, String to, TensorType type, boolean rotated) {
        TensorInfo tensor = base.require(from);
        FloatRows rows = base.rows(tensor);
        float[] values = new float[Math.toIntExact(rows.rows() * rows.columns())];
        int columns = rows.columns();
        for (int row = 0; row < rows.rows(); row++) {
            // Row j of the first half of a head becomes row 2j, row j of the second half row 2j + 1.
            int inHead = row % HEAD_DIM;
            int target = rotated ? row - inHead + 2 * (inHead % (HEAD_DIM / 2)) + inHead / (HEAD_DIM / 2) : row;
            rows.read(row, 1, values, target * columns);
        }
        boolean vector = tensor.shape().size() == 1;
        gguf.tensor(to, vector ? TensorType.F32 : type, values, tensor.shape().stream().mapToLong(Long::longValue).toArray());
    }

    private static void putTokenizer(GgufBuilder gguf, Tokenizer tokenizer) {
        int count = tokenizer.vocabSize();
        String[] pieces = new String[count];
        float[] scores = new float[count];
        int[] types = new int[count];
        for (int id = 0; id < count; id++) {
            pieces[id] = tokenizer.piece(id);
            scores[id] = tokenizer.score(id);
            types[id] = tokenizer.type(id).number();
        }
        gguf.put("tokenizer.ggml.model", "llama")
                .put("tokenizer.ggml.tokens", pieces)
                .put("tokenizer.ggml.scores", scores)
                .put("tokenizer.ggml.token_type", types)
                .put("tokenizer.ggml.bos_token_id", tokenizer.bosId())
                .put("tokenizer.ggml.eos_token_id", tokenizer.eosId());
    }
}
