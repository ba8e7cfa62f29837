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

/**
 * What ends an answer: what the template writes behind one. A special token of the vocabulary, such as {@code <|im_end|>}, is an id that ends the
 * text; where the vocabulary has no such token, or the template writes none, the words themselves are a stop text.
 *
 * @param ids none or one
 * @param stops none or one
 * @param marks user-defined pieces that the template writes between an answer and the next question: some vocabularies declare the tokens of their chats so
 */
record ChatEnd(List<Integer> ids, List<String> stops, List<String> marks) {
    /** Nothing beside what ends every text of the model. */
    static final ChatEnd NONE = new ChatEnd(List.of(), List.of(), List.of());

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
        List<Token> found = tokenizer.encodeAsTokens(words, EncodeOptions.PLAIN.withParseSpecial(true)).stream().filter(token -> isMark(token, tokenizer)).toList();
        List<String> marks = found.stream().filter(token -> tokenizer.type(token.id()) == PieceType.USER_DEFINED).map(Token::piece).distinct().toList();
        String before = words.substring(0, found.isEmpty() ? words.length() : found.getFirst().charStart()).strip();
        if (!before.isEmpty()) {
            return new ChatEnd(List.of(), List.of(before), marks);
        }
        return found.isEmpty() ? NONE : new ChatEnd(List.of(found.getFirst().id()), List.of(), marks);
    }

    /** User-defined pieces of white space, which some vocabularies have, are text. */
    private static boolean isMark(Token token, Tokenizer tokenizer) {
        return switch (tokenizer.type(token.id())) {
            case CONTROL -> true;
            case USER_DEFINED -> !token.piece().replace('\u2581', ' ').isBlank();
            default -> false;
        };
    }
}
