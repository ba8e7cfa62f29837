package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The directory of a zip archive whose entries are stored without compression, as PyTorch writes them, so that each is a range of the
 * mapped file. What PKWARE's APPNOTE.TXT leaves open is closed here: the directory ends where the end record begins, a local header says
 * what the directory says, entries lie before the directory and do not overlap, names are unique and relative.
 *
 * <p>Checksums are not compared: that would read the whole file, and PyTorch can leave them out.
 */
final class ZipArchive {
    private static final int LOCAL_SIGNATURE = 0x04034b50;
    private static final int CENTRAL_SIGNATURE = 0x02014b50;
    private static final int END_SIGNATURE = 0x06054b50;
    private static final int ZIP64_END_SIGNATURE = 0x06064b50;
    private static final int ZIP64_LOCATOR_SIGNATURE = 0x07064b50;

    private static final int LOCAL_BYTES = 30;
    private static final int CENTRAL_BYTES = 46;
    private static final int END_BYTES = 22;
    private static final int ZIP64_END_BYTES = 56;
    private static final int ZIP64_LOCATOR_BYTES = 20;
    private static final int MAX_COMMENT_BYTES = 0xFFFF;
    private static final int ZIP64_EXTRA = 1;
    /** In a field of 32 bits: the value is in the zip64 extra field. */
    private static final long IN_EXTRA = 0xFFFF_FFFFL;
    private static final int COUNT_IN_ZIP64 = 0xFFFF;

    private static final int ENCRYPTED = 1 | 1 << 6 | 1 << 13;
    /** Sizes follow the data, and may be zero in the local header. */
    private static final int SIZES_BEHIND = 1 << 3;

    private static final String DAMAGED = "The archive is damaged; download it again";

    /**
     * One entry.
     *
     * @param headerOffset where its local header begins
     * @param byteOffset where its data begin in the file
     * @param byteSize number of bytes
     */
    record Entry(String name, long headerOffset, long byteOffset, long byteSize) {}

    /** Where the directory is. */
    private record Directory(long byteOffset, long byteSize, long count) {}

    private final MappedFile file;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    private ZipArchive(MappedFile file) {
        this.file = file;
    }

    /**
     * Reads the directory.
     *
     * @throws CheckpointFormatException if it is damaged, or an entry is compressed, encrypted, outside the file or on another one
     */
    static ZipArchive read(MappedFile file) {
        ZipArchive archive = new ZipArchive(file);
        archive.readEntries(archive.findDirectory());
        archive.checkOverlaps();
        return archive;
    }

    /** All entries, in the order of the directory. */
    Collection<Entry> entries() {
        return Collections.unmodifiableCollection(entries.values());
    }

    /** The entry of this name, or null. */
    @Nullable Entry find(String name) {
        return entries.get(name);
    }

