/** Which engine computes a model: chooses it and loads the model with it. */
@NullMarked
package dev.yangtuo.engine;

import org.jspecify.annotations.NullMarked;
