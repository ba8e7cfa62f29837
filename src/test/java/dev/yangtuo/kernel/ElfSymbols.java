package dev.yangtuo.kernel;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;

/** The functions that a shared library offers, read from the section {@code .dynsym} of a 64-bit little-endian ELF file. */
final class ElfSymbols {
    // Offsets and values from the System V ABI, chapters "ELF Header", "Sections" and "Symbol Table".
    private static final int SECTION_TABLE_OFFSET = 0x28;
    private static final int SECTION_ENTRY_SIZE = 0x3A;
    private static final int SECTION_COUNT = 0x3C;
    private static final int SECTION_TYPE_DYNSYM = 11;
    private static final int SYMBOL_BYTES = 24;
    private static final int TYPE_FUNCTION = 2;
    private static final int BINDING_LOCAL = 0;

    private ElfSymbols() {}

    /** Names of all functions that are defined in the file and visible from outside. */
    static TreeSet<String> exportedFunctions(Path library) throws IOException {
        ByteBuffer elf = ByteBuffer.wrap(Files.readAllBytes(library)).order(ByteOrder.LITTLE_ENDIAN);
        if (elf.getInt(0) != 0x464C457F || elf.get(4) != 2 || elf.get(5) != 1) {
            throw new IOException(library + " is not a 64-bit little-endian ELF file");
        }
        int sections = (int) elf.getLong(SECTION_TABLE_OFFSET);
        int sectionBytes = elf.getShort(SECTION_ENTRY_SIZE);
        TreeSet<String> names = new TreeSet<>();
        for (int i = 0; i < elf.getShort(SECTION_COUNT); i++) {
            int section = sections + i * sectionBytes;
            if (elf.getInt(section + 4) == SECTION_TYPE_DYNSYM) {
                int stringSection = sections + elf.getInt(section + 0x28) * sectionBytes;
                readTable(elf, section, (int) elf.getLong(stringSection + 0x18), names);
            }
        }
        return names;
    }

    private static void readTable(ByteBuffer elf, int section, int strings, TreeSet<String> names) {
        int start = (int) elf.getLong(section + 0x18);
        int end = start + (int) elf.getLong(section + 0x20);
        for (int symbol = start; symbol < end; symbol += SYMBOL_BYTES) {
            int info = elf.get(symbol + 4) & 0xFF;
            boolean defined = elf.getShort(symbol + 6) != 0;
            if (defined && (info & 0xF) == TYPE_FUNCTION && info >> 4 != BINDING_LOCAL) {
                names.add(string(elf, strings + elf.getInt(symbol)));
            }
        }
    }

    private static String string(ByteBuffer elf, int offset) {
        StringBuilder text = new StringBuilder();
        for (int i = offset; elf.get(i) != 0; i++) {
            text.append((char) elf.get(i));
        }
        return text.toString();
    }
}
