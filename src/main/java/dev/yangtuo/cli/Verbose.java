package dev.yangtuo.cli;

/** A command that can be asked to say more about a failure. */
interface Verbose {
    boolean verbose();
}
