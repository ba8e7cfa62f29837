package dev.yangtuo.cache;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** What another user could have written is not taken for weights. */
final class Ownership {
    private static final FileAttribute<Set<PosixFilePermission>> PRIVATE = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    private Ownership() {}

    /**
     * The user whose files this process makes.
     *
     * @throws IOException if no file can be made among the temporary ones, or its file system knows no owners
     */
    static long currentUser() throws IOException {
        Path probe = Files.createTempFile("yangtuo-owner-", "");
        try {
            return owner(probe);
        } catch (UnsupportedOperationException e) {
            throw new IOException(probe + ": its file system knows no owners of files", e);
        } finally {
            Files.delete(probe);
        }
    }

    private static long owner(Path file) throws IOException {
        return ((Number) Files.getAttribute(file, "unix:uid", LinkOption.NOFOLLOW_LINKS)).longValue();
    }

    /**
     * Makes a folder that only this user can enter, if it does not exist, and the folders above it.
     *
     * @return the folder itself, where a link leads to it
     * @throws IOException if it cannot be made, belongs to another user, or others can write it
     */
    static Path requirePrivateFolder(Path named, long userId) throws IOException {
        if (!Files.isDirectory(named)) {
            try {
                Files.createDirectories(named, PRIVATE);
            } catch (FileAlreadyExistsException e) {
                throw new FileSystemException(e.getFile(), null, "is no folder; name another one");
            } catch (FileSystemException e) {
                String reason = e.getReason() == null ? "" : " (%s)".formatted(e.getReason());
                throw new FileSystemException(named.toString(), null, "the folder cannot be made%s; name another one".formatted(reason));
            }
        }
        Path folder = named.toRealPath();
        requireOwn(folder, userId);
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(folder);
        if (permissions.contains(PosixFilePermission.GROUP_WRITE) || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
            throw new FileSystemException(folder.toString(), null, "other users can write it; forbid that (chmod go-w), or name another folder");
        }
        return folder;
    }

    /** @throws IOException if the file does not exist, or belongs to another user */
    static void requireOwn(Path file, long userId) throws IOException {
        long owner = owner(file);
        if (owner != userId) {
            throw new FileSystemException(file.toString(), null, "it belongs to another user (%d; this is %d)".formatted(owner, userId));
        }
    }
}
