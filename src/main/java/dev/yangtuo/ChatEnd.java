package dev.yangtuo;

import dev.yangtuo.chat.ChatMessage;
import dev.yangtuo.chat.ChatTemplate;
import dev.yangtuo.chat.SpecialTexts;
import dev.yangtuo.exception.ChatTemplateException;
import dev.yangtuo.tokenizer.EncodeOptions;
import dev.yangtuo.tokenizer.PieceType;
import dev.yangtuo.tokenizer.Token;
import dev.yangtuo.tokenizer.Tokenizer;
import java.util.List;
import java.util.Optional;

/**
 * What ends an answer: what the template writes behind one. A special token of the vocabulary, such as {@code <|im_end|>}, is an id that ends the text; where the vocabulary
 * has no such token, or the template writes none, the words themselves are a stop text.
 *
 * @param ids none or one
 * @param stops none or one
 */
record ChatEnd(List<Integer> ids, List<String> stops) {
    /** Nothing beside what ends every text of the model. */
    static final ChatEnd NONE = new ChatEnd(List.of(), List.of());

    private static final String ANSWER = "yangtuoanswer";
    private static final String NEXT = "yangtuonext";

    /** Asks the template for a conversation, and looks at what it puts between an answer and the next question. */
    static ChatEnd of(ChatTemplate template, Tokenizer tokenizer) {
        List<ChatMessage> messages = List.of(ChatMessage.user("yangtuoquestion"), ChatMessage.assistant(ANSWER), ChatMessage.user(NEXT));
        String text;
        try {
            text = template.render(messages, false, SpecialTexts.of(tokenizer)).text();
        } catch (ChatTemplateException e) {
            return NONE; // it takes single questions only
        }
        int from = text.lastIndexOf(ANSWER);
        int to = text.lastIndexOf(NEXT);
        return from < 0 || to < from ? NONE : between(text.substring(from + ANSWER.length(), to), tokenizer);
    }

    private static ChatEnd between(String words, Tokenizer tokenizer) {
        Optional<Token> mark = tokenizer.encodeAsTokens(words, EncodeOptions.PLAIN.withParseSpecial(true)).stream()
                .filter(token -> tokenizer.type(token.id()) == PieceType.CONTROL)
                .findFirst();
        String before = words.substring(0, mark.map(Token::charStart).orElse(words.length())).strip();
        if (!before.isEmpty()) {
            return new ChatEnd(List.of(), List.of(before));
        }
        return mark.map(token -> new ChatEnd(List.of(token.id()), List.of())).orElse(NONE);
    }
}
