package dev.yangtuo.recipe;

/**
 * A question and the answers of two systems to it.
 *
 * @param id names it
 * @param question that both answer
 * @param a answer of the first system
 * @param b answer of the second system
 */
public record AnswerPair(String id, String question, String a, String b) {}
