package dev.yangtuo.checkpoint;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** What a file is by its first bytes, so that a wrong file is named for what it is instead of for the check that it fails first. */
enum FileKind {
    GGUF("a GGUF file"),
    OLD_GGML("a GGML file from before GGUF, which is not supported; convert the original model to GGUF again"),
    ZIP("a zip archive, as PyTorch writes weights"),
    PICKLE("a Python pickle; PyTorch has not written weights in this form since version 1.6. Load them with PyTorch and save them again"),
    TAR("a tar archive; PyTorch has not written weights in this form since version 0.1. Load them with PyTorch and save them again"),
    LFS_POINTER("a Git LFS pointer, not the file itself; run 'git lfs pull' in the model's repository"),
    MARKUP("a web page, not the file itself; the download went wrong, download it again"),
    SAFETENSORS("a safetensors file"),
    LLAMA2C("a model file of llama2.c"),
    OTHER("not a kind of file that is known here");

    private static final int LONGEST_PREFIX = 512;
    private static final String TAR_MAGIC = "ustar";
    private static final int TAR_MAGIC_OFFSET = 257;

    /** Completes the sentence "the file is ...". */
    final String description;

    FileKind(String description) {
        this.description = description;
    }

    static FileKind of(MemorySegment bytes) {
        byte[] head = bytes.asSlice(0, Math.min(bytes.byteSize(), LONGEST_PREFIX)).toArray(ValueLayout.JAVA_BYTE);
        String text = new String(head, StandardCharsets.ISO_8859_1);
        // Before the pickle: a header length may begin with a pickle's two bytes.
        if (head.length > 8 && head[8] == '{' && head[5] == 0 && head[6] == 0 && head[7] == 0) {
            return SAFETENSORS;
        }
        if (text.startsWith("GGUF")) {
            return GGUF;
        }
        if (text.startsWith("tjgg") || text.startsWith("lmgg") || text.startsWith("fmgg") || text.startsWith("algg")) {
            return OLD_GGML;
        }
        if (text.startsWith("PK\u0003\u0004")) {
            return ZIP;
        }
        // Before the pickle: a width of 640 begins like one.
        if (Llama2cCheckpoint.is(bytes)) {
            return LLAMA2C;
        }
        if (head.length > 8 && head[0] == (byte) 0x80 && head[1] >= 2 && head[1] <= 5) {
            return PICKLE;
        }
        if (text.startsWith(TAR_MAGIC, TAR_MAGIC_OFFSET)) {
            return TAR;
        }
        if (text.startsWith("version https://git-lfs")) {
            return LFS_POINTER;
        }
        String trimmed = text.stripLeading().toLowerCase(Locale.ROOT);
        if (trimmed.startsWith("<!doctype") || trimmed.startsWith("<html") || trimmed.startsWith("<?xml")) {
            return MARKUP;
        }
        return OTHER;
    }
}
