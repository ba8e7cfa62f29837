package dev.yangtuo.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** A table of Markdown, row by row. */
public final class MarkdownTable {
    private final StringBuilder text = new StringBuilder();
    private final int columns;

    /**
     * @param words how many columns stand left-aligned, before those of numbers
     * @param header of all columns
     */
    public MarkdownTable(int words, List<String> header) {
        columns = header.size();
        add(header);
        List<String> rule = new ArrayList<>();
        for (int i = 0; i < columns; i++) {
            rule.add(i < words ? "---" : "---:");
        }
        add(rule);
    }

    /** Adds a row; a vertical bar in a cell stays one. */
    public void add(List<String> cells) {
        if (cells.size() != columns) {
            throw new IllegalArgumentException("a row of %d cells in a table of %d columns".formatted(cells.size(), columns));
        }
        text.append(cells.stream().map(cell -> cell.replace("|", "\\|")).collect(Collectors.joining(" | ", "| ", " |\n")));
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
