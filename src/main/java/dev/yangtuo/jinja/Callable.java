package dev.yangtuo.jinja;

import org.jspecify.annotations.Nullable;

/** What can be called: a macro, a function, a method of a value. */
@FunctionalInterface
interface Callable {
    @Nullable Object call(Arguments arguments, Rendering rendering);
}
