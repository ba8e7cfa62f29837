/**
 * Numbers: how they are stored, and matrices of them as float32 rows, whatever they are stored as.
 *
 * <p>Read in this order: {@link dev.yangtuo.tensor.TensorType} (the storage types), {@link dev.yangtuo.tensor.FloatRows} (a matrix read
 * row by row as float32, the form in which the merge and the quantizer take it), {@link dev.yangtuo.tensor.RowCodec} (float32 to the
 * storage types and back), {@link dev.yangtuo.tensor.BlockCodec} (what the quantized types have in common), then one {@code Blocks} class for
 * each of them.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.tensor;
