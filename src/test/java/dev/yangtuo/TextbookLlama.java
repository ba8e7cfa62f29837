package dev.yangtuo;

import dev.yangtuo.checkpoint.SafetensorsCheckpoint;
import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.tensor.FloatRows;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The tiny model as the papers describe it, in double and without any thought of speed. */
final class TextbookLlama {
    private static final int DIM = 64;
    private static final int LAYERS = 3;
    private static final int HEADS = 4;
    private static final int KV_HEADS = 2;
    private static final int HEAD_DIM = 16;
    private static final double EPS = 1e-5;
    private static final double THETA = 10_000;

    /** By name, [rows][columns]; vectors have one row. */
    private final Map<String, double[][]> weights = new HashMap<>();

    TextbookLlama(Path directory) {
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.openDirectory(directory, "model")) {
            for (TensorInfo tensor : checkpoint.tensors()) {
                FloatRows rows = checkpoint.rows(tensor);
                float[] values = new float[(int) rows.rows() * rows.columns()];
                rows.read(0, (int) rows.rows(), values, 0);
                double[][] matrix = new double[(int) rows.rows()][rows.columns()];
                for (int i = 0; i < values.length; i++) {
                    matrix[i / rows.columns()][i % rows.columns()] = values[i];
                }
                weights.put(tensor.name(), matrix);
            }
        }
    }

    /** The states behind the last norm, [tokens][dim]. */
    double[][] states(int[] ids) {
        double[][] x = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            x[t] = weights.get("model.embed_tokens.weight")[ids[t]].clone();
        }
        for (int layer = 0; layer < LAYERS; layer++) {
            String name = "model.layers." + layer + ".";
            double[][] heads = attention(name, x);
            for (int t = 0; t < ids.length; t++) {
                add(x[t], times(name + "self_attn.o_proj", heads[t]));
                double[] n = norm(x[t], name + "post_attention_layernorm");
                double[] gate = times(name + "mlp.gate_proj", n);
                double[] up = times(name + "mlp.up_proj", n);
                for (int i = 0; i < gate.length; i++) {
                    gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
                }
                add(x[t], times(name + "mlp.down_proj", gate));
            }
        }
        for (int t = 0; t < ids.length; t++) {
            x[t] = norm(x[t], "model.norm");
        }
        return x;
    }

    private double[][] attention(String name, double[][] x) {
        double[][] q = new double[x.length][];
        double[][] k = new double[x.length][];
        double[][] v = new double[x.length][];
        double[][] out = new double[x.length][HEADS * HEAD_DIM];
        for (int t = 0; t < x.length; t++) {
            double[] n = norm(x[t], name + "input_layernorm");
            q[t] = rotate(times(name + "self_attn.q_proj", n), t);
            k[t] = rotate(times(name + "self_attn.k_proj", n), t);
            v[t] = times(name + "self_attn.v_proj", n);
            for (int head = 0; head < HEADS; head++) {
                int kvOffset = head / (HEADS / KV_HEADS) * HEAD_DIM;
                double[] p = new double[t + 1];
                double sum = 0;
                for (int s = 0; s <= t; s++) {
                    for (int d = 0; d < HEAD_DIM; d++) {
                        p[s] += q[t][head * HEAD_DIM + d] * k[s][kvOffset + d];
                    }
                    p[s] = Math.exp(p[s] / Math.sqrt(HEAD_DIM));
                    sum += p[s];
                }
                for (int s = 0; s <= t; s++) {
                    for (int d = 0; d < HEAD_DIM; d++) {
                        out[t][head * HEAD_DIM + d] += p[s] / sum * v[s][kvOffset + d];
                    }
                }
            }
        }
        return out;
    }

    /** RoPE; the pairs are half a head apart. */
    private static double[] rotate(double[] x, int position) {
        double[] y = new double[x.length];
        for (int start = 0; start < x.length; start += HEAD_DIM) {
            for (int i = 0; i < HEAD_DIM / 2; i++) {
                double angle = position * Math.pow(THETA, -2.0 * i / HEAD_DIM);
                double a = x[start + i];
                double b = x[start + i + HEAD_DIM / 2];
                y[start + i] = a * Math.cos(angle) - b * Math.sin(angle);
                y[start + i + HEAD_DIM / 2] = a * Math.sin(angle) + b * Math.cos(angle);
            }
        }
        return y;
    }

    private double[] norm(double[] x, String name) {
        double[] weight = weights.get(name + ".weight")[0];
        double squares = 0;
        for (double value : x) {
            squares += value * value;
        }
        double[] y = new double[DIM];
        for (int i = 0; i < DIM; i++) {
            y[i] = x[i] / Math.sqrt(squares / DIM + EPS) * weight[i];
        }
        return y;
    }

    private double[] times(String name, double[] x) {
        double[][] matrix = weights.get(name + ".weight");
        double[] y = new double[matrix.length];
        for (int row = 0; row < y.length; row++) {
            for (int i = 0; i < x.length; i++) {
                y[row] += matrix[row][i] * x[i];
            }
        }
        return y;
    }

    private static void add(double[] x, double[] y) {
        for (int i = 0; i < x.length; i++) {
            x[i] += y[i];
        }
    }
}
