package dev.yangtuo.checkpoint;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes zip archives as {@code torch.save} does, around a pickle that is written instruction by instruction, so that tests can lie anywhere. */
public final class PytorchBuilder {
    private record Entry(String name, byte[] data, boolean compressed) {}

    private final List<Entry> entries = new ArrayList<>();

    /** Two tensors: {@code a}, float32 [2][3], and {@code b}, its second row. */
    public static PytorchBuilder small() {
        return new PytorchBuilder().pickle(new Pickle().proto(2).op('}').op('(')
                .text("a").tensor("0", "FloatStorage", 6, 0, new int[] {2, 3}, new int[] {3, 1})
                .text("b").tensor("0", "FloatStorage", 6, 3, new int[] {3}, new int[] {1})
                .op('u').op('.')).entry("archive/data/0", new byte[24]);
    }

    /** Only a pickle, and one storage of 24 bytes. */
    public static PytorchBuilder of(Pickle pickle) {
        return new PytorchBuilder().pickle(pickle).entry("archive/data/0", new byte[24]);
    }

    PytorchBuilder pickle(Pickle pickle) {
        return entry("archive/data.pkl", pickle.bytes());
    }

    /** Adds an entry that is stored. */
    public PytorchBuilder entry(String name, byte[] data) {
        entries.add(new Entry(name, data, false));
        return this;
    }

    /** Adds an entry that is compressed. */
    PytorchBuilder compressed(String name, byte[] data) {
        entries.add(new Entry(name, data, true));
        return this;
    }

    /** The archive. */
    public byte[] build() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            for (Entry entry : entries) {
                ZipEntry header = new ZipEntry(entry.name);
                if (!entry.compressed) {
                    CRC32 checksum = new CRC32();
                    checksum.update(entry.data);
                    header.setMethod(ZipEntry.STORED);
                    header.setSize(entry.data.length);
                    header.setCrc(checksum.getValue());
                }
                zip.putNextEntry(header);
                zip.write(entry.data);
                zip.closeEntry();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** Writes the archive. */
    Path write(Path file) {
        try {
            return Files.write(file, build());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A pickle, instruction by instruction, by the codes of Python's {@code pickletools}. */
    public static final class Pickle {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        /** {@code PROTO}. */
        public Pickle proto(int protocol) {
            return op(0x80).op(protocol);
        }

        /** One byte. */
        public Pickle op(int code) {
            out.write(code);
            return this;
        }

        /** Any bytes. */
        public Pickle raw(String latin1) {
            out.writeBytes(latin1.getBytes(StandardCharsets.ISO_8859_1));
            return this;
        }

        Pickle int32(int value) {
            out.writeBytes(GgufBuilder.little(4).putInt(value).array());
            return this;
        }

        Pickle int64(long value) {
            out.writeBytes(GgufBuilder.little(8).putLong(value).array());
            return this;
        }

        /** {@code BINUNICODE}. */
        public Pickle text(String text) {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            op('X').int32(utf8.length);
            out.writeBytes(utf8);
            return this;
        }

        /** {@code BININT}. */
        public Pickle integer(int value) {
            return op('J').int32(value);
        }

        /** {@code GLOBAL}. */
        public Pickle global(String module, String name) {
            return op('c').raw(module + "\n" + name + "\n");
        }

        Pickle storage(String key, String type, long elements) {
            op('(').text("storage").global("torch", type).text(key).text("cpu");
            return op(0x8a).op(8).int64(elements).op('t').op('Q');
        }

        Pickle tuple(int... values) {
            op('(');
            for (int value : values) {
                integer(value);
            }
            return op('t');
        }

        /** A tensor of a storage, as {@code torch._utils._rebuild_tensor_v2} takes it. */
        public Pickle tensor(String key, String type, long elements, int offset, int[] shape, int[] strides) {
            return global("torch._utils", "_rebuild_tensor_v2").op('(').storage(key, type, elements).integer(offset).tuple(shape).tuple(strides)
                    .op(0x89).global("collections", "OrderedDict").op(')').op('R').op('t').op('R');
        }

        /** What was written. */
        public byte[] bytes() {
            return out.toByteArray();
        }
    }
}
