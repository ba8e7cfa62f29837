package dev.yangtuo.model;

import dev.yangtuo.tokenizer.TokenizerModel;

/**
 * A model that can be loaded.
 *
 * @param config its hyper-parameters
 * @param tokenizer the tokenizer that it would be run with
 */
public record CheckedModel(ModelConfig config, TokenizerModel tokenizer) {}
