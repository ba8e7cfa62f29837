package dev.yangtuo.eval;

import dev.yangtuo.exception.YangtuoException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The questions of one subject.
 *
 * @param id as its files are named: {@code computer_network}
 * @param name its Chinese name; the id where none is known
 * @param category null where none is known
 * @param file where the questions are from
 * @param questions in the order of the file
 * @param examples questions with answers, which may go before a question; in the order of their file
 */
public record CevalSubject(
        String id, String name, @Nullable CevalCategory category, Path file, List<CevalQuestion> questions, List<CevalQuestion> examples) {
    /** Copies the lists. */
    public CevalSubject {
        questions = List.copyOf(questions);
        examples = List.copyOf(examples);
    }

    /**
     * The same with its first questions only.
     *
     * @param count at least 1; more than there are take all
     */
    public CevalSubject first(int count) {
        return new CevalSubject(id, name, category, file, questions.subList(0, Math.min(count, questions.size())), examples);
    }

    /** @throws YangtuoException if it has fewer examples */
    public void requireExamples(int count) {
        if (examples.size() < count) {
            String there = examples.isEmpty() ? "no examples, dev/%s_dev.csv is not there".formatted(id) : "%d examples in its dev file".formatted(examples.size());
            throw new YangtuoException("%s: the subject '%s' has %s; %d are asked for; add some, or ask for %d".formatted(file, id, there, count, examples.size()));
        }
    }

    /** Whether it is one of the eight subjects of C-Eval Hard. */
    public boolean isHard() {
        return CevalNames.HARD.contains(id);
    }
}
