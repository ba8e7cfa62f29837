package dev.yangtuo.lora;

import java.util.ArrayList;
import java.util.List;

/**
 * The adapters of a model and how they are merged.
 *
 * @param adapters in the order in which they are merged
 * @param float16 round to float16 after each adapter, as PEFT does on a float16 base; else everything is float32 and rounded once at the end
 */
public record LoraStack(List<LoraRequest> adapters, boolean float16) {
    /** No adapters. */
    public static final LoraStack NONE = new LoraStack(List.of(), false);

    /** Copies the list. */
    public LoraStack {
        adapters = List.copyOf(adapters);
    }

    /** The same with one adapter more, the last. */
    public LoraStack with(LoraRequest adapter) {
        List<LoraRequest> longer = new ArrayList<>(adapters);
        longer.add(adapter);
        return new LoraStack(longer, float16);
    }
}
