package dev.yangtuo.cli;

import dev.yangtuo.BackendType;
import dev.yangtuo.Engine;
import dev.yangtuo.KvType;
import dev.yangtuo.LlamaCppOptions.FlashAttention;
import dev.yangtuo.PerplexityMethod;
import dev.yangtuo.Pooling;
import dev.yangtuo.RopeScalingType;
import dev.yangtuo.WeightType;
import dev.yangtuo.eval.AnswerMethod;
import dev.yangtuo.eval.CevalSplit;
import dev.yangtuo.eval.PromptStyle;
import dev.yangtuo.recipe.RecipeLanguage;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;

/** What a shell offers for the value of an option, as the help writes it; picocli makes these lists. */
final class ValueNames {
    private ValueNames() {}

    private static List<String> of(Enum<?>[] values) {
        return Arrays.stream(values).map(value -> value.name().toLowerCase(Locale.ROOT)).toList();
    }

    /** Of {@code --quantize} and {@code --type}. */
    static final class WeightTypes extends Names {
        WeightTypes() {
            super(of(WeightType.values()));
        }
    }

    /** Of {@code --kv-type}. */
    static final class KvTypes extends Names {
        KvTypes() {
            super(of(KvType.values()));
        }
    }

    /** Of {@code --backend}. */
    static final class Backends extends Names {
        Backends() {
            super(of(BackendType.values()));
        }
    }

    /** Of {@code --engine}. */
    static final class Engines extends Names {
        Engines() {
            super(Arrays.stream(Engine.values()).map(Engine::toString).toList());
        }
    }

    /** Of {@code --flash-attention}. */
    static final class FlashAttentions extends Names {
        FlashAttentions() {
            super(of(FlashAttention.values()));
        }
    }

    /** Of {@code --rope-scaling}. */
    static final class RopeScalings extends Names {
        RopeScalings() {
            super(of(RopeScalingType.values()));
        }
    }

    /** Of {@code --pool}. */
    static final class Poolings extends Names {
        Poolings() {
            super(of(Pooling.values()));
        }
    }

    /** Of {@code --method}. */
    static final class PerplexityMethods extends Names {
        PerplexityMethods() {
            super(Arrays.stream(PerplexityMethod.values()).map(PerplexityMethod::label).toList());
        }
    }

    /** Of {@code --method} in {@code eval}. */
    static final class AnswerMethods extends Names {
        AnswerMethods() {
            super(Arrays.stream(AnswerMethod.values()).map(AnswerMethod::label).toList());
        }
    }

    /** Of {@code --prompt-style}. */
    static final class PromptStyles extends Names {
        PromptStyles() {
            super(Arrays.stream(PromptStyle.values()).map(PromptStyle::label).toList());
        }
    }

    /** Of {@code --method} in {@code judge}. */
    static final class JudgeMethods extends Names {
        JudgeMethods() {
            super(Arrays.stream(JudgeMethod.values()).map(JudgeMethod::label).toList());
        }
    }

    /** Of {@code --by}. */
    static final class RankMethods extends Names {
        RankMethods() {
            super(Arrays.stream(RankMethod.values()).map(RankMethod::label).toList());
        }
    }

    /** Of {@code --language}. */
    static final class Languages extends Names {
        Languages() {
            super(Arrays.stream(RecipeLanguage.values()).map(RecipeLanguage::code).toList());
        }
    }

    /** Of {@code --split}. */
    static final class Splits extends Names {
        Splits() {
            super(of(CevalSplit.values()));
        }
    }

    /** Of {@code --report}. */
    static final class ReportForms extends Names {
        ReportForms() {
            super(List.of("text", "markdown", "json"));
        }
    }

    /** Of {@code --shape}. */
    static final class Shapes extends Names {
        Shapes() {
            super(List.of("tiny", "1b", "7b", "13b"));
        }
    }

    /** A list that picocli can make. */
    private abstract static class Names implements Iterable<String> {
        private final List<String> names;

        Names(List<String> names) {
            this.names = names;
        }

        @Override
        public Iterator<String> iterator() {
            return names.iterator();
        }
    }
}
