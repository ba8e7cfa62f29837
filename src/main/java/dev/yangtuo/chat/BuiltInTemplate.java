package dev.yangtuo.chat;

import dev.yangtuo.exception.ChatTemplateException;
import java.util.List;
import java.util.stream.Stream;

/**
 * The forms of the families of models that this library is for, as their authors train and run them: an optional system message, then questions and
 * answers in turn.
 */
final class BuiltInTemplate extends ChatTemplate {
    /** Begins the prompts of Stanford Alpaca and of Chinese-Alpaca; a system message takes its place. */
    private static final String ALPACA_SYSTEM =
            "Below is an instruction that describes a task. Write a response that appropriately completes the request.";
    /** What Chinese-Alpaca-2 was trained with. */
    private static final String CHINESE_ALPACA_2_SYSTEM = "You are a helpful assistant. 你是一个乐于助人的助手。";
    private static final String ALPACA_INSTRUCTION = "### Instruction:";

    private static final List<BuiltInTemplate> ALL = List.of(
            new BuiltInTemplate("alpaca", BuiltInTemplate::writeAlpaca),
            new BuiltInTemplate("alpaca-training", BuiltInTemplate::writeAlpacaTraining),
            new BuiltInTemplate("chinese-alpaca-2", BuiltInTemplate::writeChineseAlpaca2),
            new BuiltInTemplate("llama-2", BuiltInTemplate::writeLlama2),
            new BuiltInTemplate("llama-3", BuiltInTemplate::writeLlama3),
            new BuiltInTemplate("chatml", BuiltInTemplate::writeChatMl));

    /** Writes one message down, or the introduction of an answer. */
    @FunctionalInterface
    private interface Writer {
        void write(Conversation conversation, PromptBuilder out);
    }

    /**
     * Messages in the order that all these forms ask for.
     *
     * @param system empty if there is none
     * @param turns user, assistant, user...
     */
    private record Conversation(String system, List<ChatMessage> turns, boolean addGenerationPrompt, SpecialTexts special) {
        boolean isUser(int turn) {
            return turn % 2 == 0;
        }

        String content(int turn) {
            return turns.get(turn).content();
        }

        void writeSystem(PromptBuilder out, String otherwise) {
            if (system.isEmpty()) {
                out.add(otherwise);
            } else {
                out.quote(system);
            }
        }
    }

    private final String name;
    private final Writer writer;

    private BuiltInTemplate(String name, Writer writer) {
        this.name = name;
        this.writer = writer;
    }

    static BuiltInTemplate of(String name) {
        return ALL.stream()
                .filter(template -> template.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("'%s' is no chat template; expected %s".formatted(name, String.join(", ", allNames()))));
    }

    static List<String> allNames() {
        return ALL.stream().map(BuiltInTemplate::name).toList();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public ChatPrompt render(List<ChatMessage> messages, boolean addGenerationPrompt, SpecialTexts special) {
        if (messages.isEmpty()) {
            throw new ChatTemplateException(name, "there is no message");
        }
        boolean hasSystem = messages.getFirst().is(ChatMessage.SYSTEM);
        List<ChatMessage> turns = messages.subList(hasSystem ? 1 : 0, messages.size());
        for (int i = 0; i < turns.size(); i++) {
            String expected = i % 2 == 0 ? ChatMessage.USER : ChatMessage.ASSISTANT;
            if (!turns.get(i).is(expected)) {
                throw new ChatTemplateException(name, "message %d has the role '%s', expected '%s': after an optional system message, user and assistant take turns"
                        .formatted(i + (hasSystem ? 2 : 1), turns.get(i).role(), expected));
            }
        }
        PromptBuilder out = new PromptBuilder();
        writer.write(new Conversation(hasSystem ? messages.getFirst().content() : "", turns, addGenerationPrompt, special), out);
        return out.build();
    }

    /** {@code ### Instruction:}, a blank line, the question, a blank line, {@code ### Response:}, a blank line, the answer. */
    private static void writeAlpaca(Conversation conversation, PromptBuilder out) {
        writeAlpaca(conversation, out, "\n\n", "\n\n");
    }

    /** The form without those blank lines that the training of Chinese-Alpaca uses. */
    private static void writeAlpacaTraining(Conversation conversation, PromptBuilder out) {
        writeAlpaca(conversation, out, "\n", " ");
    }

    private static void writeAlpaca(Conversation conversation, PromptBuilder out, String afterInstruction, String afterResponse) {
        conversation.writeSystem(out, ALPACA_SYSTEM);
        for (int i = 0; i < conversation.turns().size(); i++) {
            if (conversation.isUser(i)) {
                out.add("\n\n" + ALPACA_INSTRUCTION + afterInstruction).quote(conversation.content(i));
            } else {
                out.add("\n\n### Response:" + afterResponse).quote(conversation.content(i));
            }
        }
        if (conversation.addGenerationPrompt()) {
            out.add("\n\n### Response:" + afterResponse);
        }
    }

    /** As Llama 2, but with a system message in any case and one space less. */
    private static void writeChineseAlpaca2(Conversation conversation, PromptBuilder out) {
        for (int i = 0; i < conversation.turns().size(); i++) {
            if (conversation.isUser(i)) {
                out.add(conversation.special().bos() + "[INST] ");
                if (i == 0) {
                    out.add("<<SYS>>\n");
                    conversation.writeSystem(out, CHINESE_ALPACA_2_SYSTEM);
                    out.add("\n<</SYS>>\n\n");
                }
                out.quote(conversation.content(i)).add(" [/INST]");
            } else {
                out.add(" ").quote(conversation.content(i)).add(conversation.special().eos());
            }
        }
    }

    /** As Meta's own program writes it, which trims what is said. */
    private static void writeLlama2(Conversation conversation, PromptBuilder out) {
        for (int i = 0; i < conversation.turns().size(); i++) {
            String content = conversation.content(i).strip();
            if (conversation.isUser(i)) {
                out.add(conversation.special().bos() + "[INST] ");
                if (i == 0 && !conversation.system().isEmpty()) {
                    out.add("<<SYS>>\n").quote(conversation.system()).add("\n<</SYS>>\n\n");
                }
                out.quote(content).add(" [/INST]");
            } else {
                out.add(" ").quote(content).add(" " + conversation.special().eos());
            }
        }
    }

    private static void writeLlama3(Conversation conversation, PromptBuilder out) {
        out.add(conversation.special().bos());
        withSystem(conversation).forEach(message -> out.add("<|start_header_id|>" + message.role() + "<|end_header_id|>\n\n")
                .quote(message.content().strip()).add("<|eot_id|>"));
        if (conversation.addGenerationPrompt()) {
            out.add("<|start_header_id|>assistant<|end_header_id|>\n\n");
        }
    }

    private static void writeChatMl(Conversation conversation, PromptBuilder out) {
        withSystem(conversation).forEach(message -> out.add("<|im_start|>" + message.role() + "\n").quote(message.content()).add("<|im_end|>\n"));
        if (conversation.addGenerationPrompt()) {
            out.add("<|im_start|>assistant\n");
        }
    }

    private static Stream<ChatMessage> withSystem(Conversation conversation) {
        Stream<ChatMessage> turns = conversation.turns().stream();
        return conversation.system().isEmpty() ? turns : Stream.concat(Stream.of(ChatMessage.system(conversation.system())), turns);
    }
}
