package dev.yangtuo.lora;

import dev.yangtuo.checkpoint.TensorInfo;
import dev.yangtuo.checkpoint.UnreadableTensor;
import dev.yangtuo.exception.AdapterException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.SequencedSet;
import org.jspecify.annotations.Nullable;

/** What an adapter does, parameter by parameter, in the order of its file; filled while it is opened, and with it the checks that all formats share. */
final class AdapterChanges {
    // Beyond any model's dimension; keeps what is decoded of lora_A close to what is stored of it.
    private static final int MAX_RANK = 1 << 16;

    private final LinkedHashMap<String, List<ParameterChange>> changes = new LinkedHashMap<>();
    private final List<String> notes = new ArrayList<>();

    /** The scale of two factors. */
    interface Scale {
        float of(TensorInfo a, TensorInfo b);
    }

    void add(String parameter, ParameterChange change) {
        List<ParameterChange> list = changes.computeIfAbsent(parameter, name -> new ArrayList<>());
        for (ParameterChange other : list) {
            if (other.kind().isDelta() && change.kind().isDelta()) {
                throw twice(other.tensors().getFirst(), change.tensors().getFirst());
            }
        }
        list.add(change);
        list.sort(Comparator.comparing(ParameterChange::kind));
    }

    void note(String note) {
        notes.add(note);
    }

    /** The changes of a parameter in the order in which they act; empty if there are none. */
    List<ParameterChange> of(String parameter) {
        return changes.getOrDefault(parameter, List.of());
    }

    SequencedSet<String> parameters() {
        return changes.sequencedKeySet();
    }

    List<String> notes() {
        return notes;
    }

    void requireAny(Path file) {
        if (changes.isEmpty()) {
            throw new AdapterException(file, "holds no tensor of an adapter");
        }
    }

    /** @throws AdapterException if one is missing, or the ranks differ, or are absurd */
    static LoraDelta paired(@Nullable TensorInfo a, @Nullable TensorInfo b, LoraDelta.Layout layout, Scale scale) {
        if (a == null || b == null) {
            TensorInfo present = a == null ? Objects.requireNonNull(b) : a;
            throw new AdapterException(
                    present.file(), "tensor %s has no %s beside it".formatted(AdapterKey.quote(present.name()), a == null ? "lora_A" : "lora_B"));
        }
        long rank = layout == LoraDelta.Layout.TRANSPOSED_ROWS ? a.shape().getLast() : a.shape().getFirst();
        if (rank != b.shape().getLast()) {
            throw new AdapterException(
                    a.file(),
                    "the ranks of %s %s and %s %s differ"
                            .formatted(AdapterKey.quote(a.name()), a.shape(), AdapterKey.quote(b.name()), b.shape()));
        }
        if (rank > MAX_RANK) {
            throw new AdapterException(
                    a.file(), "tensor %s has shape %s: a rank of more than %d".formatted(AdapterKey.quote(a.name()), a.shape(), MAX_RANK));
        }
        return new LoraDelta(a, b, scale.of(a, b), layout);
    }

    static float finiteScale(double scale, Path file, String module) {
        if (!Float.isFinite((float) scale)) {
            throw new AdapterException(file, "the scale of %s is out of range".formatted(AdapterKey.quote(module)));
        }
        return (float) scale;
    }

    static void requireDimensions(TensorInfo tensor, int least, int most, String expected) {
        int dimensions = tensor.shape().size();
        if (dimensions < least || dimensions > most) {
            throw new AdapterException(
                    tensor.file(), "tensor %s has shape %s, expected %s".formatted(AdapterKey.quote(tensor.name()), tensor.shape(), expected));
        }
        for (long dimension : tensor.shape()) {
            if (dimension < 1 || dimension > Integer.MAX_VALUE) {
                throw new AdapterException(
                        tensor.file(),
                        "tensor %s has shape %s, expected sizes from 1 to %d"
                                .formatted(AdapterKey.quote(tensor.name()), tensor.shape(), Integer.MAX_VALUE));
            }
        }
    }

    static AdapterException unreadable(UnreadableTensor tensor) {
        return new AdapterException(
                tensor.file(),
                "tensor %s is of type %s, which is not supported; expected F32, F16 or BF16"
                        .formatted(AdapterKey.quote(tensor.name()), tensor.typeName()));
    }

    static AdapterException twice(TensorInfo one, TensorInfo other) {
        return new AdapterException(
                other.file(), "tensors %s and %s mean the same".formatted(AdapterKey.quote(one.name()), AdapterKey.quote(other.name())));
    }
}
