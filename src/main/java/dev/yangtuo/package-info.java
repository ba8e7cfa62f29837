/**
 * The public API: load a LLaMA model with its adapters and generate text.
 *
 * <p>Read in this order: {@link dev.yangtuo.Llama} (a loaded model), {@link dev.yangtuo.LoadOptions}, {@link dev.yangtuo.GenerateOptions},
 * {@link dev.yangtuo.Generation} (a text in the making).
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo;
