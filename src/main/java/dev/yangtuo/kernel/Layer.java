package dev.yangtuo.kernel;

/** The weights of a layer, bound to their backend. Lives as long as the backend. */
public sealed interface Layer permits NativeLayer, ScalarLayer {
    /** The weights. */
    LayerWeights weights();
}
