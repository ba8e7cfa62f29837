package dev.yangtuo.checkpoint;

import dev.yangtuo.tensor.FloatRows;
import java.util.Random;

/** Random damage to small files. */
final class FlippedBytes {
    /** Values that break lengths and signs more often than random ones do. */
    private static final byte[] INTERESTING = {0, 1, -1, Byte.MIN_VALUE, Byte.MAX_VALUE, '"', '{', '}', '[', ',', '9', '-'};

    private FlippedBytes() {}

    /** A copy with 1 to 4 bytes changed. */
    static byte[] flip(byte[] whole, Random random) {
        byte[] damaged = whole.clone();
        for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
            int at = random.nextInt(damaged.length);
            damaged[at] = switch (random.nextInt(3)) {
                case 0 -> (byte) random.nextInt();
                case 1 -> INTERESTING[random.nextInt(INTERESTING.length)];
                default -> (byte) (damaged[at] ^ 1 << random.nextInt(8));
            };
        }
        return damaged;
    }

    /** Reads every tensor row by row. */
    static void readEverything(Checkpoint checkpoint) {
        for (TensorInfo tensor : checkpoint.tensors()) {
            FloatRows rows = checkpoint.rows(tensor);
            float[] row = new float[rows.columns()];
            for (long r = 0; r < rows.rows(); r++) {
                rows.read(r, 1, row, 0);
            }
        }
    }
}
