/**
 * From logits to the next token. Read {@link dev.yangtuo.sampling.SamplingOptions} first, then {@link dev.yangtuo.sampling.Sampler}, which
 * describes the order of its steps.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.sampling;
