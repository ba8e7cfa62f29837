package dev.yangtuo.recipe;

import dev.yangtuo.FinishReason;
import dev.yangtuo.concurrent.InFlight;
import dev.yangtuo.exception.YangtuoException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * Instruction data from seed tasks: Self-Instruct (Wang and others, arXiv 2212.10560) in the variant of Stanford Alpaca, with which
 * Chinese-Alpaca's data was made. Round after round, a prompt with some seed tasks makes the model write more like them; these are read, filtered,
 * and kept if no task that is there is much like them.
 *
 * <p>The round decides which seeds the prompt has and with which seed the answer is written, so the same options and model give the same tasks,
 * however many rounds are in the making at the same time. A run that goes on from an earlier one repeats its last round, recognizes what it has
 * kept, and goes on as if it had not been interrupted. For one thread.
 */
public final class SelfInstruct {
    /** Tokens that must be left for the answer: a short task. */
    private static final int LEAST_ROOM = 64;

    private final List<Instruction> seeds;
    private final TextGenerator generator;
    private final SelfInstructOptions options;
    private final InstructionFormat format;
    private final NearDuplicates kept;
    private final Map<Rejection, Integer> rejections = new EnumMap<>(Rejection.class);
    private int found;
    private int newlyKept;
    private int rounds;
    private int shortened;
    private long tokens;

    /**
     * A task that is kept.
     *
     * @param task itself
     * @param round in which it was written, from 0
     */
    public record Kept(Instruction task, int round) {}

    /** What one prompt gave. */
    private record Round(int number, Completion completion, boolean shortened) {}

    /**
     * @param seeds at least one
     * @param generator stays the caller's
     */
    public SelfInstruct(List<Instruction> seeds, TextGenerator generator, SelfInstructOptions options) {
        if (seeds.isEmpty()) {
            throw new IllegalArgumentException("there is no seed task");
        }
        this.seeds = List.copyOf(seeds);
        this.generator = generator;
        this.options = options;
        this.format = options.format();
        this.kept = new NearDuplicates(options.threshold());
    }

    /**
     * Makes tasks until there are enough, until all rounds are made, or until the listener has enough. Called once.
     *
     * @param before what an earlier run has kept, in its order; empty for a new one
     * @param listener receives each task that is kept, on this thread; says whether to go on
     * @param progress is told after each round; says whether to go on
     * @throws YangtuoException if not even a prompt with one seed task fits the context
     */
    public SelfInstructReport run(List<Kept> before, Predicate<Kept> listener, Predicate<SelfInstructReport> progress) {
        seeds.forEach(seed -> kept.add(seed.instruction()));
        before.forEach(task -> kept.add(task.task().instruction()));
        Set<Instruction> there = new HashSet<>(before.stream().map(Kept::task).toList());
        int first = before.isEmpty() ? 0 : before.getLast().round();
        boolean[] goesOn = {true};
        if (before.size() < options.count()) {
            Iterator<Integer> numbers = IntStream.range(first, Math.max(first, options.rounds())).iterator();
            InFlight.run(numbers, options.inFlight(), this::write, generator::cancel, round -> {
                goesOn[0] = round.completion.finishReason() != FinishReason.CANCELLED
                        && keep(round, before.size(), there, listener)
                        && progress.test(report(before.size(), SelfInstructReport.End.ROUNDS));
                return goesOn[0] && before.size() + newlyKept < options.count();
            });
        }
        boolean complete = before.size() + newlyKept >= options.count();
        return report(before.size(), complete ? SelfInstructReport.End.COMPLETE : goesOn[0] ? SelfInstructReport.End.ROUNDS : SelfInstructReport.End.STOPPED);
    }

    private SelfInstructReport report(int before, SelfInstructReport.End end) {
        return new SelfInstructReport(rounds, found, newlyKept, before + newlyKept, rejections, tokens, shortened, end);
    }

    /** On any thread. */
    private Round write(int number) {
        List<Instruction> chosen = choose(number);
        String prompt = format.prompt(chosen);
        int room = generator.room(prompt);
        int wanted = chosen.size();
        while (room < LEAST_ROOM && chosen.size() > 1) {
            chosen = chosen.subList(0, chosen.size() - 1);
            prompt = format.prompt(chosen);
            room = generator.room(prompt);
        }
        if (room < LEAST_ROOM) {
            throw new YangtuoException("the prompt with one seed task leaves %d tokens of the context for more, at least %d are needed; load the "
                    + "model with a larger context, or shorten the seed tasks and the template"
                    .formatted(Math.max(0, room), LEAST_ROOM));
        }
        return new Round(number, generator.generate(prompt, Seeds.of(options.seed(), "text", number)), chosen.size() < wanted);
    }

    /** Some seeds, none twice, in an order of the round's own. */
    private List<Instruction> choose(int round) {
        SplittableRandom random = new SplittableRandom(Seeds.of(options.seed(), "examples", round));
        int[] order = IntStream.range(0, seeds.size()).toArray();
        List<Instruction> chosen = new ArrayList<>();
        for (int i = 0; i < Math.min(options.examples(), order.length); i++) {
            int j = random.nextInt(i, order.length);
            int taken = order[j];
            order[j] = order[i];
            chosen.add(seeds.get(taken));
        }
        return chosen;
    }

    /** Says whether the listener wants more. */
    private boolean keep(Round round, int before, Set<Instruction> there, Predicate<Kept> listener) {
        rounds++;
        shortened += round.shortened ? 1 : 0;
        tokens += round.completion.tokens();
        InstructionFormat.Parsed parsed = format.parse(round.completion.text(), round.completion.isFinished());
        reject(Rejection.UNREADABLE, parsed.unreadable());
        reject(Rejection.UNFINISHED, parsed.unfinished() ? 1 : 0);
        for (Instruction task : parsed.tasks()) {
            if (there.contains(task)) {
                continue;
            }
            if (before + newlyKept >= options.count()) {
                return true;
            }
            Rejection rejection = options.filter().check(task);
            if (rejection == null && kept.find(task.instruction()) >= 0) {
                rejection = Rejection.DUPLICATE;
            }
            if (rejection != null) {
                reject(rejection, 1);
                continue;
            }
            found++;
            newlyKept++;
            kept.add(task.instruction());
            if (!listener.test(new Kept(task, round.number))) {
                return false;
            }
        }
        return true;
    }

    private void reject(Rejection rejection, int count) {
        if (count > 0) {
            found += count;
            rejections.merge(rejection, count, Integer::sum);
        }
    }
}
