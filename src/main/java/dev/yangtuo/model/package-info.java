/**
 * The LLaMA model: its hyper-parameters, how it is loaded, and the forward pass.
 *
 * <p>Read in this order. Loading: {@link dev.yangtuo.model.ModelConfig} (hyper-parameters), {@link dev.yangtuo.model.ModelSource} (a
 * checkpoint seen as LLaMA parameters under one set of names, whatever its format), {@link dev.yangtuo.model.ModelLoader} (each tensor:
 * read, merge, quantize, pack). Running: {@link dev.yangtuo.model.Model} (the forward pass), {@link dev.yangtuo.model.Rope},
 * {@link dev.yangtuo.model.KvCache} and {@link dev.yangtuo.model.Sequence} (which page of memory belongs to which token). The tokenizer:
 * {@link dev.yangtuo.model.TokenizerFiles} (which file), {@code GgufTokenizer} (of a GGUF's metadata), {@code AddedTokens} (what the JSON
 * files beside a {@code tokenizer.model} add, read by {@code TokenizerJson}). Writing: {@link dev.yangtuo.model.ModelExport}, for GGUF
 * {@code GgufExport}, {@code GgufModelMetadata} and {@code GgufVocabulary}, for directories {@code HuggingFaceExport}, {@code HuggingFaceFiles}
 * and {@code TokenizerExport}. {@link dev.yangtuo.model.SyntheticModel} writes models that are made up, for measurements.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.model;
