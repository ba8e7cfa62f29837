package dev.yangtuo.sampling;

import dev.yangtuo.exception.YangtuoException;

/** Whatever the program's own step does fails its text alone. */
final class CheckedCustomStep implements RowStep {
    private final CustomStep step;
    private final int choices;

    CheckedCustomStep(CustomStep step, int choices) {
        this.step = step;
        this.choices = choices;
    }

    @Override
    public void apply(TokenHistory history, float[] logits) {
        try {
            step.apply(history.view(), logits);
        } catch (RuntimeException | Error e) {
            throw new YangtuoException("the logits processor has failed at token %d of the text: %s".formatted(history.count(), e), e);
        }
        for (int id = 0; id < choices; id++) {
            if (!(logits[id] < Float.POSITIVE_INFINITY)) {
                throw new YangtuoException("the logit of token %d is %s behind the logits processor, must be finite or minus infinity".formatted(id, logits[id]));
            }
        }
    }
}
