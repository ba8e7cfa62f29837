package dev.yangtuo.checkpoint;

import dev.yangtuo.exception.CheckpointFormatException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The files of one GGUF model: mostly one; otherwise parts named {@code NAME-00001-of-00003.gguf}. Each part says which one it is
 * ({@code split.no}, from 0), of how many ({@code split.count}), and how many tensors all have together ({@code split.tensors.count}); the first
 * one holds the metadata. Which part was named does not matter.
 */
final class GgufParts {
    private static final String NUMBER = "split.no";
    private static final String COUNT = "split.count";
    private static final String TENSORS = "split.tensors.count";
    private static final Pattern NAME = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf", Pattern.DOTALL);

    private final Path named;
    private final int count;
    private final int tensors;
    private final String stem;

    private GgufParts(GgufFile file) {
        named = file.path();
        count = file.metadata().integer(COUNT, 1);
        tensors = file.metadata().integer(TENSORS, -1);
        int number = file.metadata().integer(NUMBER, -1);
        if (number < 0 || number >= count) {
            throw new CheckpointFormatException(named, "key '%s' is %d, but '%s' is %d; expected 0 to %d. The file is damaged"
                    .formatted(NUMBER, number, COUNT, count, count - 1));
        }
        Path name = named.getFileName();
        Matcher matcher = NAME.matcher(name == null ? "" : name.toString());
        if (!matcher.matches() || !nameOf(matcher.group(1), number).equals(matcher.group())) {
            throw new CheckpointFormatException(named, ("this is part %d of a model split into %d files, so its name must end in %s, by which the other"
                    + " parts are found. Give all parts their names again").formatted(number + 1, count, nameOf("", number)));
        }
        stem = matcher.group(1);
    }

    /**
     * Maps and checks a file, and where it is a part, all others.
     *
     * @return in order; the metadata are those of the first one
     * @throws CheckpointFormatException if a file is missing, damaged, or a part of another model
     */
    static List<GgufFile> read(Path path, Arena arena) {
        GgufFile file = GgufFile.read(path, arena);
        if (file.metadata().integer(COUNT, 1) <= 1) {
            return List.of(file);
        }
        return new GgufParts(file).readAll(file, arena);
    }

    private String nameOf(String start, int number) {
        return "%s-%05d-of-%05d.gguf".formatted(start, number + 1, count);
    }

    private List<GgufFile> readAll(GgufFile file, Arena arena) {
        List<GgufFile> parts = new ArrayList<>();
        int found = 0;
        for (int number = 0; number < count; number++) {
            Path path = named.resolveSibling(nameOf(stem, number));
            if (!Files.exists(path)) {
                throw new CheckpointFormatException(path, "there is no such file, but %s is part of a model of %d files. Download the missing part"
                        .formatted(named.getFileName(), count));
            }
            GgufFile part = path.equals(named) ? file : GgufFile.read(path, arena);
            requireSameModel(part, number);
            parts.add(part);
            found += part.table().size();
        }
        if (tensors >= 0 && found != tensors) {
            throw new CheckpointFormatException(named, "its %d parts have %d tensors together, but '%s' is %d. Download the parts again"
                    .formatted(count, found, TENSORS, tensors));
        }
        return parts;
    }

    private void requireSameModel(GgufFile part, int number) {
        int ownNumber = part.metadata().integer(NUMBER, -1);
        int ownCount = part.metadata().integer(COUNT, 1);
        int ownTensors = part.metadata().integer(TENSORS, -1);
        if (ownNumber != number || ownCount != count || ownTensors != tensors) {
            throw new CheckpointFormatException(part.path(), ("its keys %s, %s and %s are %d, %d and %d; expected %d, %d and %d as in %s. The parts belong"
                    + " to different models").formatted(NUMBER, COUNT, TENSORS, ownNumber, ownCount, ownTensors, number, count, tensors, named.getFileName()));
        }
    }
}
