/**
 * What is in a model, an adapter or a tokenizer, said without loading it: only headers are read, and what cannot be run is described as far as it
 * goes.
 *
 * <p>Read in this order: {@link dev.yangtuo.inspect.Inspection} (the result), {@link dev.yangtuo.inspect.Inspector} (what a path is and which
 * reader it needs), then the parts: {@code HyperParameters}, {@link dev.yangtuo.inspect.TokenizerFacts} with {@code TokenizerReader},
 * {@link dev.yangtuo.inspect.AdapterFacts} with {@code AdapterReader}.
 *
 * <p>Texts in a result are as the files have them: whoever shows them on a terminal escapes what could command it.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.inspect;
