package dev.yangtuo.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.yangtuo.exception.KernelException;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What backends do with calls that cannot work. The same on all of them: an exception, never the end of the process. */
class BackendLifecycleTest {
    private static final SmallModel.Shape SHAPE = new SmallModel.Shape(TensorType.F32, TensorType.F32, 8, 12, 2, 1, 4, 20);
    private static final KvShape KV = new KvShape(TensorType.F32, 16, 2, 1, 1, 4);

    private interface Opener {
        Backend open();
    }

    static Stream<Arguments> backends() {
        return Stream.of(
                Arguments.of(Named.of("scalar", (Opener) () -> new ScalarBackend(1))),
                Arguments.of(Named.of("native", (Opener) () -> NativeBackend.open(2))));
    }

    private static Projection plain(WeightMatrix matrix) {
        return Projection.of(matrix);
    }

    /** One layer with everything that its stages need; closes nothing by itself. */
    private static final class Parts {
        final DeviceFloats norm;
        final WeightMatrix q;
        final WeightMatrix kv;
        final WeightMatrix up;
        final WeightMatrix down;
        final KvPool pool;
        final Batch batch;
        final DeviceFloats x;
        final DeviceFloats wide;
        final Layer layer;

        Parts(Backend backend) {
            norm = backend.createFloats(8);
            q = backend.createMatrix(TensorType.F32, 8, 8);
            kv = backend.createMatrix(TensorType.F32, 4, 8);
            up = backend.createMatrix(TensorType.F32, 12, 8);
            down = backend.createMatrix(TensorType.F32, 8, 12);
            pool = backend.createKvPool(KV);
            batch = backend.createBatch(new BatchCapacity(4, 2, 2, 4));
            x = backend.createFloats(4 * 8);
            wide = backend.createFloats(4 * 12);
            layer = backend.createLayer(new LayerWeights(
                    0, 2, 1, 4, 1e-5f, norm, plain(q), plain(kv), plain(kv), plain(q), norm, plain(up), plain(up), plain(down), 0));
            column(3, 0);
        }

