package dev.yangtuo.model;

import dev.yangtuo.DeviceMemory;
import java.nio.file.Path;
import java.util.List;

/**
 * What memory a model will take.
 *
 * @param path the base model
 * @param weightBytes of the weights, as they are kept
 * @param kvBytes of keys and values of all texts together, if they use it all
 * @param bufferBytes of what forward passes compute in
 * @param contextLength tokens that a text can have
 * @param kvTokens tokens of all texts together whose keys and values there is room for
 * @param machineBytes memory of the machine, or of the container
 * @param devices what of all that is on devices beside the processor
 */
public record LoadPlan(Path path, long weightBytes, long kvBytes, long bufferBytes, int contextLength, long kvTokens, long machineBytes, List<DeviceMemory> devices) {}
