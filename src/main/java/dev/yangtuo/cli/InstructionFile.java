package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.yangtuo.exception.YangtuoException;
import dev.yangtuo.recipe.Instruction;
import dev.yangtuo.recipe.SelfInstruct;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * The file of instruction data that grows, a line for each task, written whole before the next one: whatever ends the program leaves complete
 * lines, and at most one that is not, which the next run takes away.
 */
final class InstructionFile implements AutoCloseable {
    private final Path path;
    private final FileChannel channel;
    private final List<SelfInstruct.Kept> before;

    private InstructionFile(Path path, FileChannel channel, List<SelfInstruct.Kept> before) {
        this.path = path;
        this.channel = channel;
        this.before = before;
    }

    /**
     * Reads seed tasks.
     *
     * @throws YangtuoException if there is none, or a line is not understood
     */
    static List<Instruction> seeds(TextFile file) throws IOException {
        List<Instruction> seeds = new ArrayList<>();
        try (TextRecords records = TextRecords.open(file)) {
            while (records.hasNext()) {
                TextRecords.TextRecord record = records.next();
                Instruction seed = instruction(record);
                if (seed.instruction().isBlank() || seed.output().isBlank()) {
                    throw new YangtuoException("%s: \"instruction\" and \"output\" of a seed task must not be empty".formatted(record.place()));
                }
                seeds.add(seed);
            }
        }
        if (seeds.isEmpty()) {
            throw new YangtuoException("%s: has no seed task; expected lines such as {\"instruction\":\"...\",\"input\":\"\",\"output\":\"...\"}".formatted(file.name()));
        }
        return seeds;
    }

    private static Instruction instruction(TextRecords.TextRecord record) {
        JsonNode object = record.object();
        JsonNode input = object.path("input");
        if (!object.path("instruction").isTextual() || !object.path("output").isTextual() || !(input.isTextual() || input.isMissingNode() || input.isNull())) {
            throw new YangtuoException("%s: expected the strings \"instruction\", \"input\" (may be missing) and \"output\"".formatted(record.place()));
        }
        return new Instruction(object.path("instruction").textValue(), input.asText(""), object.path("output").textValue());
    }

    /**
     * Opens the file, and makes it if it is not there.
     *
     * @throws YangtuoException if it cannot be read or written, or has a line that this program has not written
     */
    static InstructionFile open(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            throw new YangtuoException("%s: is a directory; name a file in it".formatted(path));
        }
        Path folder = path.toAbsolutePath().getParent();
        if (folder != null && !Files.isDirectory(folder)) {
            throw new YangtuoException("%s: there is no directory %s; make it first".formatted(path, folder));
        }
        FileChannel channel;
        try {
            channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw notWritten(path, e);
        }
        try {
            if (channel.tryLock() == null) {
                throw new YangtuoException("%s: another program is writing it; wait for it, or name another file".formatted(path));
            }
            channel.truncate(endOfLastLine(channel));
            List<SelfInstruct.Kept> before = read(path);
            channel.position(channel.size());
            return new InstructionFile(path, channel, before);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /** Where the last complete line ends. */
    private static long endOfLastLine(FileChannel channel) throws IOException {
        ByteBuffer block = ByteBuffer.allocate(1 << 16);
        long end = channel.size();
        while (end > 0) {
            long start = Math.max(0, end - block.capacity());
            block.clear().limit((int) (end - start));
            while (block.hasRemaining() && channel.read(block, start + block.position()) >= 0) {
                // a read may give less than was asked for
            }
            for (int i = block.position() - 1; i >= 0; i--) {
                if (block.get(i) == '\n') {
                    return start + i + 1;
                }
            }
            end = start;
        }
        return 0;
    }

    private static List<SelfInstruct.Kept> read(Path path) throws IOException {
        List<SelfInstruct.Kept> before = new ArrayList<>();
        try (TextRecords records = TextRecords.open(TextFile.of(path.toString()))) {
            while (records.hasNext()) {
                TextRecords.TextRecord record = records.next();
                JsonNode round = record.object().path("round");
                if (!round.canConvertToInt() || !round.isIntegralNumber() || round.intValue() < 0) {
                    throw new YangtuoException("%s: expected a \"round\", as this program writes it; name another --output, or move this file away".formatted(record.place()));
                }
                before.add(new SelfInstruct.Kept(instruction(record), round.intValue()));
            }
        }
        return before;
    }

    /** What an earlier run has kept. */
    List<SelfInstruct.Kept> before() {
        return before;
    }

    /** Appends a task. */
    void append(SelfInstruct.Kept kept) {
        ObjectNode object = JsonResult.object();
        object.put("instruction", kept.task().instruction())
                .put("input", kept.task().input())
                .put("output", kept.task().output())
                .put("round", kept.round());
        ByteBuffer line = ByteBuffer.wrap((object + "\n").getBytes(StandardCharsets.UTF_8));
        try {
            while (line.hasRemaining()) {
                channel.write(line);
            }
        } catch (IOException e) {
            throw notWritten(path, e);
        }
    }

    private static YangtuoException notWritten(Path file, IOException e) {
        return new YangtuoException("%s: cannot be written: %s".formatted(file, Failures.reason(e)), e);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
