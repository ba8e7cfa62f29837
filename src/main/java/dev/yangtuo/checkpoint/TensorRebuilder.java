package dev.yangtuo.checkpoint;

import dev.yangtuo.checkpoint.PickleValue.Dictionary;
import dev.yangtuo.checkpoint.PickleValue.ElementType;
import dev.yangtuo.checkpoint.PickleValue.Function;
import dev.yangtuo.checkpoint.PickleValue.Plain;
import dev.yangtuo.checkpoint.PickleValue.Storage;
import dev.yangtuo.checkpoint.PickleValue.StorageClass;
import dev.yangtuo.checkpoint.PickleValue.Tensor;
import dev.yangtuo.checkpoint.PickleValue.Text;
import dev.yangtuo.checkpoint.PickleValue.Tuple;
import dev.yangtuo.checkpoint.PickleValue.Whole;
import dev.yangtuo.exception.CheckpointFormatException;
import java.util.ArrayList;
import java.util.List;

/** Turns what a pickle says about storages and tensors into places in the file, checked; the arguments are those of {@code torch._utils}. */
final class TensorRebuilder {
    private static final int MAX_DIMENSIONS = 64;
    private static final int STORAGE_FIELDS = 5;

    private final FileInput in;
    private final ZipArchive archive;
    /** The archive's folder, with a slash at the end. */
    private final String folder;

    TensorRebuilder(FileInput in, ZipArchive archive, String folder) {
        this.in = in;
        this.archive = archive;
        this.folder = folder;
    }

    /**
     * A storage by its persistent id: {@code ('storage', class, key, device, elements)}.
     *
     * @param at the instruction, for messages
     */
    Storage storage(long at, PickleValue id) {
        if (!(id instanceof Tuple(List<PickleValue> fields)) || fields.size() != STORAGE_FIELDS
                || !(fields.get(0) instanceof Text(String kind)) || !kind.equals("storage")
                || !(fields.get(2) instanceof Text(String key)) || !(fields.get(3) instanceof Text)
                || !(fields.get(4) instanceof Whole(long elements))) {
            throw damaged(at, "a persistent id is %s; expected ('storage', class, key, device, number of elements)".formatted(id.kind()));
        }
        // No switch: the compiler of JDK 25 writes frames for one here, behind the patterns above, that the verifier refuses.
        PytorchType type;
        if (fields.get(1) instanceof StorageClass known) {
            type = known.type();
        } else if (fields.get(1) == Function.UNTYPED_STORAGE) {
            type = null;
        } else {
            throw damaged(at, "storage %s is of %s; expected a class of storages".formatted(Quoted.text(key), fields.get(1).kind()));
        }
        ZipArchive.Entry entry = archive.find(folder + "data/" + key);
        if (entry == null) {
            throw damaged(at, "storage %s is not in the archive: there is no entry %s".formatted(
                    Quoted.text(key), Quoted.text(folder + "data/" + key)));
        }
        long bytesEach = type == null ? 1 : type.bytes;
        if (elements < 0 || elements > Long.MAX_VALUE / bytesEach || elements * bytesEach != entry.byteSize()) {
            throw damaged(at, "storage %s has %d elements of %d bytes, but the entry %s has %d bytes".formatted(
                    Quoted.text(key), elements, bytesEach, Quoted.text(entry.name()), entry.byteSize()));
        }
        return new Storage(type, entry.byteOffset(), entry.byteSize());
    }