    private Directory findDirectory() {
        long end = findEnd();
        FileInput in = inputAt(end + 4, "the end record of the zip archive");
        int disk = unsigned(in.readShort("the disk's number"));
        int startDisk = unsigned(in.readShort("the directory's disk"));
        long countHere = unsigned(in.readShort("the number of entries"));
        long count = unsigned(in.readShort("the number of entries"));
        long size = Integer.toUnsignedLong(in.readInt("the directory's size"));
        long offset = Integer.toUnsignedLong(in.readInt("the directory's offset"));
        long directoryEnd = end;
        if (end >= ZIP64_LOCATOR_BYTES && signature(end - ZIP64_LOCATOR_BYTES) == ZIP64_LOCATOR_SIGNATURE) {
            FileInput locator = inputAt(end - ZIP64_LOCATOR_BYTES + 4, "the zip64 locator");
            locator.readInt("the disk's number");
            directoryEnd = locator.readLong("the offset of the zip64 end record");
            if (directoryEnd < 0 || directoryEnd != end - ZIP64_LOCATOR_BYTES - ZIP64_END_BYTES || signature(directoryEnd) != ZIP64_END_SIGNATURE) {
                throw damaged(end - ZIP64_LOCATOR_BYTES, "the zip64 end record is not at byte %s, where its locator says. %s".formatted(
                        Long.toUnsignedString(directoryEnd), DAMAGED));
            }
            FileInput zip64 = inputAt(directoryEnd + 16, "the zip64 end record");
            disk = zip64.readInt("the disk's number");
            startDisk = zip64.readInt("the directory's disk");
            countHere = agreeing(directoryEnd, "number of entries", countHere, zip64.readLong("the number of entries"), COUNT_IN_ZIP64);
            count = agreeing(directoryEnd, "number of entries", count, zip64.readLong("the number of entries"), COUNT_IN_ZIP64);
            size = agreeing(directoryEnd, "size", size, zip64.readLong("the directory's size"), IN_EXTRA);
            offset = agreeing(directoryEnd, "offset", offset, zip64.readLong("the directory's offset"), IN_EXTRA);
        }
        if (disk != 0 || startDisk != 0 || count != countHere) {
            throw damaged(end, "the zip archive is one of several volumes, which are not supported");
        }
        if (size < 0 || size > directoryEnd || offset != directoryEnd - size) {
            throw damaged(end, "the directory of the zip archive has %s bytes from byte %s on; expected it to end at byte %d. %s".formatted(
                    Long.toUnsignedString(size), Long.toUnsignedString(offset), directoryEnd, DAMAGED));
        }
        if (count < 0 || count > size / CENTRAL_BYTES) {
            throw damaged(end, "the zip archive announces %s entries, but its directory of %d bytes holds at most %d. %s".formatted(
                    Long.toUnsignedString(count), size, size / CENTRAL_BYTES, DAMAGED));
        }
        if (count > TensorTable.MAX_TENSORS) {
            throw damaged(end, "the zip archive announces %d entries; at most %d are accepted".formatted(count, TensorTable.MAX_TENSORS));
        }
        return new Directory(offset, size, count);
    }

    /** The end record is followed by its comment and nothing else; without a comment it is the last thing of the file. */
    private long findEnd() {
        long last = file.size() - END_BYTES;
        for (long at = last; at >= Math.max(0, last - MAX_COMMENT_BYTES); at--) {
            if (signature(at) == END_SIGNATURE) {
                int comment = unsigned(inputAt(at + END_BYTES - 2, "the end record").readShort("the comment's length"));
                if (at + END_BYTES + comment == file.size()) {
                    return at;
                }
            }
        }
        throw damaged(Math.max(0, last), "the file begins as a zip archive, but does not end as one. The download is probably incomplete;"
                + " download it again");
    }

    /** The value of the zip64 record; the older field has it too, or says that it is there. */
    private long agreeing(long at, String what, long old, long zip64, long inZip64) {
        if (old != inZip64 && old != zip64) {
            throw damaged(at, "the %s of the zip archive's directory is %d in one place and %s in another. %s".formatted(
                    what, old, Long.toUnsignedString(zip64), DAMAGED));
        }
        return zip64;
    }

    private void readEntries(Directory directory) {
        long end = directory.byteOffset + directory.byteSize;
        FileInput in = new FileInput(file, directory.byteOffset, end, "the directory of the zip archive");
        for (long i = 0; i < directory.count; i++) {
            long at = in.byteOffset();
            Entry entry = readEntry(in, directory.byteOffset);
            if (entries.put(entry.name, entry) != null) {
                throw damaged(at, "the zip archive has two entries %s. %s".formatted(Quoted.text(entry.name), DAMAGED));
            }
        }
        if (in.remaining() > 0) {
            throw damaged(in.byteOffset(), "%d bytes follow the last of %d entries in the zip archive's directory. %s".formatted(
                    in.remaining(), directory.count, DAMAGED));
        }
    }

