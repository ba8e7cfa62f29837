/**
 * Readers of model files: GGUF and Hugging Face directories (safetensors), memory-mapped, behind one interface.
 *
 * <p>Read in this order: {@link dev.yangtuo.checkpoint.TensorType} (how numbers are stored), {@link dev.yangtuo.checkpoint.TensorInfo}
 * (one named tensor), {@link dev.yangtuo.checkpoint.Checkpoint} (a set of them), {@link dev.yangtuo.checkpoint.FloatRows} (a matrix
 * read row by row as float32, the form in which the merge and the quantizer take it), then the readers.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.checkpoint;
