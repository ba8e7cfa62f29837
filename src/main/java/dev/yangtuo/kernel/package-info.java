/**
 * The only door to native code: device memory, the stages of a forward pass, the choice of a backend.
 *
 * <p>Read in this order: {@link dev.yangtuo.kernel.Backend} (the stages, in the model's order), {@link dev.yangtuo.kernel.Batch} (what a
 * forward pass works on), {@link dev.yangtuo.kernel.WeightMatrix}, {@link dev.yangtuo.kernel.DeviceFloats} and
 * {@link dev.yangtuo.kernel.KvPool} (memory), then the two implementations: {@code ScalarBackend}, the reference in plain Java, and
 * {@code NativeBackend}, which calls the C library through the generated bindings. Both compute the arithmetic that
 * {@code docs/kernels.md} defines, bit for bit the same. {@code NativeBackend} also computes on CUDA devices, with arithmetic of its own in parts ({@code docs/cuda.md}):
 * {@link dev.yangtuo.kernel.DeviceLibrary} finds the library of their kernels and the devices ({@link dev.yangtuo.kernel.Device}). Of the rest of the library this package knows only
 * {@link dev.yangtuo.tensor.TensorType}, the names of the storage formats.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.kernel;
