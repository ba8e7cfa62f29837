package dev.yangtuo.kernel;

import dev.yangtuo.tensor.TensorType;
import java.nio.file.Path;

/** What a backend can do with packed matrices in files. */
public interface PackedFiles {
    /** Matrices of one version have the same packed bytes, whatever the instruction set. */
    int layoutVersion();

    /** The user whose rights this process has. */
    long userId();

    /** Does what the first matrix would have to wait for: links the native calls. On any thread, at most once is enough. */
    void prepare();

    /**
     * A matrix whose packed bytes stand in a file: mapped, not copied, and never written. The file must not become shorter before the matrix is closed, which
     * would end the process: so it must be one that nobody else can write and that is replaced, not changed.
     *
     * @param byteOffset of the first, a multiple of 65536
     * @throws IllegalArgumentException if the file is too short, or there is no such matrix
     * @throws dev.yangtuo.exception.KernelException if the file cannot be opened or mapped
     */
    WeightMatrix map(TensorType type, long rows, int columns, Path file, long byteOffset);
}
