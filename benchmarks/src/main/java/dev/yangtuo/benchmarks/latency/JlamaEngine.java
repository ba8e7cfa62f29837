package dev.yangtuo.benchmarks.latency;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.ModelSupport;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.KvBufferCache;
import com.github.tjake.jlama.tensor.KvBufferCache.KvBuffer;
import com.github.tjake.jlama.tensor.operations.TensorOperationsProvider;
import com.github.tjake.jlama.util.PhysicalCoreExecutor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.IntStream;

/**
 * Jlama, asked for forward passes as its own {@code generate} asks for them, with what its command line takes unless told otherwise: float32 between the products, 8 bits
 * in them where weights have 4. It computes one text at a time: of several texts each gets its token in turn.
 */
@SuppressWarnings("rawtypes") // its type arguments are of the incubating module, which javac does not look into
final class JlamaEngine implements LatencyEngine {
    private static final String VERSION = "/META-INF/maven/com.github.tjake/jlama-core/pom.properties";

    private final AbstractModel model;
    private final KvBufferCache memories;
    private final AbstractTensor logits;

    private JlamaEngine(AbstractModel model) {
        this.model = model;
        this.memories = new KvBufferCache(model);
        this.logits = model.makeDenseTensor(model.getConfig().vocabularySize);
    }

    static JlamaEngine open(EngineSettings settings) {
        try {
            Path folder = settings.model().jlama();
            requireThreads(settings.threads());
            return new JlamaEngine(ModelSupport.loadModel(folder.toFile(), null, DType.F32, DType.I8, Optional.empty(), Optional.empty()));
        } catch (LinkageError e) {
            throw new IllegalStateException("Jlama cannot be loaded, it needs its libraries on the class path and --add-modules jdk.incubator.vector, "
                    + "which benchmarks/latency gives it: " + e, e);
        } catch (RuntimeException e) {
            throw new IllegalStateException("Jlama cannot load %s: %s".formatted(settings.model().name(), e.getMessage()), e);
        }
    }

    /** Its threads are those of the process, and can be set before the first model is loaded. */
    private static void requireThreads(int threads) {
        try {
            PhysicalCoreExecutor.overrideThreadCount(threads);
        } catch (IllegalStateException e) {
            int actual = PhysicalCoreExecutor.instance.get().getCoreCount();
            if (actual != threads) {
                throw new IllegalStateException("it has %d threads already, not %d".formatted(actual, threads), e);
            }
        }
    }

    @Override
    public String description() {
        return "Jlama %s, %s".formatted(version(), TensorOperationsProvider.get().name());
    }

    private static String version() {
        try (InputStream in = AbstractModel.class.getResourceAsStream(VERSION)) {
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public int vocabSize() {
        return model.getConfig().vocabularySize;
    }

    @Override
    public int firstToken(int[] prompt) {
        try (KvBuffer memory = memories.getEphemeralKvBuffer()) {
            return prefill(prompt, memory);
        }
    }

    /** The columns of all but the last batch are closed by Jlama itself. */
    private int prefill(int[] prompt, KvBuffer memory) {
        try (AbstractTensor states = model.batchForward(prompt, 0, memory); AbstractTensor last = states.slice(states.shape().first() - 1)) {
            return sample(last);
        }
    }

    private int sample(AbstractTensor state) {
        return model.sample(state, 0, 0, logits);
    }

    /** It gives probabilities; their logarithms are logits less a constant. */
    @Override
    public float[][] logits(int[] ids) {
        float[][] rows = new float[ids.length][];
        try (KvBuffer memory = memories.getEphemeralKvBuffer()) {
            for (int position = 0; position < ids.length; position++) {
                try (AbstractTensor state = model.forward(ids[position], position, memory, Optional.empty())) {
                    rows[position] = model.getLogits(state);
                }
                for (int i = 0; i < rows[position].length; i++) {
                    rows[position][i] = (float) Math.log(rows[position][i]);
                }
            }
        }
        return rows;
    }

    @Override
    public int[][] prompts(int count, int promptTokens, int tokens) {
        return IntStream.range(0, count).mapToObj(number -> RandomPrompts.prompt(number, promptTokens, vocabSize())).toArray(int[][]::new);
    }

    @Override
    public Texts begin(int[][] prompts, int tokens) {
        JlamaTexts texts = new JlamaTexts();
        for (int[] prompt : prompts) {
            texts.add(prompt);
        }
        return texts;
    }

    @Override
    public void close() {
        logits.close();
        memories.close();
        model.close();
    }

    /** Texts whose tokens are computed one after the other. */
    private final class JlamaTexts implements Texts {
        private final List<Text> texts = new ArrayList<>();

        /** A text: what it has computed, its last token and that one's position. */
        private final class Text {
            private final KvBuffer memory = memories.getEphemeralKvBuffer();
            private int next;
            private int position;
        }

        private void add(int[] prompt) {
            Text text = new Text();
            texts.add(text);
            text.next = prefill(prompt, text.memory);
            text.position = prompt.length;
        }

        @Override
        public void step() {
            for (int i = 0; i < texts.size(); i++) {
                Text text = texts.get(i);
                try (AbstractTensor state = model.forward(text.next, text.position, text.memory, Optional.empty())) {
                    text.next = sample(state);
                    text.position++;
                }
            }
        }

        @Override
        public void close() {
            texts.forEach(text -> text.memory.close());
        }
    }
}
