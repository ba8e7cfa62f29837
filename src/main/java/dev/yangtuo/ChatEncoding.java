package dev.yangtuo;

import dev.yangtuo.chat.ChatMessage;
import dev.yangtuo.chat.ChatPrompt;
import dev.yangtuo.chat.ChatTemplate;
import dev.yangtuo.chat.SpecialTexts;
import dev.yangtuo.exception.ContextLengthException;
import dev.yangtuo.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** How the conversations of one model become ids. Immutable, thread-safe. */
final class ChatEncoding {
    private final ChatTemplate template;
    private final Tokenizer tokenizer;
    private final SpecialTexts special;
    private final ChatEnd end;
    private final boolean bos;

    /** @param bos whether a beginning-of-sequence token comes first where the model expects one; where the template writes one itself, none is added */
    ChatEncoding(ChatTemplate template, Tokenizer tokenizer, boolean bos) {
        this.template = template;
        this.tokenizer = tokenizer;
        this.special = SpecialTexts.of(tokenizer);
        this.end = ChatEnd.of(template, tokenizer);
        this.bos = bos && tokenizer.model().special().addBos();
    }

    /** What ends an answer. */
    ChatEnd end() {
        return end;
    }

    /** The ids of messages and of what introduces the next answer. Special tokens come from the template alone. */
    int[] encode(List<ChatMessage> messages) {
        ChatPrompt prompt = template.render(messages, true, special);
        int[] ids = tokenizer.encodePrompt(prompt.text(), prompt.quoted(), end.marks());
        if (!bos || tokenizer.bosId() < 0 || ids.length > 0 && ids[0] == tokenizer.bosId()) {
            return ids;
        }
        return IntStream.concat(IntStream.of(tokenizer.bosId()), IntStream.of(ids)).toArray();
    }

    /**
     * The messages without the oldest turns, as few of them as make the rest fit. A turn is a message of the user and what follows it up to the next
     * one; what is before the first turn, such as a system message, stays.
     *
     * @param room tokens that the prompt should have at most
     * @param context tokens that it must have at most
     * @throws ContextLengthException if the last turn alone does not fit the context
     */
    List<ChatMessage> fit(List<ChatMessage> messages, int room, int context) {
        if (encode(messages).length <= room) {
            return messages;
        }
        List<Integer> starts = IntStream.range(0, messages.size()).filter(i -> messages.get(i).is(ChatMessage.USER)).boxed().toList();
        int low = Math.min(1, starts.size() - 1);
        int high = starts.size() - 1;
        while (low < high) {
            int middle = (low + high) / 2;
            if (encode(without(messages, starts, middle)).length <= room) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        List<ChatMessage> rest = starts.isEmpty() ? messages : without(messages, starts, high);
        int tokens = encode(rest).length;
        if (tokens > context) {
            throw new ContextLengthException("the last turn of the conversation", tokens, context);
        }
        return rest;
    }

    /** @param starts where turns begin */
    private static List<ChatMessage> without(List<ChatMessage> messages, List<Integer> starts, int turns) {
        List<ChatMessage> rest = new ArrayList<>(messages.subList(0, starts.getFirst()));
        rest.addAll(messages.subList(starts.get(turns), messages.size()));
        return rest;
    }
}
