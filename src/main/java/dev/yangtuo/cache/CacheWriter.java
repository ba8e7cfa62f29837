package dev.yangtuo.cache;

import dev.yangtuo.checkpoint.OutputFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Writes a file of packed weights. It gets its name when all of it is on the disk; other programs may write the same one at the same time. */
final class CacheWriter {
    /** Larger matrices begin where large pages do, so that they can be mapped by such. */
    private static final long LARGE_PAGE = 2 << 20;
    /** As a vector of the largest registers needs it. */
    private static final long VECTOR_ALIGNMENT = 64;

    private CacheWriter() {}

    /**
     * Writes a file.
     *
     * @throws IOException if it cannot be written, or the thread is interrupted; then there is no file that was not there before
     * @throws dev.yangtuo.exception.YangtuoException likewise
     */
    static void write(Path file, int layoutVersion, String key, List<PackedParameter> parameters, byte[] note) throws IOException {
        List<CacheHeader.Place> places = places(parameters, note.length);
        CacheHeader.Place last = places.getLast();
        CacheHeader header = new CacheHeader(layoutVersion, key, last.byteOffset() + last.byteSize(), places, note);
        CacheFolder.write(file, header.fileBytes(), out -> {
            writeAll(out, parameters, places);
            out.write(0, MemorySegment.ofArray(header.encode()));
        });
    }

    /** Places behind each other; checksums are still zeros. */
    private static List<CacheHeader.Place> places(List<PackedParameter> parameters, int noteBytes) {
        long pieces = parameters.stream().mapToLong(parameter -> CacheHeader.Place.pieces(parameter.byteSize())).sum();
        long end = CacheHeader.bytes(parameters.stream().map(PackedParameter::parameter).toList(), pieces, noteBytes);
        List<CacheHeader.Place> places = new ArrayList<>();
        for (PackedParameter packed : parameters) {
            boolean large = packed.byteSize() >= 2 * LARGE_PAGE;
            long alignment = packed.parameter().isVector() ? VECTOR_ALIGNMENT : large ? LARGE_PAGE : CacheHeader.MATRIX_ALIGNMENT;
            long offset = (end + alignment - 1) / alignment * alignment;
            places.add(new CacheHeader.Place(packed.parameter(), offset, packed.byteSize(), new int[CacheHeader.Place.pieces(packed.byteSize())]));
            end = offset + packed.byteSize();
        }
        return places;
    }

    /** Whole pieces in one call each, so that file systems can keep them in large pages. */
    private static void writeAll(OutputFile out, List<PackedParameter> parameters, List<CacheHeader.Place> places) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(CacheHeader.PIECE_BYTES, CacheHeader.MATRIX_ALIGNMENT);
            for (int i = 0; i < places.size(); i++) {
                CacheHeader.Place place = places.get(i);
                for (int piece = 0; piece < place.pieces(); piece++) {
                    long at = (long) piece * CacheHeader.PIECE_BYTES;
                    MemorySegment bytes = buffer.asSlice(0, Math.min(CacheHeader.PIECE_BYTES, place.byteSize() - at));
                    parameters.get(i).reader().read(at, bytes);
                    place.checksums()[piece] = CacheFile.checksum(bytes.asByteBuffer());
                    out.write(place.byteOffset() + at, bytes);
                }
            }
        }
    }
}
