/** Many things at a time, for packages that ask a model many questions. */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.concurrent;
