package dev.yangtuo.cli;

import dev.yangtuo.GenerateOptions;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How tokens are chosen; what is not given comes from the model's generation_config.json, else from the defaults of the library. */
final class SamplingFlags {
    private static final float DEFAULT_XTC_THRESHOLD = 0.1f;
    private static final float DEFAULT_TAU = 5f;
    private static final float DEFAULT_ETA = 0.1f;

    @Option(names = "--greedy", description = "Always the most probable token, without penalties.")
    private boolean greedy;

    @Option(names = "--temperature", paramLabel = "T", description = "0 takes the most probable token, 1 samples as computed.")
    private @Nullable Float temperature;

    @Option(names = "--dynatemp-range", paramLabel = "R", description = "Move the temperature by up to R, down where the model is sure and up where it is not; 0 does not.")
    private @Nullable Float dynatempRange;

    @Option(names = "--dynatemp-exp", paramLabel = "E", description = "How the temperature follows: with more than 1 it stays low longer. Default: 1.")
    private @Nullable Float dynatempExponent;

    @Option(names = "--top-n-sigma", paramLabel = "N", description = "Keep logits within N standard deviations of the largest one; 0 keeps all.")
    private @Nullable Float topNSigma;

    @Option(names = "--top-k", paramLabel = "K", description = "Keep this many most probable tokens; 0 keeps all.")
    private @Nullable Integer topK;

    @Option(names = "--typical", paramLabel = "P", description = "Keep tokens of the most expected surprise, up to this probability; 1 keeps all.")
    private @Nullable Float typicalP;

    @Option(names = "--top-p", paramLabel = "P", description = "Keep the most probable tokens that together reach this probability; 1 keeps all.")
    private @Nullable Float topP;

    @Option(names = "--min-p", paramLabel = "P", description = "Keep tokens at least this share as probable as the best; 0 keeps all.")
    private @Nullable Float minP;

    @Option(names = "--xtc-probability", paramLabel = "P", description = "Exclude top choices with this probability; 0 excludes none.")
    private @Nullable Float xtcProbability;

    @Option(names = "--xtc-threshold", paramLabel = "P", description = "Tokens of this probability are top choices; of these the least probable one stays. Default: 0.1.")
    private @Nullable Float xtcThreshold;

    @Option(names = "--mirostat", paramLabel = "V", description = "2: aim at a constant surprise (mirostat v2), in place of --top-k and the like; 0 does not.")
    private @Nullable Integer mirostat;

    @Option(names = "--mirostat-tau", paramLabel = "T", description = "The surprise that mirostat aims at, in bits. Default: 5.")
    private @Nullable Float mirostatTau;

    @Option(names = "--mirostat-eta", paramLabel = "E", description = "How fast mirostat follows. Default: 0.1.")
    private @Nullable Float mirostatEta;

    @Mixin
    private PenaltyFlags penalties;

    @Mixin
    private TokenFlags tokens;

    @Option(names = "--seed", paramLabel = "S", description = "The same seed gives the same text. Default: a random one, which is shown; of batch, rank and instruct 0.")
    private @Nullable Long seed;

    /** What {@code --seed} says; null if it is not there. */
    @Nullable Long seed() {
        return seed;
    }

    /** What was already there. */
    static final class PenaltyFlags {
        @Option(names = "--repeat-penalty", paramLabel = "R", description = "Make what was already there less probable; 1 changes nothing.")
        private @Nullable Float repeat;

        @Option(names = "--repeat-last-n", paramLabel = "N", description = "Penalties count only the last N tokens; 0 is none, -1 the whole text. Default: -1.")
        private @Nullable Integer lastN;

        @Option(names = "--presence-penalty", paramLabel = "P", description = "Taken from the logits of tokens that were already there; 0 changes nothing.")
        private @Nullable Float presence;

        @Option(names = "--frequency-penalty", paramLabel = "P", description = "Likewise, as often as the token was there; 0 changes nothing.")
        private @Nullable Float frequency;

        @Option(names = "--dry-multiplier", paramLabel = "M", description = "Make sequences less probable that were already there; 0 does not, 0.8 is usual.")
        private @Nullable Float dryMultiplier;

        @Option(names = "--dry-base", paramLabel = "B", description = "The penalty is M * B^(length - allowed length). Default: 1.75.")
        private @Nullable Float dryBase;

        @Option(names = "--dry-allowed-length", paramLabel = "N", description = "Shorter repetitions cost nothing. Default: 2.")
        private @Nullable Integer dryAllowedLength;

        @Option(names = "--dry-penalty-last-n", paramLabel = "N", description = "Look only at the last N tokens; 0 is none, -1 the whole text. Default: -1.")
        private @Nullable Integer dryLastN;

        @Option(names = "--dry-sequence-breaker", paramLabel = "TEXT", description = {
            "A text at which a repetition ends; may be given several times, 'none' for none. Default: line break, colon, quotation mark and asterisk."
        })
        private List<String> dryBreakers = List.of();

        private boolean hasDryDetails() {
            return dryBase != null || dryAllowedLength != null || dryLastN != null || !dryBreakers.isEmpty();
        }

        private boolean any() {
            return Stream.of(repeat, lastN, presence, frequency, dryMultiplier).anyMatch(Objects::nonNull);
        }

        private GenerateOptions apply(GenerateOptions options) {
            options = set(options, repeat, GenerateOptions::repeatPenalty);
            options = set(options, lastN, GenerateOptions::repeatLastN);
            options = set(options, presence, GenerateOptions::presencePenalty);
            options = set(options, frequency, GenerateOptions::frequencyPenalty);
            options = set(options, dryMultiplier, GenerateOptions::dryMultiplier);
            options = set(options, dryBase, GenerateOptions::dryBase);
            options = set(options, dryAllowedLength, GenerateOptions::dryAllowedLength);
            options = set(options, dryLastN, GenerateOptions::dryLastN);
            return dryBreakers.isEmpty() ? options : options.drySequenceBreakers(dryBreakers.stream().filter(text -> !text.equals("none")).toList());
        }
    }

