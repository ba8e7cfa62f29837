package dev.yangtuo.benchmarks.loading;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Writes safetensors files of F16 with normally distributed values. They repeat with a long period, which no reader and no quantizer notices,
 * so that a file is written as fast as the disk takes it.
 */
final class RandomSafetensors {
    /** Values of the pool that tensors are cut from. */
    private static final int POOL = 1 << 22;

    private final byte[] pool = new byte[2 * POOL];
    private final Random random;
    private final List<Tensor> tensors = new ArrayList<>();

    private record Tensor(String name, List<Integer> shape) {
        long elements() {
            return shape.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
        }
    }

    /** @param deviation standard deviation of the values */
    RandomSafetensors(long seed, double deviation) {
        random = new Random(seed);
        ByteBuffer values = ByteBuffer.wrap(pool).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < POOL; i++) {
            values.putShort(Float.floatToFloat16((float) (random.nextGaussian() * deviation)));
        }
    }

    /** Adds a matrix of random values. */
    void matrix(String name, int rows, int columns) {
        tensors.add(new Tensor(name, List.of(rows, columns)));
    }

    /** Writes all that was added. */
    void write(Path file) throws IOException {
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 20)) {
            byte[] header = header();
            out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).array());
            out.write(header);
            for (Tensor tensor : tensors) {
                write(tensor, out);
            }
        }
    }

    private byte[] header() {
        StringBuilder json = new StringBuilder("{");
        long offset = 0;
        for (Tensor tensor : tensors) {
            long end = offset + 2 * tensor.elements();
            json.append(json.length() == 1 ? "" : ",").append("\"%s\":{\"dtype\":\"F16\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                    .formatted(tensor.name, tensor.shape, offset, end));
            offset = end;
        }
        json.append('}');
        while (json.length() % 8 != 0) {
            json.append(' ');
        }
        return json.toString().getBytes(StandardCharsets.US_ASCII);
    }

    private void write(Tensor tensor, OutputStream out) throws IOException {
        long left = 2 * tensor.elements();
        while (left > 0) {
            int start = 2 * random.nextInt(POOL / 2);
            int count = (int) Math.min(left, pool.length - start);
            out.write(pool, start, count);
            left -= count;
        }
    }
}
