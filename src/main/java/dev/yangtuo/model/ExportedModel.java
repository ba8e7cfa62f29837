package dev.yangtuo.model;

import dev.yangtuo.lora.MergeReport;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What was written.
 *
 * @param path the base model
 * @param base its hyper-parameters
 * @param config those of what was written
 * @param output the file or directory
 * @param byteSize of the files with tensors
 * @param files how many of these there are
 * @param merge what the adapters changed
 * @param weightTypes types of the matrices, the most frequent first
 * @param time how long it took
 */
public record ExportedModel(
        Path path,
        ModelConfig base,
        ModelConfig config,
        Path output,
        long byteSize,
        int files,
        MergeReport merge,
        List<String> weightTypes,
        Duration time) {}