        void column(int token, int position) {
            batch.clear();
            batch.addSequence(new int[] {1, 0}, 2);
            batch.addColumn(token, position, 0, true);
            batch.upload();
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void closingTwiceIsHarmless(Opener opener) throws Exception {
        Backend backend = opener.open();
        Parts parts = new Parts(backend);
        for (int i = 0; i < 2; i++) {
            parts.x.close();
            parts.q.close();
            parts.pool.close();
            parts.batch.close();
            backend.close();
        }
        SmallModel model;
        try (Backend second = opener.open()) {
            model = new SmallModel(SHAPE, second, 1);
            model.run();
            model.close();
            model.close();
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void closedBackendRefusesEverything(Opener opener) {
        Backend backend = opener.open();
        Parts parts = new Parts(backend);
        backend.close();
        assertThatIllegalStateException().isThrownBy(() -> backend.createFloats(1)).withMessageContaining("closed");
        assertThatIllegalStateException().isThrownBy(() -> backend.createMatrix(TensorType.F32, 1, 1)).withMessageContaining("closed");
        assertThatIllegalStateException().isThrownBy(() -> backend.createKvPool(KV)).withMessageContaining("closed");
        assertThatIllegalStateException().isThrownBy(() -> backend.createBatch(new BatchCapacity(1, 1, 1, 2))).withMessageContaining("closed");
        assertThatIllegalStateException().isThrownBy(() -> backend.embed(parts.q, parts.batch, parts.x)).withMessageContaining("closed");
        assertThatIllegalStateException().isThrownBy(() -> backend.qkv(parts.layer, parts.batch, parts.x, parts.pool, parts.wide));
        assertThatIllegalStateException().isThrownBy(() -> backend.attention(parts.layer, parts.batch, parts.x, parts.pool, parts.wide));
        assertThatIllegalStateException().isThrownBy(
                () -> backend.qkvAttention(parts.layer, parts.batch, parts.x, parts.pool, parts.wide, parts.x));
        assertThatIllegalStateException().isThrownBy(backend::createCandidates).withMessageContaining("closed");
        assertThatIllegalStateException().isThrownBy(() -> backend.gateUp(parts.layer, parts.batch, parts.x, parts.wide));
        assertThatIllegalStateException().isThrownBy(() -> backend.down(parts.layer, parts.batch, parts.wide, parts.x));
        assertThatCode(() -> backend.name()).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @MethodSource("backends")
    void closedMemoryIsRefused(Opener opener) throws Exception {
        try (Backend backend = opener.open()) {
            Parts floats = new Parts(backend);
            floats.x.close();
            assertThatIllegalStateException().isThrownBy(() -> floats.x.upload(0, new float[1], 0, 1)).withMessageContaining("closed");
            assertThatIllegalStateException().isThrownBy(() -> floats.x.download(0, new float[1], 0, 1)).withMessageContaining("closed");
            assertThatIllegalStateException().isThrownBy(() -> backend.embed(floats.down, floats.batch, floats.x)).withMessageContaining("closed");

            Parts matrix = new Parts(backend);
            matrix.q.close();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment row = arena.allocate(32, 8);
                assertThatIllegalStateException().isThrownBy(() -> matrix.q.upload(0, 1, row)).withMessageContaining("closed");
            }
            assertThatIllegalStateException().isThrownBy(() -> backend.embed(matrix.q, matrix.batch, matrix.x));
            assertThatIllegalStateException().isThrownBy(() -> backend.qkv(matrix.layer, matrix.batch, matrix.x, matrix.pool, matrix.wide));

            Parts bias = new Parts(backend);
            LayerWeights w = bias.layer.weights();
            DeviceFloats closed = backend.createFloats(8);
            Layer biased = backend.createLayer(new LayerWeights(
                    0, 2, 1, 4, 1e-5f, w.attentionNorm(), new Projection(w.q().weight(), closed), w.k(), w.v(), w.o(), w.ffnNorm(), w.gate(), w.up(), w.down(), 0));
            closed.close();
            assertThatIllegalStateException().isThrownBy(() -> backend.qkv(biased, bias.batch, bias.x, bias.pool, bias.wide));

            Parts pool = new Parts(backend);
            pool.pool.close();
            assertThatIllegalStateException().isThrownBy(() -> backend.qkv(pool.layer, pool.batch, pool.x, pool.pool, pool.wide));
            assertThatIllegalStateException().isThrownBy(() -> backend.attention(pool.layer, pool.batch, pool.x, pool.pool, pool.wide));
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void sizesThatDoNotFitAreRefused(Opener opener) throws Exception {
        try (Backend backend = opener.open(); Arena arena = Arena.ofConfined()) {
            Parts parts = new Parts(backend);
            assertThatIllegalArgumentException().isThrownBy(() -> backend.createFloats(0));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.createFloats(-1));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.createMatrix(TensorType.F16, 0, 8));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.createMatrix(TensorType.F16, 8, -8));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.createMatrix(TensorType.Q8_0, 8, 48));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.createMatrix(TensorType.Q4_0, 8, 31));
            MemorySegment rows = arena.allocate(3 * 32, 8);
            assertThatIllegalArgumentException().isThrownBy(() -> parts.q.upload(0, 2, rows));
            assertThatIllegalArgumentException().isThrownBy(() -> parts.q.upload(6, 3, rows));
            assertThatIllegalArgumentException().isThrownBy(() -> parts.q.upload(-1, 3, rows));
            assertThatIllegalArgumentException().isThrownBy(() -> parts.q.upload(Long.MAX_VALUE, 3, rows));
            assertThatIllegalArgumentException().isThrownBy(() -> parts.q.upload(0, -3, rows));
            DeviceFloats small = backend.createFloats(7);
            assertThatIllegalArgumentException().isThrownBy(() -> backend.embed(parts.q, parts.batch, small));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.qkv(parts.layer, parts.batch, parts.x, parts.pool, small));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.attention(parts.layer, parts.batch, small, parts.pool, parts.x));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.gateUp(parts.layer, parts.batch, small, parts.wide));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.gateUp(parts.layer, parts.batch, parts.x, small));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.down(parts.layer, parts.batch, small, parts.x));
            OutputLayer output = backend.createOutputLayer(new OutputWeights(parts.norm, parts.up, 1e-5f));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.logits(output, parts.batch, parts.x, small));
            Candidates none = backend.createCandidates();
            none.clear(1, 1);
            none.addOutput();
            none.addOutput();
            assertThatIllegalArgumentException().isThrownBy(() -> backend.logits(output, parts.batch, parts.x, small, none))
                    .withMessageContaining("2 outputs");
            assertThatIllegalArgumentException().isThrownBy(() -> none.clear(0, 5));
            assertThatIllegalArgumentException().isThrownBy(() -> none.clear(6, 5));
            assertThatIllegalArgumentException().isThrownBy(() -> none.clear(Candidates.MAX_COUNT + 1, 50_000));
            KvPool otherHead = backend.createKvPool(new KvShape(TensorType.F32, 16, 2, 1, 1, 6));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.qkv(parts.layer, parts.batch, parts.x, otherHead, parts.wide));
            Layer second = backend.createLayer(new LayerWeights(
                    1, 2, 1, 4, 1e-5f, parts.norm, plain(parts.q), plain(parts.kv), plain(parts.kv), plain(parts.q),
                    parts.norm, plain(parts.up), plain(parts.up), plain(parts.down), 0));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.qkv(second, parts.batch, parts.x, parts.pool, parts.wide));
            assertThatIllegalArgumentException().isThrownBy(() -> new LayerWeights(
                    0, 2, 1, 4, 1e-5f, parts.norm, plain(parts.q), plain(parts.q), plain(parts.kv), plain(parts.q),
                    parts.norm, plain(parts.up), plain(parts.up), plain(parts.down), 0))
                    .withMessageContaining("layer 0: k is 8 x 8");
            assertThatIllegalArgumentException().isThrownBy(() -> new LayerWeights(
                    0, 2, 1, 4, 1e-5f, parts.norm, plain(parts.q), plain(parts.kv), plain(parts.kv), plain(parts.q),
                    parts.norm, plain(parts.up), plain(parts.up), plain(parts.down), -1))
                    .withMessageContaining("window -1");
            assertThatIllegalArgumentException().isThrownBy(() -> new KvShape(TensorType.Q5_0, 16, 2, 1, 1, 4)).withMessageContaining("Q8_0");
            assertThatIllegalArgumentException().isThrownBy(() -> new Projection(parts.q, small)).withMessageContaining("7 elements");
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void tokensPagesAndPositionsOutsideAreRefused(Opener opener) throws Exception {
        try (Backend backend = opener.open()) {
            Parts parts = new Parts(backend);
            for (int token : new int[] {-1, 8, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
                parts.column(token, 0);
                assertThatIllegalArgumentException().as("token %d", token).isThrownBy(() -> backend.embed(parts.q, parts.batch, parts.x));
            }
            parts.column(0, 32);
            assertThatIllegalArgumentException().isThrownBy(() -> backend.qkv(parts.layer, parts.batch, parts.x, parts.pool, parts.wide));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.attention(parts.layer, parts.batch, parts.x, parts.pool, parts.wide));
            for (int page : new int[] {-1, 2, Integer.MAX_VALUE}) {
                parts.batch.clear();
                parts.batch.addSequence(new int[] {page}, 1);
                parts.batch.addColumn(0, 0, 0, false);
                parts.batch.upload();
                assertThatIllegalArgumentException().as("page %d", page)
                        .isThrownBy(() -> backend.qkv(parts.layer, parts.batch, parts.x, parts.pool, parts.wide));
            }
            assertThatIllegalArgumentException().isThrownBy(() -> parts.batch.addColumn(0, 0, 1, false));
            assertThatIllegalArgumentException().isThrownBy(() -> parts.batch.addColumn(0, -1, 0, false));
            assertThatIllegalArgumentException().isThrownBy(() -> parts.batch.addSequence(new int[3], 3));
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void copiesOutsideAreRefused(Opener opener) throws Exception {
        try (Backend backend = opener.open(); DeviceFloats floats = backend.createFloats(10)) {
            float[] host = new float[16];
            assertThatIllegalArgumentException().isThrownBy(() -> floats.upload(0, host, 0, 11));
            assertThatIllegalArgumentException().isThrownBy(() -> floats.upload(-1, host, 0, 2));
            assertThatIllegalArgumentException().isThrownBy(() -> floats.upload(Long.MAX_VALUE, host, 0, 2));
            assertThatIllegalArgumentException().isThrownBy(() -> floats.download(9, host, 0, 2));
            assertThatIllegalArgumentException().isThrownBy(() -> floats.download(-1, host, 0, 2));
            assertThatThrownBy(() -> floats.download(0, host, 10, 10)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> floats.upload(0, host, 10, 10)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void memoryThatCannotBeHadIsAKernelExceptionThatNamesTheBytes() {
        try (Backend backend = NativeBackend.open(1)) {
            // 2^60 bytes: more than processors can address.
            assertThatThrownBy(() -> backend.createMatrix(TensorType.F32, 1L << 38, 1 << 20))
                    .isInstanceOf(KernelException.class).hasMessageContaining("memory").hasMessageContaining("1152921504606846976");
            assertThatThrownBy(() -> backend.createFloats(1L << 58))
                    .isInstanceOf(KernelException.class).hasMessageContaining("memory").hasMessageContaining("1152921504606846976");
            KvShape shape = new KvShape(TensorType.F32, 1 << 20, 1 << 16, 1 << 10, 8, 128);
            assertThatThrownBy(() -> backend.createKvPool(shape))
                    .isInstanceOf(KernelException.class).hasMessageContaining("memory").hasMessageContaining(Long.toString(shape.byteSize()));
        }
        try (Backend backend = new ScalarBackend(1)) {
            assertThatThrownBy(() -> backend.createMatrix(TensorType.F32, 1L << 30, 1 << 16))
                    .isInstanceOf(KernelException.class).hasMessageContaining("memory").hasMessageContaining(Long.toString(1L << 48));
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void sizesThatNoNumberHoldsAreRefused(Opener opener) {
        try (Backend backend = opener.open()) {
            assertThatThrownBy(() -> backend.createMatrix(TensorType.F32, Long.MAX_VALUE, 1 << 20))
                    .isInstanceOfAny(IllegalArgumentException.class, KernelException.class);
            assertThatThrownBy(() -> backend.createFloats(Long.MAX_VALUE)).isInstanceOfAny(IllegalArgumentException.class, KernelException.class);
        }
    }

    @Test
    void numberOfThreadsIsChecked() {
        for (int threads : new int[] {0, -1, 257, Integer.MAX_VALUE}) {
            assertThatIllegalArgumentException().as("%d threads", threads).isThrownBy(() -> NativeBackend.open(threads));
        }
        assertThatIllegalArgumentException().isThrownBy(() -> new ScalarBackend(0));
    }

    @Test
    void forgottenBackendsAreFreed() throws Exception {
        int before = threadCount();
        for (int i = 0; i < 20; i++) {
            new Parts(NativeBackend.open(3));
        }
        for (int i = 0; i < 100 && threadCount() > before + 20; i++) {
            System.gc();
            Thread.sleep(20);
        }
        assertThat(threadCount()).as("threads of the process; each forgotten backend had two of its own").isLessThan(before + 20);
    }

    private static int threadCount() {
        String[] tasks = new java.io.File("/proc/self/task").list();
        return tasks == null ? 0 : tasks.length;
    }
}
