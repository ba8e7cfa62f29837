package dev.yangtuo.grammar;

import dev.yangtuo.exception.GrammarException;
import dev.yangtuo.tokenizer.StreamingDecoder;
import dev.yangtuo.tokenizer.Tokenizer;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** One text that follows a grammar. What is constrained is the text that the user gets: that of {@link Tokenizer#continuationDecoder}. */
final class GrammarConstraint implements TokenConstraint {
    private static final String SPACE_SYMBOL = "\u2581";

    private final TokenMasks masks;
    private final Tokenizer tokenizer;
    private State state;
    /** Whether the space that the next token begins with is dropped. */
    private boolean dropsSpace;
    private boolean ended;
    /** The token that is a dropped space alone and may come, or -1. */
    private final int alone;

    private long @Nullable [] allowed;

    private GrammarConstraint(TokenMasks masks, Tokenizer tokenizer, boolean dropsSpace, int alone) {
        this.masks = masks;
        this.tokenizer = tokenizer;
        this.dropsSpace = dropsSpace;
        this.alone = alone;
        this.state = masks.start();
        if (dropsSpace) {
            tokenizer.firstTrie(); // made here, and not by the thread that computes all texts
        }
    }

    /** A text behind other text. */
    static GrammarConstraint within(TokenMasks masks, Tokenizer tokenizer) {
        return new GrammarConstraint(masks, tokenizer, false, -1);
    }

    /**
     * A text behind a prompt.
     *
     * @param decoder of what continues the prompt
     */
    static GrammarConstraint behind(TokenMasks masks, Tokenizer tokenizer, StreamingDecoder decoder) {
        byte[] heldBack = decoder.heldBack();
        if (heldBack.length == 0) {
            return new GrammarConstraint(masks, tokenizer, decoder.dropsSpace(), spaceAlone(tokenizer, decoder));
        }
        GrammarConstraint constraint = within(masks, tokenizer);
        constraint.state = masks.acceptBytes(constraint.state, heldBack);
        if (constraint.state.dead) {
            throw new GrammarException("the prompt ends within a character, which would begin the text, and the grammar does not let a text begin so");
        }
        return constraint;
    }

    private static int spaceAlone(Tokenizer tokenizer, StreamingDecoder decoder) {
        // Where all spaces are dropped, this token could come for ever.
        OptionalInt space = decoder.dropsAllSpaces() ? OptionalInt.empty() : tokenizer.id(SPACE_SYMBOL);
        return space.isPresent() && tokenizer.bytes(space.getAsInt()).length == 1 ? space.getAsInt() : -1;
    }

    @Override
    public long[] allowed() {
        if (ended) {
            return masks.ends();
        }
        if (allowed == null) {
            allowed = dropsSpace ? masks.allowedFirst(state, tokenizer.firstTrie(), alone) : masks.allowed(state);
        }
        return allowed;
    }

    @Override
    public void accept(int id) {
        if (masks.isEnd(id)) {
            if (!ended && !state.complete) {
                throw refused(id);
            }
            ended = true;
            return;
        }
        State next = state;
        if (!(dropsSpace && id == alone)) {
            next = masks.accept(state, id, dropsSpace ? tokenizer.firstBytes(id) : tokenizer.bytes(id));
        }
        if (ended || next.dead) {
            throw refused(id);
        }
        state = next;
        dropsSpace = false;
        allowed = null;
    }

    private IllegalArgumentException refused(int id) {
        return new IllegalArgumentException("token %d (%s) may not come here by the grammar".formatted(id, tokenizer.piece(id)));
    }
}
