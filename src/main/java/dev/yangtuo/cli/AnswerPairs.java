package dev.yangtuo.cli;

import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.recipe.AnswerPair;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The answers of two systems that belong together by their ids, in the order of the first file.
 *
 * @param onlyA ids that only the first file has
 * @param onlyB ids that only the second file has
 * @param unanswered ids of which one file or both have no text, such as those that ended with an error
 */
record AnswerPairs(List<AnswerPair> pairs, int onlyA, int onlyB, int unanswered) {
    private static final String REMEDY = "name the file of the prompts with --prompts";

    /**
     * Reads all files.
     *
     * @param prompts the questions, null if the answers have them
     * @throws YangtuoException if a line is not understood, an id is there twice, a question is missing, or no id is in both files
     */
    static AnswerPairs read(TextFile a, TextFile b, @Nullable TextFile prompts) throws IOException {
        Map<String, TextRecords.TextRecord> questions = prompts == null ? Map.of() : byId(prompts);
        Map<String, TextRecords.TextRecord> answersA = byId(a);
        Map<String, TextRecords.TextRecord> answersB = byId(b);
        List<AnswerPair> pairs = new ArrayList<>();
        int both = 0;
        for (Map.Entry<String, TextRecords.TextRecord> entry : answersA.entrySet()) {
            TextRecords.TextRecord first = entry.getValue();
            TextRecords.TextRecord second = answersB.get(entry.getKey());
            if (second == null) {
                continue;
            }
            both++;
            if (first.text() != null && second.text() != null) {
                pairs.add(new AnswerPair(entry.getKey(), question(first, second, questions.get(entry.getKey())), first.text(), second.text()));
            }
        }
        if (pairs.isEmpty()) {
            throw new YangtuoException("%s and %s have no answers to the same id; there is nothing to judge".formatted(a.name(), b.name()));
        }
        return new AnswerPairs(pairs, answersA.size() - both, answersB.size() - both, both - pairs.size());
    }

    /** That of the prompts' file counts, then that of the first answer. */
    private static String question(TextRecords.TextRecord a, TextRecords.TextRecord b, TextRecords.@Nullable TextRecord prompt) {
        if (prompt != null) {
            return prompt.requirePrompt("this is a file of prompts");
        }
        return a.prompt() == null && b.prompt() != null ? b.prompt() : a.requirePrompt(REMEDY);
    }

    private static Map<String, TextRecords.TextRecord> byId(TextFile file) throws IOException {
        Map<String, TextRecords.TextRecord> records = new LinkedHashMap<>();
        try (TextRecords in = TextRecords.open(file)) {
            while (in.hasNext()) {
                TextRecords.TextRecord record = in.next().light();
                if (records.put(record.requireId(), record) != null) {
                    throw new YangtuoException("%s: the id '%s' is there already; ids must differ".formatted(record.place(), record.id()));
                }
            }
        }
        return records;
    }
}
