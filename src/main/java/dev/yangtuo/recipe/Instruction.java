package dev.yangtuo.recipe;

/**
 * A task and how it is to be done, as Stanford Alpaca's data has them.
 *
 * @param instruction what is to be done
 * @param input what it is to be done with; may be empty
 * @param output the answer
 */
public record Instruction(String instruction, String input, String output) {}
