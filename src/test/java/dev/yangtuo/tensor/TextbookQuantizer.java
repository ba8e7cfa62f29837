package dev.yangtuo.tensor;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Q8_0 and Q4_0 written straight from their definitions, one element after the other, to check the fast code against. */
final class TextbookQuantizer {
    private TextbookQuantizer() {}

    static byte[] encode(TensorType type, float[] values) {
        ByteBuffer out = ByteBuffer.allocate((int) type.rowBytes(values.length)).order(ByteOrder.LITTLE_ENDIAN);
        for (int from = 0; from < values.length; from += 32) {
            if (type == TensorType.Q8_0) {
                encodeQ8(values, from, out);
            } else {
                encodeQ4(values, from, out);
            }
        }
        return out.array();
    }

    static float[] decode(TensorType type, byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[bytes.length / type.blockBytes() * 32];
        for (int from = 0; from < values.length; from += 32) {
            float d = Float.float16ToFloat(in.getShort());
            for (int j = 0; j < (type == TensorType.Q8_0 ? 32 : 16); j++) {
                byte q = in.get();
                if (type == TensorType.Q8_0) {
                    values[from + j] = q * d;
                } else {
                    values[from + j] = ((q & 0xf) - 8) * d;
                    values[from + j + 16] = ((q >> 4 & 0xf) - 8) * d;
                }
            }
        }
        return values;
    }

    /** C's roundf. */
    static int roundHalfAway(float x) {
        return new BigDecimal(x).setScale(0, RoundingMode.HALF_UP).intValueExact();
    }

    private static void encodeQ8(float[] values, int from, ByteBuffer out) {
        float amax = 0;
        for (int j = 0; j < 32; j++) {
            amax = Math.max(amax, Math.abs(values[from + j]));
        }
        float d = amax / 127;
        float id = d != 0 ? 1 / d : 0;
        out.putShort(Float.floatToFloat16(d));
        for (int j = 0; j < 32; j++) {
            out.put((byte) roundHalfAway(values[from + j] * id));
        }
    }

    private static void encodeQ4(float[] values, int from, ByteBuffer out) {
        float amax = 0;
        float max = 0;
        for (int j = 0; j < 32; j++) {
            if (amax < Math.abs(values[from + j])) {
                amax = Math.abs(values[from + j]);
                max = values[from + j];
            }
        }
        float d = max / -8;
        float id = d != 0 ? 1 / d : 0;
        out.putShort(Float.floatToFloat16(d));
        for (int j = 0; j < 16; j++) {
            int low = Math.min(15, (byte) (values[from + j] * id + 8.5f));
            int high = Math.min(15, (byte) (values[from + j + 16] * id + 8.5f));
            out.put((byte) (low | high << 4));
        }
    }
}
