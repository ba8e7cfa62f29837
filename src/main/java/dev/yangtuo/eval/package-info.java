/**
 * How good a model is: multiple-choice questions in C-Eval's layout, pCLUE's tasks, and the same text under two models.
 *
 * <p>Read in this order: {@link dev.yangtuo.eval.LanguageModel} (what is asked), {@link dev.yangtuo.eval.CevalSet} and
 * {@link dev.yangtuo.eval.CevalEvaluation}, {@link dev.yangtuo.eval.PclueItem}, {@link dev.yangtuo.eval.PcluePredictor} and
 * {@link dev.yangtuo.eval.PclueScorer}, {@link dev.yangtuo.eval.TextComparison}.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.eval;