    private Entry readEntry(FileInput in, long dataEnd) {
        long at = in.byteOffset();
        String what = "an entry of the zip archive's directory";
        if (in.readInt(what) != CENTRAL_SIGNATURE) {
            throw damaged(at, "expected " + what + ". " + DAMAGED);
        }
        in.skip(what, 4); // versions
        int flags = unsigned(in.readShort(what));
        int method = unsigned(in.readShort(what));
        in.skip(what, 8); // time, date, checksum
        long compressed = Integer.toUnsignedLong(in.readInt(what));
        long size = Integer.toUnsignedLong(in.readInt(what));
        int nameBytes = unsigned(in.readShort(what));
        int extraBytes = unsigned(in.readShort(what));
        int commentBytes = unsigned(in.readShort(what));
        int disk = unsigned(in.readShort(what));
        in.skip(what, 6); // attributes
        long header = Integer.toUnsignedLong(in.readInt(what));
        String name = in.readUtf8("the name of " + what, nameBytes);
        checkName(at, name);
        Zip64Extra extra = Zip64Extra.read(in, extraBytes, "the extra fields of the zip entry " + Quoted.text(name));
        size = extra.next(size);
        compressed = extra.next(compressed);
        header = extra.next(header);
        in.skip(what, commentBytes);
        checkStored(at, name, flags, method, size, compressed);
        if (disk != 0 && disk != COUNT_IN_ZIP64) {
            throw damaged(at, "the zip entry %s is in another volume, which is not supported".formatted(Quoted.text(name)));
        }
        if (header < 0 || header > dataEnd - LOCAL_BYTES) {
            throw damaged(at, "the zip entry %s begins at byte %s; expected it before the directory, which begins at byte %d. %s".formatted(
                    Quoted.text(name), Long.toUnsignedString(header), dataEnd, DAMAGED));
        }
        return place(at, name, flags, size, header, dataEnd);
    }

    /** PyTorch's own names are harmless; nothing is ever unpacked, but nobody should have to remember that. */
    private void checkName(long at, String name) {
        boolean leaves = name.startsWith("/") || ("/" + name + "/").contains("/../");
        if (name.isEmpty() || leaves || name.chars().anyMatch(c -> c == '\\' || Character.isISOControl(c))) {
            throw damaged(at, "the zip entry %s has a name that is not accepted: empty, leaving its folder, or with control characters".formatted(
                    Quoted.text(name)));
        }
    }

    private void checkStored(long at, String name, int flags, int method, long size, long compressed) {
        String what = "the zip entry " + Quoted.text(name);
        if ((flags & ENCRYPTED) != 0) {
            throw damaged(at, what + " is encrypted; expected weights as torch.save writes them");
        }
        if (method != 0) {
            throw damaged(at, ("%s is compressed (method %d); expected it stored, as torch.save does. Load the weights with PyTorch and save"
                    + " them again").formatted(what, method));
        }
        if (size != compressed) {
            throw damaged(at, "%s is stored, but has %s bytes outside and %s inside the archive. %s".formatted(
                    what, Long.toUnsignedString(size), Long.toUnsignedString(compressed), DAMAGED));
        }
    }

