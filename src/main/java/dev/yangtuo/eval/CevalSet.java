package dev.yangtuo.eval;

import dev.yangtuo.exception.YangtuoException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A folder in C-Eval's layout: {@code dev/SUBJECT_dev.csv} (examples), {@code val/SUBJECT_val.csv} and {@code test/SUBJECT_test.csv}. A {@code subject_mapping.json} in it
 * has names and categories of the subjects; without it those of C-Eval's own subjects are known. Reading needs the optional library
 * {@code com.fasterxml.jackson.dataformat:jackson-dataformat-csv}.
 */
public final class CevalSet {
    private static final String MAPPING = "subject_mapping.json";
    private static final String DEV = "dev";

    private final Path directory;
    private final CevalNames names;

    private CevalSet(Path directory, CevalNames names) {
        this.directory = directory;
        this.names = names;
    }

    /**
     * Opens a folder; its questions are read by {@link #read}.
     *
     * @throws YangtuoException if there is no such folder, or its {@code subject_mapping.json} is not understood
     */
    public static CevalSet open(Path directory) {
        if (!Files.isDirectory(directory)) {
            throw new YangtuoException("%s: there is no such directory; expected one with the folders dev, val and test".formatted(directory));
        }
        CevalNames names = new CevalNames();
        Path mapping = directory.resolve(MAPPING);
        if (Files.exists(mapping)) {
            names.read(mapping);
        }
        return new CevalSet(directory, names);
    }

    /**
     * The ids of all subjects that have questions in a split, sorted.
     *
     * @throws YangtuoException if there are none
     */
    public List<String> subjects(CevalSplit split) {
        Path folder = directory.resolve(split.label());
        String ending = "_" + split.label() + ".csv";
        List<String> ids = new ArrayList<>();
        if (Files.isDirectory(folder)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*" + ending)) {
                for (Path file : files) {
                    String name = file.getFileName().toString();
                    ids.add(name.substring(0, name.length() - ending.length()));
                }
            } catch (IOException e) {
                throw new YangtuoException("%s: cannot be read: %s".formatted(folder, e.getMessage()), e);
            }
        }
        if (ids.isEmpty()) {
            throw new YangtuoException("%s: there are no questions; expected files SUBJECT%s in a folder %s".formatted(directory, ending, split.label()));
        }
        Collections.sort(ids);
        return ids;
    }

    /**
     * Reads a subject, its examples included if there are any.
     *
     * @param id as {@link #subjects} names it
     * @throws YangtuoException if there is no such subject, or a file of it is not understood
     */
    public CevalSubject read(String id, CevalSplit split) {
        if (!subjects(split).contains(id)) {
            throw new YangtuoException("%s: there is no subject '%s' in %s; there are %s".formatted(directory, id, split.label(), String.join(", ", subjects(split))));
        }
        Path file = file(split.label(), id);
        Path dev = file(DEV, id);
        CevalNames.Subject subject = names.of(id);
        return new CevalSubject(
                id,
                subject == null ? id : subject.name(),
                subject == null ? null : subject.category(),
                file,
                CevalCsv.read(file, split == CevalSplit.VAL),
                Files.exists(dev) ? CevalCsv.read(dev, true) : List.of());
    }

    private Path file(String split, String id) {
        return directory.resolve(split).resolve("%s_%s.csv".formatted(id, split));
    }
}
