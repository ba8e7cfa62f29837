/**
 * The small unchecked exception hierarchy of the library. A leaf: it uses nothing else of ours, everything may use it.
 * Start with {@link dev.yangtuo.exception.YangtuoException}.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.exception;
