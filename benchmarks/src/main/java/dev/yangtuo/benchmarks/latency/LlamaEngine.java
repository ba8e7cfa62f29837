package dev.yangtuo.benchmarks.latency;

import dev.yangtuo.Engine;
import dev.yangtuo.GenerateOptions;
import dev.yangtuo.Generation;
import dev.yangtuo.GenerationResult;
import dev.yangtuo.Llama;
import dev.yangtuo.LlamaCppOptions;
import dev.yangtuo.LoadOptions;
import dev.yangtuo.exception.YangtuoException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;

/** Our kernels or llama.cpp, both through the public API. */
final class LlamaEngine implements LatencyEngine {
    /** Prompts that are tried for each one that is wanted. */
    private static final int TRIES = 4;
    /** Tokens within which that is looked at. */
    private static final int TRIED_TOKENS = 512;
    private final Llama llama;

    private LlamaEngine(Llama llama) {
        this.llama = llama;
    }

    /**
     * {@return the model}
     *
     * @throws IllegalStateException if it cannot be loaded, with the message that says why
     */
    static LlamaEngine open(Path model, LoadOptions options) {
        try {
            return new LlamaEngine(Llama.load(model, options));
        } catch (YangtuoException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    /**
     * Texts of llama.cpp have memories of their own, which it computes different texts faster with; all else is as either engine chooses it unless told otherwise.
     */
    static LoadOptions options(EngineSettings settings) {
        LoadOptions options = LoadOptions.defaults().threads(settings.threads()).context(settings.context()).maxSequences(settings.texts());
        return switch (settings.engine()) {
            case YANGTUO -> options.engine(Engine.YANGTUO);
            case LLAMA_CPP -> options.engine(Engine.LLAMA_CPP).llamaCpp(LlamaCppOptions.defaults().sharedMemory(false));
            case JLAMA -> throw new IllegalArgumentException("jlama has options of its own");
        };
    }

    @Override
    public String description() {
        return llama.report().backend();
    }

    @Override
    public int vocabSize() {
        return Math.min(llama.tokenizer().vocabSize(), llama.vocabSize());
    }

    @Override
    public int firstToken(int[] prompt) {
        try (Generation generation = llama.generate(prompt, endless(1))) {
            GenerationResult result = generation.result();
            if (result.reusedTokens() > 0) {
                throw new IllegalStateException("%d tokens of the prompt were computed before".formatted(result.reusedTokens()));
            }
            return result.ids().getFirst();
        }
    }

    /** A text of exactly so many tokens, the most probable ones. */
    private static GenerateOptions endless(int tokens) {
        return GenerateOptions.defaults().greedy().minTokens(tokens).maxTokens(tokens);
    }

    @Override
    public float[][] logits(int[] ids) {
        float[][] rows = new float[ids.length][];
        llama.logits(ids, (position, logits, offset) -> rows[position] = Arrays.copyOfRange(logits, offset, offset + llama.vocabSize()));
        return rows;
    }

    /**
     * Those whose texts are whole characters: a token that ends within a character gives no piece of text, so that its time could not be told from the next one's.
     */
    @Override
    public int[][] prompts(int count, int promptTokens, int tokens) {
        List<int[]> usable = new ArrayList<>();
        for (int first = 0; first < TRIES * count && usable.size() < count; first += count) {
            int[][] tried = new int[count][];
            for (int i = 0; i < count; i++) {
                tried[i] = RandomPrompts.prompt(first + i, promptTokens, vocabSize());
            }
            try (LlamaTexts texts = begin(tried, Math.min(tokens, TRIED_TOKENS))) {
                boolean[] whole = texts.areWhole();
                for (int i = 0; i < count && usable.size() < count; i++) {
                    if (whole[i]) {
                        usable.add(tried[i]);
                    }
                }
            }
        }
        if (usable.size() < count) {
            throw new IllegalStateException("only %d of %d random prompts are continued in whole characters, %d are needed".formatted(usable.size(), TRIES * count, count));
        }
        return usable.toArray(int[][]::new);
    }

    @Override
    public LlamaTexts begin(int[][] prompts, int tokens) {
        return new LlamaTexts(llama, prompts, tokens + AHEAD);
    }

    @Override
    public void close() {
        llama.close();
    }

    /** Texts that are read by one thread, a piece of each in turn: the forward pass that gives one of them its token gives the others theirs. */
    static final class LlamaTexts implements Texts {
        private final List<Generation> generations = new ArrayList<>();
        private final List<Iterator<String>> pieces = new ArrayList<>();
        private final int tokens;

        private LlamaTexts(Llama llama, int[][] prompts, int tokens) {
            this.tokens = tokens;
            List<Thread> begun = new ArrayList<>();
            for (int[] prompt : prompts) {
                Generation generation = llama.generate(prompt, endless(tokens));
                Iterator<String> iterator = generation.iterator();
                generations.add(generation);
                pieces.add(iterator);
                begun.add(Thread.ofVirtual().start(iterator::hasNext)); // which begins the text, and waits for its first piece
            }
            begun.forEach(LlamaTexts::join);
        }

        private static void join(Thread thread) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while texts begin", e);
            }
        }

        @Override
        public void step() {
            for (int i = 0; i < pieces.size(); i++) {
                pieces.get(i).next();
            }
        }

        /** Reads all of them to their ends. */
        private boolean[] areWhole() {
            boolean[] whole = new boolean[pieces.size()];
            for (int i = 0; i < whole.length; i++) {
                int count = 0;
                for (; pieces.get(i).hasNext(); count++) {
                    pieces.get(i).next();
                }
                whole[i] = count == tokens && generations.get(i).result().generatedTokens() == tokens;
            }
            return whole;
        }

        @Override
        public void close() {
            generations.forEach(Generation::close);
        }
    }
}
