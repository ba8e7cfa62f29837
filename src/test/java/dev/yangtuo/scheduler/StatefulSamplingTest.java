package dev.yangtuo.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.grammar.TokenConstraint;
import dev.yangtuo.model.Model;
import dev.yangtuo.model.TestModels;
import dev.yangtuo.sampling.CustomStep;
import dev.yangtuo.sampling.Dry;
import dev.yangtuo.sampling.DynamicTemperature;
import dev.yangtuo.sampling.Mirostat;
import dev.yangtuo.sampling.Penalties;
import dev.yangtuo.sampling.Sampler;
import dev.yangtuo.sampling.SamplerVocabulary;
import dev.yangtuo.sampling.SamplingOptions;
import dev.yangtuo.sampling.TokenName;
import dev.yangtuo.sampling.TokenRules;
import dev.yangtuo.sampling.Truncation;
import dev.yangtuo.sampling.Xtc;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Samplers that remember something follow the text, and nothing else: guesses and preemptions change no token. */
@Timeout(120)
class StatefulSamplingTest {
    private static final int CONTEXT = 256;
    private static final int TOKENS = 120;
    private static final int END = 2;
    private static final int[] PROMPT = {1, 5, 6, 7, 5, 6, 7, 5, 6, 8, 5};
    /** Draws among few, so that texts repeat themselves and guesses are right now and then. */
    private static final SamplingOptions NARROW = new SamplingOptions(0.7f, 3, 1f, 0f, 1f);

    /** Allows the tokens of one residue modulo 5 that the last one chooses. */
    private static final class Residues implements TokenConstraint {
        private final long[] allowed;
        private int residue;

        Residues(int vocabulary) {
            allowed = new long[(vocabulary + 63) / 64];
        }

        @Override
        public long[] allowed() {
            Arrays.fill(allowed, 0);
            for (int id = residue; id < allowed.length * Long.SIZE; id += 5) {
                allowed[id / Long.SIZE] |= 1L << id;
            }
            return allowed;
        }

        @Override
        public void accept(int id) {
            assertThat(id % 5).as("it was allowed").isEqualTo(residue);
            residue = (id * 7 + 3) % 5;
        }
    }

    private static Sampler sampler(SamplingOptions options, int vocabulary) {
        return new Sampler(options, 9, SamplerVocabulary.withoutTexts(vocabulary, END), null, null);
    }

    /** Makes a logit the larger the longer ago its token came, and counts its calls. */
    private static CustomStep custom() {
        int[] calls = new int[1];
        return (tokens, logits) -> {
            assertThat(tokens.limit()).as("one call for each token").isEqualTo(PROMPT.length + calls[0]++);
            for (int i = 0; i < tokens.limit(); i++) {
                logits[tokens.get(i)] -= 0.02f * i;
            }
        };
    }

    private static Map<String, Function<Integer, Sampler>> samplers() {
        Map<String, Function<Integer, Sampler>> samplers = new LinkedHashMap<>();
        samplers.put("window", vocabulary -> sampler(NARROW.with(new Penalties(1.3f, 7, 0.2f, 0.1f)), vocabulary));
        samplers.put("window, greedy", vocabulary -> sampler(SamplingOptions.GREEDY.with(new Penalties(1.3f, 7, 0.2f, 0.1f)), vocabulary));
        samplers.put("whole text", vocabulary -> sampler(NARROW.with(new Penalties(1.1f, -1, 0f, 0.1f)), vocabulary));
        samplers.put("DRY", vocabulary -> sampler(NARROW.with(Dry.OFF.withMultiplier(0.8f)), vocabulary));
        samplers.put("DRY, greedy", vocabulary -> sampler(SamplingOptions.GREEDY.with(Dry.OFF.withMultiplier(0.1f)), vocabulary));
        samplers.put("XTC", vocabulary -> sampler(NARROW.with(new Xtc(0.5f, 0.1f)), vocabulary));
        samplers.put("dynamic temperature", vocabulary -> sampler(NARROW.with(new DynamicTemperature(0.5f, 1f)), vocabulary));
        samplers.put("mirostat", vocabulary -> sampler(NARROW.withTemperature(0.2f).with(new Mirostat(true, 0.5f, 0.3f)), vocabulary));
        samplers.put("typical, top-n-sigma", vocabulary -> sampler(NARROW.with(new Truncation(2f, 5, 0.9f, 1f, 0f)), vocabulary));
        samplers.put("minimum", vocabulary -> sampler(NARROW.with(TokenRules.NONE.withMinTokens(60)), vocabulary));
        samplers.put("required", vocabulary -> sampler(NARROW.with(TokenRules.NONE.plusRequired(TokenName.of(5)).plusRequired(TokenName.of(6))), vocabulary));
        samplers.put("constraint", vocabulary -> new Sampler(NARROW.withTopK(2), 9, vocabulary, new Residues(vocabulary)));
        samplers.put("custom", vocabulary -> new Sampler(NARROW, 9, SamplerVocabulary.withoutTexts(vocabulary, END), null, custom()));
        return samplers;
    }