    /** Single tokens. */
    static final class TokenFlags {
        private static final String EXPECTED = "a number is an id, anything else the text of one token";

        @Option(names = "--logit-bias", paramLabel = "TOKEN=B", description = "Add B to the logit of a token: " + EXPECTED + "; may be given several times.")
        private List<String> biases = List.of();

        @Option(names = "--ban", paramLabel = "TOKEN", description = "This token never comes: " + EXPECTED + "; may be given several times.")
        private List<String> banned = List.of();

        @Option(names = "--require", paramLabel = "TOKEN", description = "Only such tokens come: " + EXPECTED + "; may be given several times.")
        private List<String> required = List.of();

        @Option(names = "--min-tokens", paramLabel = "N", description = "The text does not end before it has N tokens.")
        private @Nullable Integer minTokens;

        private GenerateOptions apply(GenerateOptions options) {
            for (String bias : biases) {
                options = bias(options, bias);
            }
            for (String token : banned) {
                options = isId(token) ? options.ban(id(token)) : options.ban(token);
            }
            for (String token : required) {
                options = isId(token) ? options.require(id(token)) : options.require(token);
            }
            return set(options, minTokens, GenerateOptions::minTokens);
        }

        private static GenerateOptions bias(GenerateOptions options, String text) {
            int equals = text.lastIndexOf('=');
            float value;
            try {
                value = text.endsWith("=-inf") ? Float.NEGATIVE_INFINITY : Float.parseFloat(text.substring(equals + 1));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("'%s' is not a logit bias; expected one like 13=-2.5 or 山=1".formatted(text), e);
            }
            if (equals < 1) {
                throw new IllegalArgumentException("'%s' is not a logit bias; expected one like 13=-2.5 or 山=1".formatted(text));
            }
            String token = text.substring(0, equals);
            return isId(token) ? options.logitBias(id(token), value) : options.logitBias(token, value);
        }

        private static boolean isId(String token) {
            return token.matches("[0-9]+");
        }

        private static int id(String token) {
            try {
                return Integer.parseInt(token);
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("token id %s is outside every vocabulary".formatted(token), e);
            }
        }
    }

    private static <T> GenerateOptions set(GenerateOptions options, @Nullable T value, BiFunction<GenerateOptions, T, GenerateOptions> change) {
        return value == null ? options : change.apply(options, value);
    }

    /**
     * @throws CommandLine.ParameterException if --greedy stands beside what it excludes, or a part beside nothing
     * @throws IllegalArgumentException if a value is out of range
     */
    GenerateOptions apply(GenerateOptions options, CommandLine commandLine) {
        check(commandLine);
        options = greedy ? options.greedy() : options;
        options = set(options, temperature, GenerateOptions::temperature);
        options = dynatempRange == null ? options : options.dynamicTemperature(dynatempRange, orElse(dynatempExponent, 1f));
        options = set(options, topNSigma, GenerateOptions::topNSigma);
        options = set(options, topK, GenerateOptions::topK);
        options = set(options, typicalP, GenerateOptions::typicalP);
        options = set(options, topP, GenerateOptions::topP);
        options = set(options, minP, GenerateOptions::minP);
        options = xtcProbability == null ? options : options.xtc(xtcProbability, orElse(xtcThreshold, DEFAULT_XTC_THRESHOLD));
        options = wantsMirostat() ? options.mirostat(orElse(mirostatTau, DEFAULT_TAU), orElse(mirostatEta, DEFAULT_ETA)) : options;
        options = tokens.apply(penalties.apply(options));
        return set(options, seed, GenerateOptions::seed);
    }

    private static float orElse(@Nullable Float value, float otherwise) {
        return value == null ? otherwise : value;
    }

    private boolean wantsMirostat() {
        return mirostat != null && mirostat == 2;
    }

    private void check(CommandLine commandLine) {
        boolean sampled = Stream.of(temperature, dynatempRange, topNSigma, topK, typicalP, topP, minP, xtcProbability, mirostat).anyMatch(Objects::nonNull);
        if (greedy && (sampled || penalties.any())) {
            throw new CommandLine.ParameterException(commandLine, "--greedy excludes --temperature, --top-k, --top-p, --min-p, --repeat-penalty and all others that change"
                    + " which token is the most probable one or draw another; --logit-bias, --ban, --require and --min-tokens go with it");
        }
        if (mirostat != null && mirostat != 0 && mirostat != 2) {
            throw new CommandLine.ParameterException(commandLine, "--mirostat is %d, must be 0 (off) or 2".formatted(mirostat));
        }
        requireBeside(dynatempExponent != null, "--dynatemp-exp", dynatempRange != null, "--dynatemp-range", commandLine);
        requireBeside(xtcThreshold != null, "--xtc-threshold", xtcProbability != null, "--xtc-probability", commandLine);
        requireBeside(mirostatTau != null || mirostatEta != null, "--mirostat-tau or --mirostat-eta", wantsMirostat(), "--mirostat 2", commandLine);
        requireBeside(penalties.hasDryDetails(), "an option of --dry-...", penalties.dryMultiplier != null, "--dry-multiplier", commandLine);
    }

    private static void requireBeside(boolean given, String part, boolean wholeGiven, String whole, CommandLine commandLine) {
        if (given && !wholeGiven) {
            throw new CommandLine.ParameterException(commandLine, "%s is of %s, which is not there".formatted(part, whole));
        }
    }
}