    /** Reads the local header, which must agree, and finds the data behind it. */
    private Entry place(long at, String name, int flags, long size, long header, long dataEnd) {
        String what = "the local header of the zip entry " + Quoted.text(name);
        FileInput in = new FileInput(file, header, dataEnd, "the zip archive");
        boolean signed = in.readInt(what) == LOCAL_SIGNATURE;
        in.skip(what, 2);
        int localFlags = unsigned(in.readShort(what));
        int method = unsigned(in.readShort(what));
        in.skip(what, 8);
        long compressed = Integer.toUnsignedLong(in.readInt(what));
        long localSize = Integer.toUnsignedLong(in.readInt(what));
        int nameBytes = unsigned(in.readShort(what));
        int extraBytes = unsigned(in.readShort(what));
        if (!signed || method != 0 || (localFlags & (ENCRYPTED | SIZES_BEHIND)) != (flags & (ENCRYPTED | SIZES_BEHIND))
                || !in.readUtf8(what, nameBytes).equals(name)) {
            throw damaged(header, what + " says something else than the directory at byte " + at + ". " + DAMAGED);
        }
        Zip64Extra extra = Zip64Extra.read(in, extraBytes, what);
        localSize = extra.next(localSize);
        compressed = extra.next(compressed);
        boolean later = (localFlags & SIZES_BEHIND) != 0 && localSize == 0 && compressed == 0;
        if (!later && (localSize != size || compressed != size)) {
            throw damaged(header, "%s gives it %s bytes, the directory at byte %d %s. %s".formatted(
                    what, Long.toUnsignedString(localSize), at, Long.toUnsignedString(size), DAMAGED));
        }
        if (size < 0 || size > in.remaining()) {
            throw damaged(at, "the zip entry %s needs %s bytes from byte %d on, but the directory begins at byte %d. %s".formatted(
                    Quoted.text(name), Long.toUnsignedString(size), in.byteOffset(), dataEnd, DAMAGED));
        }
        return new Entry(name, header, in.byteOffset(), size);
    }

    private void checkOverlaps() {
        List<Entry> ordered = new ArrayList<>(entries.values());
        ordered.sort(Comparator.comparingLong(Entry::headerOffset));
        @Nullable Entry before = null;
        for (Entry entry : ordered) {
            if (before != null && entry.headerOffset < before.byteOffset + before.byteSize) {
                throw damaged(entry.headerOffset, "the zip entries %s and %s overlap. %s".formatted(
                        Quoted.text(before.name), Quoted.text(entry.name), DAMAGED));
            }
            before = entry;
        }
    }

    private FileInput inputAt(long byteOffset, String whole) {
        return new FileInput(file, byteOffset, file.size(), whole);
    }

    private int signature(long byteOffset) {
        return file.bytes().get(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), byteOffset);
    }

    private static int unsigned(short value) {
        return Short.toUnsignedInt(value);
    }

    private CheckpointFormatException damaged(long byteOffset, String problem) {
        return new CheckpointFormatException(file.path(), "at byte %d: %s".formatted(byteOffset, problem));
    }

    /** The 64-bit values of an entry, in the order of the 32-bit fields that point here. */
    private static final class Zip64Extra {
        private final FileInput in;
        private final String what;
        private final long @Nullable [] values;
        private int next;

        private Zip64Extra(FileInput in, String what, long @Nullable [] values) {
            this.in = in;
            this.what = what;
            this.values = values;
        }

        /** Reads all extra fields; those of other kinds (PyTorch pads with one) are skipped. */
        static Zip64Extra read(FileInput in, int byteSize, String what) {
            long @Nullable [] values = null;
            int left = byteSize;
            while (left >= 4) {
                int id = unsigned(in.readShort(what));
                int size = unsigned(in.readShort(what));
                left -= 4;
                if (size > left) {
                    throw in.damaged(in.byteOffset(), "%s end within one of them (%d bytes needed, %d left). %s".formatted(what, size, left, DAMAGED));
                }
                if (id == ZIP64_EXTRA && values == null) {
                    values = new long[Math.min(size / Long.BYTES, 3)];
                    for (int i = 0; i < values.length; i++) {
                        values[i] = in.readLong(what);
                    }
                    in.skip(what, size - (long) values.length * Long.BYTES);
                } else {
                    in.skip(what, size);
                }
                left -= size;
            }
            in.skip(what, left);
            return new Zip64Extra(in, what, values);
        }

        /** The value of a field. */
        long next(long field) {
            if (field != IN_EXTRA || values == null) {
                return field;
            }
            if (next == values.length) {
                throw in.damaged(in.byteOffset(), "%s lack a 64-bit value that the entry points to. %s".formatted(what, DAMAGED));
            }
            return values[next++];
        }
    }
}
