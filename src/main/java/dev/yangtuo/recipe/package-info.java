/**
 * Recipes on top of generating and scoring many texts at a time: answers judged in pairs, the best of several answers, instruction data from seed
 * tasks.
 *
 * <p>Read in this order: {@link dev.yangtuo.recipe.TextGenerator} (what writes), {@link dev.yangtuo.recipe.PairJudge} and {@link
 * dev.yangtuo.recipe.AnswerRater} (what judges), then the recipes {@link dev.yangtuo.recipe.PairwiseJudging}, {@link dev.yangtuo.recipe.BestOfN}
 * and {@link dev.yangtuo.recipe.SelfInstruct}. All of them take the model through these interfaces, so that another model, or another program, can
 * take its place.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.recipe;
