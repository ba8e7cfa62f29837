package dev.yangtuo.llamacpp;

import dev.yangtuo.exception.NativeLibraryException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * What is looked at in a shared library of Linux before the dynamic linker maps it: a file that ends before its segments do would end the process there. The layout is
 * that of the ELF-64 object file format, version 1.2.
 */
final class ElfFile {
    private static final int HEADER_BYTES = 64;
    private static final int MAGIC = 0x7f454c46;
    private static final byte CLASS_64 = 2;
    private static final byte LITTLE_ENDIAN = 1;
    private static final int PROGRAM_HEADER_BYTES = 56;
    private static final int PT_LOAD = 1;
    /** The machines of e_machine that there are JDKs for, by the JDK's names. */
    private static final Map<Integer, String> MACHINES = Map.of(62, "amd64", 183, "aarch64", 243, "riscv64", 21, "ppc64le", 258, "loongarch64");

    private ElfFile() {}

    /**
     * Returns if the file is a complete shared library for a machine of this architecture.
     *
     * @param arch as the system property {@code os.arch} has it
     */
    static void require(Path file, String arch) {
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer header = read(channel, 0, HEADER_BYTES);
            if (header.remaining() < HEADER_BYTES || header.order(ByteOrder.BIG_ENDIAN).getInt(0) != MAGIC) {
                throw problem(file, "is not a shared library");
            }
            if (!isFor(header, arch)) {
                throw problem(file, "is a shared library for %s, this Java runs on %s".formatted(machine(header), arch));
            }
            requireComplete(file, channel, header);
        } catch (IOException e) {
            throw new NativeLibraryException("%s: cannot be read: %s".formatted(file, e), e);
        }
    }

    /**
     * Returns unless the file is a shared library for a machine of this architecture that is cut off. Whatever else is wrong with a file, the dynamic linker says itself.
     *
     * @param arch as the system property {@code os.arch} has it
     */
    static void requireNotCutOff(Path file, String arch) {
        if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
            return;
        }
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer header = read(channel, 0, HEADER_BYTES);
            if (header.remaining() == HEADER_BYTES && header.order(ByteOrder.BIG_ENDIAN).getInt(0) == MAGIC && isFor(header, arch)) {
                requireComplete(file, channel, header);
            }
        } catch (IOException e) {
            throw new NativeLibraryException("%s: cannot be read: %s".formatted(file, e), e);
        }
    }

    private static boolean isFor(ByteBuffer header, String arch) {
        return header.get(4) == CLASS_64 && header.get(5) == LITTLE_ENDIAN && machine(header).equals(arch);
    }

    private static String machine(ByteBuffer header) {
        return MACHINES.getOrDefault(Short.toUnsignedInt(header.order(ByteOrder.LITTLE_ENDIAN).getShort(18)), "another machine");
    }

    private static void requireComplete(Path file, FileChannel channel, ByteBuffer header) throws IOException {
        long offset = header.getLong(32);
        int entryBytes = Short.toUnsignedInt(header.getShort(54));
        int entries = Short.toUnsignedInt(header.getShort(56));
        long size = channel.size();
        if (entryBytes != PROGRAM_HEADER_BYTES || offset < 0 || offset > size - (long) entries * entryBytes) {
            throw problem(file, "is a shared library that is damaged or cut off");
        }
        ByteBuffer table = read(channel, offset, entries * entryBytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < table.limit(); at += entryBytes) {
            long start = table.getLong(at + 8);
            long bytes = table.getLong(at + 32);
            if (table.getInt(at) == PT_LOAD && (start < 0 || bytes < 0 || bytes > size - start)) {
                throw problem(file, "is a shared library that is cut off, it has %d bytes and needs at least %d".formatted(size, start + bytes));
            }
        }
    }

    /** Up to so many bytes; fewer at the end of the file. */
    private static ByteBuffer read(FileChannel channel, long offset, int bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(bytes);
        while (buffer.hasRemaining() && channel.read(buffer, offset + buffer.position()) >= 0) {
            // FileChannel.read may read less than is there
        }
        return buffer.flip();
    }

    private static NativeLibraryException problem(Path file, String what) {
        return new NativeLibraryException("%s: %s; %s".formatted(file, what, LibrarySearch.REMEDY), null);
    }
}
