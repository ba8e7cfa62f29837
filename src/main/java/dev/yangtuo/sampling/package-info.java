/**
 * From logits to the next token. Read {@link dev.yangtuo.sampling.SamplingOptions} first, which describes the steps and their order, then
 * {@link dev.yangtuo.sampling.Sampler}, which puts them together. A step is one of three: a {@code RowStep} looks at all logits, an {@code EditStep} changes single logits in
 * the same way on the device and here, a {@code ShortlistStep} works on the candidates that are left.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.sampling;
