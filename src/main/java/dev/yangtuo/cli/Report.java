package dev.yangtuo.cli;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What was found, for people: facts and tables.
 *
 * @param facts each with its name, in the order in which they are written
 * @param tables written after them
 */
record Report(Map<String, String> facts, List<Table> tables) {
    /**
     * A table.
     *
     * @param rows the header first, all of as many cells
     * @param leftAligned the columns whose cells begin together
     */
    record Table(List<List<String>> rows, Set<Integer> leftAligned) {}

    /** For a terminal. */
    String text() {
        StringBuilder out = new StringBuilder();
        int width = facts.keySet().stream().mapToInt(String::length).max().orElse(0) + 2;
        facts.forEach((name, fact) -> out.append(name).repeat(" ", width - name.length()).append(TerminalText.escaped(fact)).append('\n'));
        for (Table table : tables) {
            out.append('\n');
            TextTable.append(out, table.rows().stream().map(row -> row.stream().map(TerminalText::escaped).toList()).toList(), table.leftAligned());
        }
        return out.toString();
    }

    /** A list, and the tables. */
    String markdown() {
        StringBuilder out = new StringBuilder();
        facts.forEach((name, fact) -> out.append("- ").append(name).append(": ").append(markdown(fact)).append('\n'));
        for (Table table : tables) {
            out.append('\n');
            List<String> header = table.rows().getFirst();
            line(out, header);
            line(out, IntStream.range(0, header.size()).mapToObj(i -> table.leftAligned().contains(i) ? "---" : "---:").toList());
            table.rows().subList(1, table.rows().size()).forEach(row -> line(out, row));
        }
        return out.toString();
    }

    private static void line(StringBuilder out, List<String> cells) {
        out.append("| ").append(String.join(" | ", cells.stream().map(Report::markdown).toList())).append(" |\n");
    }

    /** Text out of files as Markdown shows it: nothing in it begins a cell or a tag. */
    private static String markdown(String text) {
        return TerminalText.escaped(text).replace("|", "\\|").replace("<", "&lt;");
    }
}
