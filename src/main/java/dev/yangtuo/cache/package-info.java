/**
 * Packed weights kept in files, to be mapped at the next load: {@link dev.yangtuo.cache.WeightCache} is the folder, {@link dev.yangtuo.cache.CacheKey} what a
 * file is found by, {@link dev.yangtuo.cache.CacheHeader} what it begins with, {@link dev.yangtuo.cache.HashIndex} what is remembered of other files so that
 * they need not be read again. docs/formats.md describes the files. Nothing in here knows what a model is.
 *
 * <p>No failure of a cache is a failure of the load: whoever uses this package says what was wrong and goes on without.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.cache;
