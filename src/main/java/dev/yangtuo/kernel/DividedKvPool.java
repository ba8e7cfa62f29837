package dev.yangtuo.kernel;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The pages of a model whose layers are divided among backends: of each page every backend has the part of its own layers. In a page's bytes one layer follows the other,
 * so they are the same however the layers are divided.
 */
public final class DividedKvPool implements KvPool {
    private final List<KvPool> parts;
    private final KvShape shape;

    /**
     * @param parts in the order of the layers; they are closed with this
     * @throws IllegalArgumentException if their shapes differ in more than the number of layers
     */
    public DividedKvPool(List<KvPool> parts) {
        this.parts = List.copyOf(parts);
        this.shape = parts.getFirst().shape().withLayers(parts.stream().mapToInt(part -> part.shape().layers()).sum());
        for (KvPool part : parts) {
            if (!part.shape().withLayers(shape.layers()).equals(shape)) {
                throw new IllegalArgumentException("%s and %s do not make one pool".formatted(parts.getFirst().shape(), part.shape()));
            }
        }
    }

    @Override
    public KvShape shape() {
        return shape;
    }

    @Override
    public long pageBytes() {
        long bytes = 0;
        for (KvPool part : parts) {
            bytes += part.pageBytes();
        }
        return bytes;
    }

    @Override
    public void copyPage(int from, int to) {
        for (KvPool part : parts) {
            part.copyPage(from, to);
        }
    }

    @Override
    public void downloadPage(int page, MemorySegment target) {
        requirePage(target);
        long offset = 0;
        for (KvPool part : parts) {
            part.downloadPage(page, target.asSlice(offset, part.pageBytes()));
            offset += part.pageBytes();
        }
    }

    @Override
    public void uploadPage(int page, MemorySegment source) {
        requirePage(source);
        long offset = 0;
        for (KvPool part : parts) {
            part.uploadPage(page, source.asSlice(offset, part.pageBytes()));
            offset += part.pageBytes();
        }
    }

    private void requirePage(MemorySegment host) {
        if (host.byteSize() != pageBytes()) {
            throw new IllegalArgumentException("%d bytes are not a page of %d".formatted(host.byteSize(), pageBytes()));
        }
    }

    @Override
    public void close() {
        parts.forEach(KvPool::close);
    }
}
