/**
 * Readers of model files: GGUF and Hugging Face directories (safetensors), memory-mapped, behind one interface.
 *
 * <p>Read in this order: {@link dev.yangtuo.checkpoint.TensorInfo} (one named tensor), {@link dev.yangtuo.checkpoint.Checkpoint} (a set of
 * them); how numbers are stored is in {@link dev.yangtuo.tensor}.
 *
 * <p>Then the readers: {@link dev.yangtuo.checkpoint.Checkpoints} (which format a path holds), {@code MappedFile} and
 * {@code MappedCheckpoint} (what all formats share); for safetensors {@code SafetensorsFile} (one file) and
 * {@link dev.yangtuo.checkpoint.SafetensorsCheckpoint} (one or its shards); for GGUF {@code FileInput} (bounded reading),
 * {@code GgufMetadataReader}, {@link dev.yangtuo.checkpoint.GgufMetadata}, {@code GgufFile} (header and places) and
 * {@link dev.yangtuo.checkpoint.GgufCheckpoint}.
 *
 * <p>Writers: {@link dev.yangtuo.checkpoint.PlannedTensor} (a tensor to be), {@link dev.yangtuo.checkpoint.GgufPairs} (metadata to be),
 * {@link dev.yangtuo.checkpoint.GgufLayout} and {@link dev.yangtuo.checkpoint.SafetensorsLayout} (the places of all of it),
 * {@link dev.yangtuo.checkpoint.PendingFile} and {@link dev.yangtuo.checkpoint.PendingDirectory} (complete or not there).
 *
 * <p>Files are untrusted: every count and length is bounded by what is left of the file before anything is allocated, and whatever is
 * wrong becomes a {@link dev.yangtuo.exception.CheckpointFormatException} that names file, place, expectation and remedy.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.checkpoint;
