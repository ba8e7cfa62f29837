package dev.yangtuo.kernel;

/** The end of the model, bound to its backend. Lives as long as the backend. */
public sealed interface OutputLayer permits NativeOutputLayer, ScalarOutputLayer {
    /** The weights. */
    OutputWeights weights();
}
