package dev.yangtuo.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.FinishReason;
import dev.yangtuo.exception.YangtuoException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class SelfInstructTest {
    private static final List<Instruction> SEEDS = List.of(
            new Instruction("列出三种常见的水果。", "", "苹果、梨、桃"), new Instruction("把句子改写得更礼貌。", "关窗！", "请关窗。"),
            new Instruction("解释成语的意思。", "画蛇添足", "做多余的事"), new Instruction("给茶馆起一个名字。", "", "清风茶舍"));
    private static final SelfInstructOptions OPTIONS = SelfInstructOptions.of(RecipeLanguage.CHINESE).count(1000).rounds(1).examples(2);

    /** Writes the same text whatever it is asked. */
    private static TextGenerator saying(String text, FinishReason reason) {
        return (_, seed) -> new Completion(text, reason, 7, -1, seed);
    }

    private record Result(List<SelfInstruct.Kept> tasks, SelfInstructReport report) {}

    private static Result run(TextGenerator generator, SelfInstructOptions options, List<SelfInstruct.Kept> before) {
        List<SelfInstruct.Kept> tasks = new ArrayList<>();
        SelfInstructReport report = new SelfInstruct(SEEDS, generator, options).run(before, tasks::add, _ -> true);
        return new Result(tasks, report);
    }

    @Test
    void everyReasonIsCounted() {
        String text = """
                说出四种乐器的名字。
                输入：无
                输出：琴、笛、鼓、筝
                ###
                3. 指令：说出五种乐器的名字。
                3. 输入：无
                3. 输出：琴、笛、鼓、筝、箫
                ###
                4. 指令：列出四种常见的水果。
                4. 输入：无
                4. 输出：苹果、梨、桃、李
                ###
                5. 指令：画一只猫给我看。
                5. 输出：好的
                ###
                6. 指令：走
                6. 输出：好的
                ###
                7. 指令：计算这两个数字的和。
                7. 输入：1 和 2
                7. 输出：3
                ###
                没有标签
                ###
                9. 指令：写出一句
                """;
        Result result = run(saying(text, FinishReason.MAX_TOKENS), OPTIONS, List.of());
        assertThat(result.tasks).containsExactly(
                new SelfInstruct.Kept(new Instruction("说出四种乐器的名字。", "", "琴、笛、鼓、筝"), 0),
                new SelfInstruct.Kept(new Instruction("计算这两个数字的和。", "1 和 2", "3"), 0));
        Map<Rejection, Integer> rejections = new EnumMap<>(Rejection.class);
        rejections.put(Rejection.UNFINISHED, 1);
        rejections.put(Rejection.UNREADABLE, 1);
        rejections.put(Rejection.TOO_SHORT, 1);
        rejections.put(Rejection.KEYWORD, 1);
        rejections.put(Rejection.DUPLICATE, 2); // of a task before it, and of a seed
        assertThat(result.report).isEqualTo(new SelfInstructReport(1, 8, 2, 2, rejections, 7, 0, SelfInstructReport.End.ROUNDS));
    }

    /** Writes, by the seed alone, some tasks that are often like others; sometimes nonsense, sometimes a text that is cut off. */
    private static final TextGenerator WRITER = (_, seed) -> {
        SplittableRandom random = new SplittableRandom(seed);
        String characters = "春江潮水连海平明月共生滟随波千万里何处无流宛转绕芳甸照花林皆似霰空霜不觉飞汀上白沙看见天一色纤尘皎孤轮人初代已只相望";
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(1, 4); i > 0; i--) {
            for (int length = random.nextInt(3, 9); length > 0; length--) {
                text.append(characters.charAt(random.nextInt(characters.length())));
            }
            text.append(random.nextInt(6) == 0 ? "\n" : "\n输出：答" + random.nextInt(100) + "\n").append("###\n指令：");
        }
        return new Completion(text.toString(), random.nextInt(4) == 0 ? FinishReason.MAX_TOKENS : FinishReason.END_OF_TEXT, 50, -9, seed);
    };

    @Test
    void theSameOptionsGiveTheSameTasksHoweverManyAreInTheMaking() {
        SelfInstructOptions options = OPTIONS.count(60).rounds(500);
        Result one = run(WRITER, options.inFlight(1), List.of());
        Result many = run(WRITER, options.inFlight(13), List.of());
        assertThat(one.tasks).hasSize(60);
        assertThat(many).isEqualTo(one);
        assertThat(one.report.end()).isEqualTo(SelfInstructReport.End.COMPLETE);
        assertThat(one.report.rejections()).as("the writer tests something").containsKeys(Rejection.UNFINISHED, Rejection.UNREADABLE, Rejection.TOO_SHORT);
        assertThat(run(WRITER, options.seed(1), List.of()).tasks).isNotEqualTo(one.tasks);
    }

    @Test
    void aRunThatGoesOnGivesWhatAnUndisturbedOneGives() {
        SelfInstructOptions options = OPTIONS.count(40).rounds(500);
        List<SelfInstruct.Kept> whole = run(WRITER, options, List.of()).tasks;
        for (int there = 0; there <= whole.size(); there++) {
            List<SelfInstruct.Kept> before = whole.subList(0, there);
            Result rest = run(WRITER, options, before);
            assertThat(rest.tasks).as("after %d tasks", there).isEqualTo(whole.subList(there, whole.size()));
            assertThat(rest.report.total()).isEqualTo(40);
        }
    }

    @Test
    void keptTasksAreUnlikeEachOtherAndTheSeeds() {
        List<String> instructions = new ArrayList<>(SEEDS.stream().map(Instruction::instruction).toList());
        run(WRITER, OPTIONS.count(60).rounds(500).threshold(0.4), List.of()).tasks.forEach(kept -> instructions.add(kept.task().instruction()));
        for (int i = SEEDS.size(); i < instructions.size(); i++) {
            for (int j = 0; j < i; j++) {
                assertThat(NearDuplicates.similarity(instructions.get(i), instructions.get(j))).isLessThan(0.4);
            }
        }
        assertThat(instructions).hasSizeGreaterThan(SEEDS.size() + 10);
    }

    @Test
    void aModelThatWritesNothingUsefulEndsAtTheLastRound() {
        Result result = run(saying("月落乌啼霜满天", FinishReason.END_OF_TEXT), OPTIONS.rounds(25), List.of());
        assertThat(result.tasks).isEmpty();
        assertThat(result.report).isEqualTo(new SelfInstructReport(25, 25, 0, 0, Map.of(Rejection.UNREADABLE, 25), 175, 0, SelfInstructReport.End.ROUNDS));
        SelfInstruct.Kept last = new SelfInstruct.Kept(new Instruction("说出四种乐器的名字。", "", "琴"), 24);
        assertThat(run(saying("月", FinishReason.END_OF_TEXT), OPTIONS.rounds(25), List.of(last)).report.rounds()).as("earlier rounds count").isEqualTo(1);
        assertThat(run(saying("月", FinishReason.END_OF_TEXT), OPTIONS.rounds(10), List.of(last)).report.rounds()).isZero();
    }

    @Test
    void everyRoundHasItsOwnSeedsAndExamples() {
        Set<String> prompts = ConcurrentHashMap.newKeySet();
        Set<Long> seeds = ConcurrentHashMap.newKeySet();
        run((prompt, seed) -> {
            prompts.add(prompt);
            seeds.add(seed);
            return new Completion("", FinishReason.END_OF_TEXT, 0, 0, seed);
        }, OPTIONS.rounds(60), List.of());
        assertThat(seeds).hasSize(60);
        assertThat(prompts).as("two of four seeds in their orders").hasSizeBetween(8, 12);
        assertThat(prompts).allSatisfy(prompt -> assertThat(SEEDS.stream().filter(seed -> prompt.contains(seed.instruction()))).hasSize(2));
    }

    /** A model with little room. */
    private record Narrow(int characters, Set<String> prompts) implements TextGenerator {
        @Override
        public Completion generate(String prompt, long seed) {
            prompts.add(prompt);
            return new Completion("", FinishReason.END_OF_TEXT, 0, 0, seed);
        }

        @Override
        public int room(String prompt) {
            return characters - prompt.length();
        }
    }

    @Test
    void examplesThatDoNotFitAreLeftOut() {
        SelfInstructOptions options = OPTIONS.examples(4).rounds(3).template(PromptTemplate.of("t", "{tasks}", SelfInstructOptions.PLACES));
        Narrow narrow = new Narrow(160, new HashSet<>());
        Result result = run(narrow, options.inFlight(1), List.of());
        assertThat(result.report.shortened()).isEqualTo(3);
        assertThat(narrow.prompts).allSatisfy(prompt -> assertThat(prompt.length()).isLessThanOrEqualTo(96));
        assertThatThrownBy(() -> run(new Narrow(70, Set.of()), options, List.of()))
                .isInstanceOf(YangtuoException.class).hasMessageContaining("one seed task leaves").hasMessageContaining("larger context");
    }

    @Test
    void whoeverHasEnoughEndsIt() {
        List<SelfInstruct.Kept> tasks = new ArrayList<>();
        SelfInstructReport report = new SelfInstruct(SEEDS, WRITER, OPTIONS.rounds(500)).run(List.of(), kept -> tasks.add(kept) && tasks.size() < 5, _ -> true);
        assertThat(tasks).hasSize(5);
        assertThat(report.end()).isEqualTo(SelfInstructReport.End.STOPPED);
        SelfInstructReport cancelled = new SelfInstruct(SEEDS, saying("", FinishReason.CANCELLED), OPTIONS.rounds(500)).run(List.of(), _ -> true, _ -> true);
        assertThat(cancelled.end()).isEqualTo(SelfInstructReport.End.STOPPED);
        assertThat(cancelled.rounds()).isZero();
    }

    @Test
    void optionsOutOfRangeAreRefused() {
        assertThatThrownBy(() -> OPTIONS.count(0)).hasMessageContaining("count is 0");
        assertThatThrownBy(() -> OPTIONS.rounds(-1)).hasMessageContaining("rounds is -1");
        assertThatThrownBy(() -> OPTIONS.examples(0)).hasMessageContaining("examples is 0");
        assertThatThrownBy(() -> OPTIONS.inFlight(0)).hasMessageContaining("inFlight is 0");
        assertThatThrownBy(() -> OPTIONS.threshold(0)).hasMessageContaining("threshold is 0");
        assertThatThrownBy(() -> new SelfInstruct(List.of(), WRITER, OPTIONS)).hasMessageContaining("no seed task");
        assertThat(SelfInstructOptions.of(RecipeLanguage.ENGLISH).count(3).rounds()).isEqualTo(20);
        assertThat(SelfInstructOptions.of(RecipeLanguage.ENGLISH).count(1 << 30).rounds()).isEqualTo(Integer.MAX_VALUE);
        assertThat(IntStream.range(0, 3).mapToLong(i -> Seeds.of(1, "a", i)).distinct().count()).isEqualTo(3);
    }
}
