package dev.yangtuo.checkpoint;

import dev.yangtuo.checkpoint.PickleValue.Dictionary;
import dev.yangtuo.checkpoint.PickleValue.Tensor;
import dev.yangtuo.exception.CheckpointFormatException;
import dev.yangtuo.tensor.TensorType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One file of PyTorch weights: a zip archive with one folder of any name, in which {@code data.pkl} is a pickled dictionary of tensors and
 * {@code data/KEY} are their storages. Other entries ({@code version}, {@code .data/serialization_id}) say nothing about the weights.
 *
 * @param path the file
 * @param bytes the whole file
 * @param table its tensors
 * @param strides of the tensors whose elements do not follow each other, by name, in elements
 */
record PytorchFile(Path path, MemorySegment bytes, TensorTable table, Map<String, List<Long>> strides) {
    private static final String PICKLE = "data.pkl";
    /** Of hundreds of thousands of tensors. What a pickle makes of memory is a small multiple of it. */
    private static final long MAX_PICKLE_BYTES = 16 << 20;
    private static final int MAX_BYTE_ORDER_BYTES = 16;
    /** Under which training programs put the weights beside their own state. */
    private static final List<String> WRAPPERS = List.of("state_dict", "model");

    /**
     * Maps and checks a file.
     *
     * @throws CheckpointFormatException if the file is missing, not of this format, more than weights, damaged or incomplete
     */
    static PytorchFile read(Path path, Arena arena) {
        MappedFile file = MappedFile.map(path, "a file of PyTorch weights", arena);
        return file.reading("the directory of the zip archive", () -> new Reader(file).read());
    }

    /** The state of reading one file. */
    private static final class Reader {
        private final MappedFile file;

        Reader(MappedFile file) {
            this.file = file;
        }

        PytorchFile read() {
            FileKind kind = FileKind.of(file.bytes());
            if (kind != FileKind.ZIP) {
                throw problem("expected PyTorch weights in a zip archive, but this is " + kind.description);
            }
            ZipArchive archive = ZipArchive.read(file);
            ZipArchive.Entry pickle = findPickle(archive);
            String folder = pickle.name().substring(0, pickle.name().length() - PICKLE.length());
            refuseTorchScript(archive, folder);
            requireLittleEndian(archive.find(folder + "byteorder"));
            if (pickle.byteSize() > MAX_PICKLE_BYTES) {
                throw problem("%s has %d bytes; at most %d are accepted".formatted(PICKLE, pickle.byteSize(), MAX_PICKLE_BYTES));
            }
            FileInput in = new FileInput(file, pickle.byteOffset(), pickle.byteOffset() + pickle.byteSize(), PICKLE);
            return tensors(weights(new PickleReader(in, new TensorRebuilder(in, archive, folder)).read()));
        }

        private ZipArchive.Entry findPickle(ZipArchive archive) {
            List<ZipArchive.Entry> found = archive.entries().stream()
                    .filter(entry -> entry.name().endsWith("/" + PICKLE) && entry.name().indexOf('/') == entry.name().lastIndexOf('/'))
                    .toList();
            if (found.size() != 1) {
                throw problem("the zip archive has %d entries FOLDER/%s; expected one, as torch.save writes it".formatted(found.size(), PICKLE));
            }
            return found.getFirst();
        }

        private void refuseTorchScript(ZipArchive archive, String folder) {
            for (ZipArchive.Entry entry : archive.entries()) {
                if (entry.name().equals(folder + "constants.pkl") || entry.name().startsWith(folder + "code/")) {
                    throw problem(("this is a TorchScript archive (it has %s): a program, not weights alone. Load it with PyTorch and save its"
                            + " state_dict").formatted(Quoted.text(entry.name())));
                }
            }
        }

        private void requireLittleEndian(ZipArchive.@Nullable Entry entry) {
            if (entry == null) {
                return; // files of PyTorch before 2.1 do not say
            }
            String order = entry.byteSize() > MAX_BYTE_ORDER_BYTES ? "" : new String(
                    file.bytes().asSlice(entry.byteOffset(), entry.byteSize()).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.ISO_8859_1);
            if (!order.equals("little")) {
                throw problem(("the entry %s says %s; expected 'little'. Load the weights with PyTorch on a little-endian machine and save"
                        + " them again").formatted(Quoted.text(entry.name()), Quoted.text(order)));
            }
        }

        /** The dictionary of tensors: the whole of the file, or one level further in. */
        private Dictionary weights(PickleValue root) {
            if (!(root instanceof Dictionary dictionary)) {
                throw problem("%s holds %s; expected a dictionary of tensors (a state_dict)".formatted(PICKLE, root.kind()));
            }
            List<String> wrappers = WRAPPERS.stream()
                    .filter(key -> dictionary.items().get(key) instanceof Dictionary inner && inner.hasTensors())
                    .toList();
            if (wrappers.size() > 1) {
                throw problem("%s holds tensors under both '%s' and '%s'; save the state_dict alone".formatted(
                        PICKLE, wrappers.get(0), wrappers.get(1)));
            }
            if (wrappers.size() == 1) {
                return (Dictionary) dictionary.items().get(wrappers.getFirst());
            }
            if (!dictionary.hasTensors()) {
                throw problem("%s holds no tensors by name; expected a dictionary of them (a state_dict), or one under %s".formatted(
                        PICKLE, WRAPPERS));
            }
            return dictionary;
        }

        private PytorchFile tensors(Dictionary weights) {
            TensorTable table = new TensorTable();
            Map<String, List<Long>> strides = new HashMap<>();
            weights.items().forEach((name, value) -> {
                if (value instanceof Tensor tensor) {
                    add(table, strides, name, tensor);
                }
            });
            return new PytorchFile(file.path(), file.bytes(), table, strides);
        }

        private void add(TensorTable table, Map<String, List<Long>> strides, String name, Tensor tensor) {
            TensorType readAs = tensor.type().readAs;
            boolean contiguous = tensor.isContiguous();
            if (readAs == null || !contiguous && tensor.shape().size() > 2) {
                String typeName = contiguous ? tensor.type().typeName : tensor.type().typeName + " with the strides " + tensor.strides();
                table.add(new UnreadableTensor(name, typeName, tensor.shape(), file.path(), tensor.byteOffset(), tensor.spannedBytes()));
                return;
            }
            table.add(new TensorInfo(name, readAs, tensor.shape(), file.path(), tensor.byteOffset(), tensor.spannedBytes()));
            if (!contiguous) {
                strides.put(name, tensor.strides());
            }
        }

        private CheckpointFormatException problem(String text) {
            return new CheckpointFormatException(file.path(), text);
        }
    }
}
