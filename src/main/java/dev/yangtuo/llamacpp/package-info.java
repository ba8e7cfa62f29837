/**
 * llama.cpp as an engine, through its shared library and the generated bindings: docs/llama-cpp.md. {@link dev.yangtuo.llamacpp.LlamaCppLibrary} finds, checks and loads
 * the library; nothing else here may be used before that.
 */
@NullMarked
package dev.yangtuo.llamacpp;

import org.jspecify.annotations.NullMarked;
