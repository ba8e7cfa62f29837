package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.recipe.Interval;
import dev.yangtuo.recipe.JudgedPair;
import dev.yangtuo.recipe.Judgment;
import dev.yangtuo.recipe.PairwiseReport;
import dev.yangtuo.recipe.RatedPair;
import dev.yangtuo.recipe.RatingReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What {@code judge} found, for people and for programs.
 *
 * @param a what the command line calls the first file
 * @param b the same of the second
 * @param judged of the methods that compare; else null
 * @param rated of the methods that rate; else null
 * @param interrupted whether pairs are missing
 */
record JudgeReport(String a, String b, JudgeMethod method, AnswerPairs pairs, @Nullable PairwiseReport judged, @Nullable RatingReport rated, boolean interrupted) {
    /** For a terminal. */
    String plain() {
        StringBuilder out = new StringBuilder(about()).append("\n\n");
        TextTable.append(out, rows(), Set.of(0, 2));
        return out.toString();
    }

    /** A sentence and a table. */
    String markdown() {
        StringBuilder out = new StringBuilder(about()).append("\n\n|  |  |  |\n| --- | ---: | --- |\n");
        rows().forEach(row -> out.append("| ").append(String.join(" | ", row)).append(" |\n"));
        return out.toString();
    }

    private String about() {
        int count = judged == null ? rating().pairs() : judged.pairs();
        StringBuilder about = new StringBuilder("A %s, B %s: %d pairs, method %s".formatted(TerminalText.escaped(a), TerminalText.escaped(b), count, method.label()));
        if (pairs.onlyA() + pairs.onlyB() + pairs.unanswered() > 0) {
            about.append("; left out: %d ids only in A, %d only in B, %d without an answer".formatted(pairs.onlyA(), pairs.onlyB(), pairs.unanswered()));
        }
        return about.append(interrupted ? "; interrupted" : "").toString();
    }

    private List<List<String>> rows() {
        return judged == null ? rows(rating()) : rows(judged);
    }

    private static List<List<String>> rows(PairwiseReport report) {
        int pairs = report.pairs();
        List<List<String>> rows = new ArrayList<>();
        rows.add(count("A wins", report.winsA(), pairs));
        rows.add(count("B wins", report.winsB(), pairs));
        rows.add(count("ties", report.ties(), pairs));
        rows.add(count("  in both orders", report.agreedTies(), pairs));
        rows.add(count("  the orders disagree", report.disagreed(), pairs));
        rows.add(count("    the first place won both times", report.followedFirst(), pairs));
        rows.add(count("    the second place won both times", report.followedSecond(), pairs));
        rows.add(count("no verdict", report.undecided(), pairs));
        rows.add(rate("win rate of A, a tie counting a half", report.winRate(), report.winRateInterval()));
        rows.add(rate("win rate of A without ties", report.winRateWithoutTies(), report.winRateWithoutTiesInterval()));
        rows.add(List.of("both orders say the same", percent(report.consistency()), ""));
        rows.add(List.of("verdicts for the first place", percent(report.firstPlaceShare()), "of %d for one of them".formatted(report.saidFirst() + report.saidSecond())));
        return rows;
    }

    private static List<List<String>> rows(RatingReport report) {
        int pairs = report.pairs();
        return List.of(
                List.of("mean score of A", decimals(report.meanA()), interval(report.meanAInterval(), 1)),
                List.of("mean score of B", decimals(report.meanB()), interval(report.meanBInterval(), 1)),
                count("A has the higher score", report.winsA(), pairs),
                count("B has the higher score", report.winsB(), pairs),
                count("ties", report.ties(), pairs),
                count("no score", report.undecided(), pairs),
                rate("win rate of A, a tie counting a half", report.winRate(), report.winRateInterval()));
    }

    private static List<String> count(String label, int count, int of) {
        return List.of(label, Integer.toString(count), percent((double) count / of));
    }