    /** A tensor: {@code (storage, offset, size, stride, requires_grad, hooks)}, then version 3 has the type, and both may have metadata. */
    Tensor tensor(long at, Function function, List<PickleValue> arguments) {
        boolean typed = function == Function.REBUILD_TENSOR_V3;
        int required = typed ? 7 : 6;
        if (arguments.size() < required || arguments.size() > required + 1 || !(arguments.get(0) instanceof Storage storage)
                || !(arguments.get(1) instanceof Whole(long offset))
                || !(arguments.get(2) instanceof Tuple(List<PickleValue> sizes)) || !(arguments.get(3) instanceof Tuple(List<PickleValue> steps))) {
            throw damaged(at, "%s has %d arguments that are not those of a tensor: storage, offset, size, stride and %d more".formatted(
                    function.kind(), arguments.size(), required - 4));
        }
        if (arguments.size() > required && !isNothing(arguments.getLast())) {
            throw damaged(at, "a tensor has metadata (it is a conjugate or a negative view), which is not understood; save a copy of the tensor");
        }
        PytorchType type = storage.type();
        if (typed) {
            type = arguments.get(6) instanceof ElementType(PytorchType named) ? named : null;
        }
        if (type == null || typed && storage.type() != null) {
            throw damaged(at, "%s has %s and a storage of %s; expected one type".formatted(function.kind(), typed ? arguments.get(6).kind() : "no type",
                    storage.type() == null ? "none" : storage.type().typeName));
        }
        List<Long> shape = numbers(at, "size", sizes);
        List<Long> strides = numbers(at, "stride", steps);
        check(at, storage, type, offset, shape, strides);
        return new Tensor(type, storage.byteOffset() + offset * type.bytes, shape, strides);
    }

    /** A parameter is the tensor that it wraps: {@code (tensor, requires_grad, hooks)}, and the state of its attributes. */
    Tensor parameter(long at, Function function, List<PickleValue> arguments) {
        int expected = function == Function.REBUILD_PARAMETER ? 3 : 4;
        if (arguments.size() != expected || !(arguments.getFirst() instanceof Tensor tensor)) {
            throw damaged(at, "%s has %d arguments; expected a tensor and %d more".formatted(function.kind(), arguments.size(), expected - 1));
        }
        return tensor;
    }

    private static boolean isNothing(PickleValue value) {
        return value == Plain.NONE || value instanceof Dictionary dictionary && dictionary.isEmpty();
    }

    private List<Long> numbers(long at, String what, List<PickleValue> values) {
        if (values.size() > MAX_DIMENSIONS) {
            throw damaged(at, "a tensor's %s has %d dimensions; expected at most %d".formatted(what, values.size(), MAX_DIMENSIONS));
        }
        List<Long> numbers = new ArrayList<>(values.size());
        for (PickleValue value : values) {
            if (!(value instanceof Whole(long number)) || number < 0) {
                throw damaged(at, "a tensor's %s has %s; expected integers from 0 on".formatted(what, value.kind()));
            }
            numbers.add(number);
        }
        return numbers;
    }

    /** Every element is inside the storage. */
    private void check(long at, Storage storage, PytorchType type, long offset, List<Long> shape, List<Long> strides) {
        if (shape.size() != strides.size()) {
            throw damaged(at, "a tensor of size %s has the stride %s; expected as many dimensions".formatted(shape, strides));
        }
        if (offset < 0 || offset > storage.byteSize() / type.bytes) {
            throw damaged(at, "a tensor of size %s begins at element %d of a storage of %d".formatted(
                    shape, offset, storage.byteSize() / type.bytes));
        }
        if (shape.contains(0L)) {
            return;
        }
        long capacity = storage.byteSize() / type.bytes;
        long last = offset;
        long count = 1;
        try {
            for (int d = 0; d < shape.size(); d++) {
                count = Math.multiplyExact(count, shape.get(d));
                last = Math.addExact(last, Math.multiplyExact(shape.get(d) - 1, strides.get(d)));
            }
        } catch (ArithmeticException e) {
            throw damaged(at, "the extent of a tensor of size %s and stride %s overflows 64 bits".formatted(shape, strides));
        }
        if (last >= capacity) {
            throw damaged(at, "a tensor of size %s and stride %s ends at element %d of a storage of %d".formatted(shape, strides, last, capacity));
        }
        if (count > capacity) {
            throw damaged(at, ("a tensor of size %s and stride %s has %d elements in a storage of %d: it repeats some, which is not accepted;"
                    + " save a contiguous copy").formatted(shape, strides, count, capacity));
        }
    }

    private CheckpointFormatException damaged(long at, String problem) {
        return in.damaged(at, "data.pkl: %s. The file is damaged, or not weights alone".formatted(problem));
    }
}
