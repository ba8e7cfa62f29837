package dev.yangtuo.model;

import dev.yangtuo.ModelFolders;
import dev.yangtuo.kernel.NativeBackend;
import dev.yangtuo.lora.LoraStack;
import dev.yangtuo.tensor.TensorType;

/** Small models for tests of what stands on {@link Model}. */
public final class TestModels {
    private TestModels() {}

    /**
     * The tiny model with random weights.
     *
     * @param context of a text
     * @param sequences of a pass
     * @param pages of keys and values; 0 for as many as all sequences need
     */
    public static Model tiny(int context, int sequences, int pages) {
        LoadSettings plain = new LoadSettings(LoraStack.NONE, null, TensorType.F16, () -> NativeBackend.open(2), 2, context, sequences, (name, done, count, bytes, byteCount) -> {});
        if (pages == 0) {
            return ModelLoader.load(ModelFolders.tiny("base"), plain).model();
        }
        long pageBytes = KvCache.PAGE_POSITIONS * ModelCosts.keyValueBytes(ModelLoader.check(ModelFolders.tiny("base")).config(), TensorType.F16);
        return ModelLoader.load(ModelFolders.tiny("base"), new LoadSettings(plain.lora(), null, plain.kvType(), plain.backend(), 2, context, sequences,
                pages * pageBytes, plain.listener(), null, RopeOverride.NONE, DeviceChoice.PROCESSOR)).model();
    }

    /** Forgets what a model remembers of earlier texts; true if then nobody has any memory of keys and values. */
    public static boolean forgetsAll(Model model) {
        model.forget();
        return model.availablePages() == model.pageCount();
    }
}