    private static List<String> rate(String label, double share, Interval interval) {
        return List.of(label, percent(share), interval(interval, 100));
    }

    private static String interval(Interval interval, double unit) {
        return Double.isNaN(interval.low()) ? "" : String.format(Locale.ROOT, "95 %% interval %.2f to %.2f", unit * interval.low(), unit * interval.high());
    }

    private static String percent(double share) {
        return Double.isNaN(share) ? "-" : String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }

    private static String decimals(double value) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%.3f", value);
    }

    /** One JSON object, which docs/recipes.md describes. Keys are not renamed or removed. */
    ObjectNode json() {
        ObjectNode object = JsonResult.object();
        object.put("a", a).put("b", b).put("method", method.label());
        object.put("only_in_a", pairs.onlyA()).put("only_in_b", pairs.onlyB()).put("unanswered", pairs.unanswered());
        if (judged != null) {
            put(object, judged);
        } else {
            put(object, rating());
        }
        return object.put("interrupted", interrupted);
    }

    private RatingReport rating() {
        if (rated == null) {
            throw new IllegalStateException("nothing was judged");
        }
        return rated;
    }

    private static void put(ObjectNode object, PairwiseReport report) {
        object.put("pairs", report.pairs())
                .put("a_wins", report.winsA())
                .put("b_wins", report.winsB())
                .put("ties", report.ties())
                .put("agreed_ties", report.agreedTies())
                .put("disagreed", report.disagreed())
                .put("followed_first", report.followedFirst())
                .put("followed_second", report.followedSecond())
                .put("no_verdict", report.undecided());
        putRate(object, "win_rate", report.winRate(), report.winRateInterval());
        putRate(object, "win_rate_without_ties", report.winRateWithoutTies(), report.winRateWithoutTiesInterval());
        object.set("consistency", JsonResult.number(report.consistency()));
        object.put("said_first", report.saidFirst()).put("said_second", report.saidSecond()).put("said_tie", report.saidTie());
        object.set("first_place_share", JsonResult.number(report.firstPlaceShare()));
    }

    private static void put(ObjectNode object, RatingReport report) {
        object.put("pairs", report.pairs())
                .put("a_wins", report.winsA())
                .put("b_wins", report.winsB())
                .put("ties", report.ties())
                .put("no_score", report.undecided());
        putRate(object, "mean_a", report.meanA(), report.meanAInterval());
        putRate(object, "mean_b", report.meanB(), report.meanBInterval());
        putRate(object, "win_rate", report.winRate(), report.winRateInterval());
    }

    private static void putRate(ObjectNode object, String key, double rate, Interval interval) {
        object.set(key, JsonResult.number(rate));
        object.set(key + "_low", JsonResult.number(interval.low()));
        object.set(key + "_high", JsonResult.number(interval.high()));
    }

    /** A line on one pair. */
    static String json(JudgedPair pair) {
        ObjectNode object = JsonResult.object();
        object.put("id", pair.pair().id()).put("winner", pair.outcome().name().toLowerCase(Locale.ROOT));
        put(object.putObject("in_order"), pair.inOrder());
        put(object.putObject("swapped"), pair.swapped());
        return JsonResult.line(object);
    }

    private static void put(ObjectNode object, Judgment judgment) {
        object.put("verdict", judgment.verdict().letter());
        if (!judgment.logProbabilities().isEmpty()) {
            judgment.logProbabilities().forEach(object.putArray("log_probabilities")::add);
        }
        if (!judgment.text().isEmpty()) {
            object.put("text", judgment.text());
        }
    }

    /** A line on one pair. */
    static String json(RatedPair pair) {
        ObjectNode object = JsonResult.object();
        object.put("id", pair.pair().id()).put("winner", pair.outcome().name().toLowerCase(Locale.ROOT));
        object.set("score_a", JsonResult.number(pair.a()));
        object.set("score_b", JsonResult.number(pair.b()));
        return JsonResult.line(object);
    }
}
