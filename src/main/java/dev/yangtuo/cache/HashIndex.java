package dev.yangtuo.cache;

import java.io.IOException;
import java.io.InputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * Hashes of files that were read before, by their paths: valid as long as the file's {@link FileStamp} is the same. A text file with one line for each; a
 * damaged one is as good as none. Two programs that write it at once lose one's lines, which costs reading those files again.
 */
final class HashIndex {
    private static final Logger LOGGER = System.getLogger(HashIndex.class.getName());
    private static final String FIRST_LINE = "yangtuo file hashes 1";
    private static final int MAX_BYTES = 4 << 20;
    private static final int MAX_ENTRIES = 2000;

    private record Entry(FileStamp stamp, String hash) {}

    private final Path file;
    private final long userId;
    /** By path; the latest last. */
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    private HashIndex(Path file, long userId) {
        this.file = file;
        this.userId = userId;
    }

    /** That of a file, which need not exist. */
    static HashIndex read(Path file, long userId) {
        HashIndex index = new HashIndex(file, userId);
        index.reload();
        return index;
    }

    private void reload() {
        try {
            Ownership.requireOwn(file, userId);
            byte[] bytes;
            try (InputStream in = Files.newInputStream(file)) {
                bytes = in.readNBytes(MAX_BYTES + 1);
            }
            if (bytes.length > MAX_BYTES || !parse(new String(bytes, StandardCharsets.UTF_8))) {
                LOGGER.log(Level.WARNING, "{0}: is damaged and will be replaced", file);
                entries.clear();
            }
        } catch (NoSuchFileException e) {
            // The first time.
        } catch (IOException e) {
            LOGGER.log(Level.WARNING, "{0}: is not used: {1}", file, e.getMessage());
        }
    }

    /** Lines of hash, size, two times, inode, device, path; the last line is the hash of all before it. */
    private boolean parse(String text) {
        int end = text.lastIndexOf('\n', text.length() - 2) + 1;
        if (!text.endsWith("\n") || !text.startsWith(FIRST_LINE + "\n") || !text.substring(end).strip().equals(ContentHash.sha256(text.substring(0, end)))) {
            return false;
        }
        for (String line : text.substring(FIRST_LINE.length() + 1, end).lines().toList()) {
            String[] fields = line.split(" ", 7);
            try {
                entries.put(fields[6], new Entry(new FileStamp(Long.parseLong(fields[1]), Long.parseLong(fields[2]), Long.parseLong(fields[3]),
                        Long.parseLong(fields[4]), Long.parseLong(fields[5])), fields[0]));
            } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
                return false;
            }
        }
        return true;
    }

    /** The hash of a file whose stamp is this; null if it is not known. */
    @Nullable String find(Path path, FileStamp stamp) {
        Entry entry = entries.get(path.toString());
        return entry != null && entry.stamp.equals(stamp) ? entry.hash : null;
    }

    /** Remembers hashes, beside those that others have remembered since; what cannot be written is not remembered. */
    void remember(Map<Path, FileStamp> stamps, Map<Path, String> hashes) {
        reload();
        stamps.forEach((path, stamp) -> {
            if (path.toString().lines().count() == 1) {
                entries.remove(path.toString());
                entries.put(path.toString(), new Entry(stamp, hashes.get(path)));
            }
        });
        StringBuilder text = new StringBuilder(FIRST_LINE).append('\n');
        entries.entrySet().stream().skip(Math.max(0, entries.size() - MAX_ENTRIES)).forEach(known -> {
            FileStamp stamp = known.getValue().stamp;
            text.append("%s %d %d %d %d %d %s\n".formatted(known.getValue().hash, stamp.size(), stamp.modifiedNanos(), stamp.changedNanos(), stamp.inode(),
                    stamp.device(), known.getKey()));
        });
        text.append(ContentHash.sha256(text.toString())).append('\n');
        Path temporary = file.resolveSibling("%s.%d-%08x.tmp".formatted(file.getFileName(), ProcessHandle.current().pid(), ThreadLocalRandom.current().nextInt()));
        try {
            try {
                Files.writeString(temporary, text, StandardOpenOption.CREATE_NEW);
                Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            LOGGER.log(Level.DEBUG, "{0}: cannot be written: {1}", file, e);
        }
    }
}
