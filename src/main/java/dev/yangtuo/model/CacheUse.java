package dev.yangtuo.model;

/** What a cache of packed weights did for a load. */
public enum CacheUse {
    /** Nothing: there was none, or it could not be used. */
    NONE,
    /** The weights were mapped from it. */
    READ,
    /** The weights were written into it. */
    WRITTEN
}