    private static CollectedText generate(Scheduler scheduler, Sampler sampler, Drafter drafter) {
        CollectedText text = new CollectedText(TOKENS);
        scheduler.submit(new TextTask(PROMPT, sampler, 0, drafter, text));
        return text;
    }

    @Test
    void guessesChangeNothing() {
        int accepted = 0;
        try (Model model = TestModels.tiny(CONTEXT, 2, 0); Scheduler scheduler = new Scheduler(model, SchedulerOptions.DEFAULT)) {
            int vocabulary = model.vocabSize();
            for (Map.Entry<String, Function<Integer, Sampler>> each : samplers().entrySet()) {
                CollectedText plain = generate(scheduler, each.getValue().apply(vocabulary), Drafter.NONE);
                assertThat(plain.await()).as("%s: %s", each.getKey(), plain.failure()).isEqualTo(EndCause.COMPLETE);
                CollectedText guessed = generate(scheduler, each.getValue().apply(vocabulary), new PromptLookup(6));
                assertThat(guessed.await()).as("%s: %s", each.getKey(), guessed.failure()).isEqualTo(EndCause.COMPLETE);
                assertThat(guessed.ids()).as(each.getKey()).isEqualTo(plain.ids());
                accepted += guessed.statistics().accepted();
            }
        }
        assertThat(accepted).as("guesses were right").isGreaterThan(50);
    }

    @Test
    void preemptionChangesNothing() {
        int preemptions = 0;
        try (Model roomy = TestModels.tiny(CONTEXT, 1, 0); Model narrow = TestModels.tiny(CONTEXT, 2, 4)) {
            int vocabulary = narrow.vocabSize();
            for (Map.Entry<String, Function<Integer, Sampler>> each : samplers().entrySet()) {
                try (Scheduler calm = new Scheduler(roomy, SchedulerOptions.DEFAULT); Scheduler scheduler = new Scheduler(narrow, SchedulerOptions.DEFAULT)) {
                    CollectedText alone = generate(calm, each.getValue().apply(vocabulary), Drafter.NONE);
                    assertThat(alone.await()).isEqualTo(EndCause.COMPLETE);
                    // The other one goes first, and grows until both do not fit.
                    CollectedText other = new CollectedText(200);
                    scheduler.submit(new TextTask(new int[] {4, 9}, sampler(SamplingOptions.DEFAULT, vocabulary), 5, Drafter.NONE, other));
                    CollectedText text = generate(scheduler, each.getValue().apply(vocabulary), new PromptLookup(4));
                    assertThat(text.await()).as("%s: %s", each.getKey(), text.failure()).isEqualTo(EndCause.COMPLETE);
                    assertThat(other.await()).isEqualTo(EndCause.COMPLETE);
                    assertThat(text.ids()).as(each.getKey()).isEqualTo(alone.ids());
                    preemptions += text.statistics().preemptions();
                }
            }
        }
        assertThat(preemptions).isPositive();
    }
}
