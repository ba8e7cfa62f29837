package dev.yangtuo.model;

import dev.yangtuo.checkpoint.StoredBytes;
import dev.yangtuo.tensor.FloatRows;
import dev.yangtuo.tensor.TensorType;
import org.jspecify.annotations.Nullable;

/**
 * One parameter of a checkpoint.
 *
 * @param rows its values; rows of Q and K, and elements of their biases, in Hugging Face's order
 * @param type how it is stored
 * @param blocks its stored rows, if they stand in the order of the kernels and can be packed as they are; else null
 */
record Parameter(FloatRows rows, TensorType type, @Nullable StoredBytes blocks) {}
