package dev.yangtuo.kernel;

/** Nothing to bind: the weights themselves. */
record ScalarOutputLayer(OutputWeights weights) implements OutputLayer {}
