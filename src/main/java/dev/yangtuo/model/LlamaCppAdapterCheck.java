package dev.yangtuo.model;

import dev.yangtuo.checkpoint.GgufCheckpoint;
import dev.yangtuo.checkpoint.GgufMetadata;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.exception.AdapterException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Refuses GGUF adapters on which llama.cpp would end the process, or that it would apply only in part. */
final class LlamaCppAdapterCheck {
    private static final String ALPHA = "adapter.lora.alpha";

    private final GgufCheckpoint adapter;
    private final GgufMetadata metadata;

    LlamaCppAdapterCheck(GgufCheckpoint adapter) {
        this.adapter = adapter;
        this.metadata = adapter.metadata();
    }

    /** @throws AdapterException if what is needed whatever the model does not hold */
    void checkFile() {
        LlamaCppCheck.checkFile(adapter);
        if (metadata.contains(ALPHA)) {
            String type = metadata.typeName(ALPHA);
            require(type.equals("FLOAT32") && Float.isFinite(metadata.number(ALPHA)), "%s is not a finite number of the type FLOAT32 (%s)".formatted(ALPHA, type));
        }
    }

    /**
     * Checks an adapter of a model that ours cannot run.
     *
     * @param architecture of the model
     * @param shapes of its tensors, slowest dimension first
     * @return the tensors of the model that it changes
     * @throws AdapterException if it is no LoRA, of another architecture, or does not fit
     */
    List<String> check(String architecture, Map<String, List<Long>> shapes) {
        checkFile();
        requireText("general.type", "adapter");
        requireText("adapter.type", "lora");
        requireText("general.architecture", architecture);
        require(!metadata.contains("adapter.alora.invocation_tokens"), "it is an activated LoRA, which is not supported");
        require(adapter.unreadable().isEmpty(), "its tensors have types that are not supported");
        Map<String, @Nullable TensorInfo> as = new LinkedHashMap<>();
        Map<String, @Nullable TensorInfo> bs = new LinkedHashMap<>();
        for (TensorInfo tensor : adapter.tensors()) {
            String name = tensor.name();
            boolean a = name.endsWith(".lora_a");
            require(a || name.endsWith(".lora_b"), "tensor '%s' is neither the .lora_a nor the .lora_b of a matrix; llama.cpp cannot apply it".formatted(name));
            (a ? as : bs).put(name.substring(0, name.length() - ".lora_a".length()), tensor);
        }
        require(as.keySet().equals(bs.keySet()) && !as.isEmpty(), "it has no .lora_a and .lora_b of the same matrices");
        as.forEach((name, a) -> checkPair(name, a, bs.get(name), shapes.get(name)));
        return new ArrayList<>(as.keySet());
    }

    private void checkPair(String name, TensorInfo a, TensorInfo b, @Nullable List<Long> shape) {
        require(shape != null, "it changes '%s', which the model does not have; give it to the model that it was trained on".formatted(name));
        boolean matrices = a.shape().size() == 2 && b.shape().size() == 2 && shape.size() == 2;
        boolean embedding = name.endsWith("token_embd.weight");
        boolean fits = matrices && (embedding
                ? a.shape().equals(List.of(shape.get(0), b.shape().get(1))) && b.shape().getFirst().equals(shape.get(1))
                : a.shape().equals(List.of(b.shape().get(1), shape.get(1))) && b.shape().getFirst().equals(shape.get(0)));
        require(fits, "its factors of '%s' are %s and %s, which do not fit %s; give it to the model that it was trained on".formatted(name, b.shape(), a.shape(), shape));
    }

    private void requireText(String key, String expected) {
        String found = metadata.string(key, "");
        require(found.equals(expected), "%s is '%s', expected '%s'".formatted(key, found, expected));
    }

    private void require(boolean holds, String problem) {
        if (!holds) {
            throw new AdapterException(adapter.path(), problem);
        }
    }
}
