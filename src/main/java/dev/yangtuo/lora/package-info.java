/**
 * LoRA adapters in PEFT's format and in GGUF: their configuration, the matching of their tensors to the model's parameters, the merge arithmetic
 * and the report of what was done.
 *
 * <p>Read in this order: {@link dev.yangtuo.lora.LoraConfig} ({@code adapter_config.json}) with
 * {@link dev.yangtuo.lora.ModulePattern} (its regular expressions), {@code AdapterKey} (what a tensor's name means), {@code PeftTensors} and
 * {@code GgufAdapter} (from names to what is done), {@code ParameterChange} and its five kinds, {@code LowRankProduct} (the arithmetic of a LoRA),
 * {@link dev.yangtuo.lora.LoraAdapter} (one opened adapter), {@link dev.yangtuo.lora.LoraMerge} (several adapters onto one model),
 * {@link dev.yangtuo.lora.MergeReport}.
 *
 * <p>Nothing is computed before a row is asked for, and no matrix ever exists whole in memory: the loader reads a merged matrix
 * through {@link dev.yangtuo.tensor.FloatRows} just as it reads a stored one.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.lora;
