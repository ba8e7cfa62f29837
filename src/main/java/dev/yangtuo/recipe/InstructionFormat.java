package dev.yangtuo.recipe;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How tasks are written in a prompt, and read from what follows it: numbered, with three labels, and {@code ###} between them, as Stanford Alpaca
 * does.
 *
 * <pre>
 * ###
 * 1. 指令：…
 * 1. 输入：无
 * 1. 输出：…
 * </pre>
 *
 * @param template with {@link SelfInstructOptions#PLACES}
 */
record InstructionFormat(PromptTemplate template, RecipeLanguage language) {
    private static final Pattern LABEL = Pattern.compile(
            "\\s{0,8}(?:[0-9]{1,4}\\s?[.、．)）]?\\s{0,4})?(指令|输入|输出|instruction|input|output)\\s{0,4}[:：]\\s*(.*)", Pattern.CASE_INSENSITIVE | Pattern.DOTALL);
    private static final Pattern SEPARATOR = Pattern.compile("\\s{0,8}#{3,}.*");
    private static final Set<String> NO_INPUT = Set.of("无", "无。", "<无>", "<无输入>", "无输入", "none", "none.", "<none>", "n/a", "<noinput>", "no input");

    /** What each task of a text is: one that could be read, or none. */
    record Parsed(List<Instruction> tasks, int unreadable, boolean unfinished) {}

    /** The prompt: examples, and the beginning of the task behind them. */
    String prompt(List<Instruction> examples) {
        StringBuilder tasks = new StringBuilder();
        for (int i = 0; i < examples.size(); i++) {
            Instruction example = examples.get(i);
            tasks.append("###\n");
            line(tasks, i, instructionLabel(), example.instruction());
            line(tasks, i, inputLabel(), example.input().isBlank() ? noInput() : example.input());
            line(tasks, i, outputLabel(), example.output());
        }
        return template.render(Map.of("tasks", tasks.append("###\n").append(beginning(examples.size())).toString()));
    }

    private void line(StringBuilder out, int index, String label, String text) {
        out.append(index + 1).append(". ").append(label).append(text.strip()).append('\n');
    }

    private String beginning(int index) {
        return "%d. %s".formatted(index + 1, instructionLabel()).stripTrailing();
    }

    private String instructionLabel() {
        return language == RecipeLanguage.CHINESE ? "指令：" : "Instruction: ";
    }

    private String inputLabel() {
        return language == RecipeLanguage.CHINESE ? "输入：" : "Input: ";
    }

    private String outputLabel() {
        return language == RecipeLanguage.CHINESE ? "输出：" : "Output: ";
    }

    private String noInput() {
        return language == RecipeLanguage.CHINESE ? "无" : "None";
    }

    /**
     * Reads the tasks.
     *
     * @param text what followed the prompt; a chat model may write the label again that the prompt ends with
     * @param finished whether it came to an end of its own; else the last task is left out, for its end is missing
     */
    Parsed parse(String text, boolean finished) {
        List<Draft> drafts = new ArrayList<>();
        drafts.add(new Draft());
        String first = text.lines().filter(line -> !line.isBlank()).findFirst().orElse("");
        boolean begun = LABEL.matcher(first).matches() || SEPARATOR.matcher(first).matches();
        for (String line : ((begun ? "" : instructionLabel()) + text).split("\n", -1)) {
            Matcher label = LABEL.matcher(line);
            if (SEPARATOR.matcher(line).matches()) {
                drafts.add(new Draft());
            } else if (label.matches()) {
                Field field = Field.of(label.group(1));
                if (field == Field.INSTRUCTION && !drafts.getLast().isEmpty()) {
                    drafts.add(new Draft());
                }
                drafts.getLast().begin(field, label.group(2));
            } else {
                drafts.getLast().append(line);
            }
        }
        drafts.removeIf(Draft::isEmpty);
        boolean cut = !finished && !drafts.isEmpty();
        if (cut) {
            drafts.removeLast();
        }
        List<Instruction> tasks = drafts.stream().filter(Draft::isReadable).map(Draft::task).toList();
        return new Parsed(tasks, drafts.size() - tasks.size(), cut);
    }

    private enum Field {
        INSTRUCTION, INPUT, OUTPUT;

        static Field of(String label) {
            return switch (label.toLowerCase(Locale.ROOT)) {
                case "指令", "instruction" -> INSTRUCTION;
                case "输入", "input" -> INPUT;
                default -> OUTPUT;
            };
        }
    }

    /** A task that is being read. */
    private static final class Draft {
        private final StringBuilder[] fields = new StringBuilder[Field.values().length];
        private int current = -1;
        private boolean readable = true;

        /** Fields come in their order, each at most once. */
        void begin(Field field, String text) {
            if (field.ordinal() <= current) {
                readable = false;
                return;
            }
            current = field.ordinal();
            fields[current] = new StringBuilder(text);
        }

        void append(String line) {
            if (current >= 0) {
                fields[current].append('\n').append(line);
            } else if (!line.isBlank()) {
                readable = false; // text before the first label
            }
        }

        boolean isEmpty() {
            return current < 0 && readable;
        }

        boolean isReadable() {
            return readable && fields[Field.INSTRUCTION.ordinal()] != null && fields[Field.OUTPUT.ordinal()] != null;
        }

        Instruction task() {
            String input = text(Field.INPUT);
            return new Instruction(text(Field.INSTRUCTION), NO_INPUT.contains(input.toLowerCase(Locale.ROOT)) ? "" : input, text(Field.OUTPUT));
        }

        private String text(Field field) {
            StringBuilder text = fields[field.ordinal()];
            return text == null ? "" : text.toString().strip();
        }
    }
}
