package dev.yangtuo.kernel;

/** Nothing to bind: the weights themselves. */
record ScalarLayer(LayerWeights weights) implements Layer {}
