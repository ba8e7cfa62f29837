package dev.yangtuo.tokenizer;

import dev.yangtuo.exception.TokenizerFormatException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A SentencePiece model with the pieces of another one added, as Chinese-LLaMA's vocabulary was made (Cui, Yang, Yao,
 * arXiv 2304.08177): LLaMA's 32,000 pieces, then those of a Chinese model that LLaMA lacks.
 *
 * <p>The base's ids stay what they are, and its file is kept byte for byte; new bytes stand in one place, just after its last piece.
 * Every piece of the other model that the base lacks is appended, in that model's order, with score 0 and without a type, which makes
 * it {@link PieceType#NORMAL}, also where it was {@link PieceType#USER_DEFINED}. "Lacks" means that no piece of the base is written
 * so, of whatever type. Pieces of type CONTROL, UNKNOWN, BYTE and UNUSED are never appended, because as ordinary pieces they would
 * mean something else; those that the base lacks are reported as passed over. Of the other model nothing but its pieces counts: it may
 * be of another kind and have another normalizer. Score 0 suits a BPE base, where it is the highest there is; in a unigram base it
 * would be that of a piece that is certain.
 *
 * <pre>{@code
 * VocabularyMerge merge = VocabularyMerge.merge(Path.of("llama.model"), Path.of("chinese.model"), false);
 * Files.write(Path.of("chinese-llama.model"), merge.model());
 * System.out.println(merge.report().describe());
 * }</pre>
 *
 * @param model the bytes of the new {@code .model} file; not copied
 * @param report what was done
 */
public record VocabularyMerge(byte[] model, Report report) {
    /** The padding piece that Stanford Alpaca adds, and Chinese-Alpaca after it; NORMAL like all that is added. */
    public static final String PAD_PIECE = "[PAD]";

    /** Stands for the file that is not written yet. */
    private static final Path RESULT = Path.of("result");

    /**
     * What a merge did. {@code addModelSize} is the sum of {@code added}, {@code alreadyThere} and the pieces passed over.
     *
     * @param baseSize pieces of the base
     * @param addModelSize pieces of the model whose pieces were added
     * @param added how many of them were appended
     * @param alreadyThere how many of them the base has
     * @param passedOver those of them that the base lacks and that were not appended, for their type
     * @param padId the id of {@link #PAD_PIECE}, -1 where it was not asked for
     * @param padAdded whether it was appended after the others; if it was asked for and was not, the base has it (then {@code padId}
     *     is below {@code baseSize}) or it is one of the pieces that the other model brought
     */
    public record Report(
            int baseSize, int addModelSize, int added, int alreadyThere, List<String> passedOver, int padId, boolean padAdded) {
        /** Of the pieces passed over, how many {@link #describe()} names. */
        private static final int NAMED = 8;

        /** Copies the list. */
        public Report {
            passedOver = List.copyOf(passedOver);
        }

        /** {@return pieces of the result; a model that uses it needs as many rows in its embedding and its output matrix} */
        public int size() {
            return baseSize + added + (padAdded ? 1 : 0);
        }

        /** {@return the id of the first piece that was appended, -1 where there is none; an appended padding piece is not counted} */
        public int firstNewId() {
            return added == 0 ? -1 : baseSize;
        }

        /** {@return the id of the last piece that was appended, -1 where there is none; an appended padding piece is not counted} */
        public int lastNewId() {
            return added == 0 ? -1 : baseSize + added - 1;
        }

        /** {@return one line for a person} */
        public String describe() {
            StringBuilder text = new StringBuilder(format("added %,d of %,d pieces", added, addModelSize));
            if (added > 0) {
                text.append(added == 1 ? format(" (id %,d)", firstNewId()) : format(" (ids %,d to %,d)", firstNewId(), lastNewId()));
            }
            if (padId >= baseSize) {
                text.append(format(padAdded ? " and %s (id %,d)" : ", %s (id %,d) among them", PAD_PIECE, padId));
            }
            text.append(format("; %,d %s already there", alreadyThere, alreadyThere == 1 ? "was" : "were"));
            if (padId >= 0 && padId < baseSize) {
                text.append(format("; so was %s (id %,d)", PAD_PIECE, padId));
            }
            if (!passedOver.isEmpty()) {
                text.append(format("; %,d reserved or unused passed over (", passedOver.size()));
                text.append(String.join(", ", passedOver.stream().limit(NAMED).map(Vocabulary::shown).toList()));
                text.append(passedOver.size() > NAMED ? ", ...)" : ")");
            }
            return text.append(baseSize == size()
                    ? format("; vocabulary %,d", baseSize)
                    : format("; vocabulary %,d -> %,d", baseSize, size())).toString();
        }

        private static String format(String pattern, Object... values) {
            return String.format(Locale.ROOT, pattern, values);
        }
    }

    /**
     * Merges two {@code .model} files; neither is changed. Thread-safe.
     *
     * @param base the model whose ids stay
     * @param add the model whose pieces are added
     * @param pad whether {@link #PAD_PIECE} is appended after them, if there is none yet
     * @return the new model and what was done
     * @throws TokenizerFormatException if a file is missing, damaged or inconsistent, or both together are larger than what can be read;
     *     the message names the file and the byte or the piece
     * @throws UncheckedIOException if one cannot be read
     */
    public static VocabularyMerge merge(Path base, Path add, boolean pad) {
        return merge(base, SentencePieceModel.bytes(base), add, SentencePieceModel.bytes(add), pad);
    }

    /**
     * Merges the bytes of two {@code .model} files. Thread-safe.
     *
     * @param base where the base comes from; error messages name it
     * @param baseModel the model whose ids stay; not kept
     * @param add where the other one comes from; error messages name it
     * @param addModel the model whose pieces are added; not kept
     * @param pad whether {@link #PAD_PIECE} is appended after them, if there is none yet
     * @return the new model and what was done
     * @throws TokenizerFormatException if one is damaged or inconsistent, or both together are larger than what can be read; the message
     *     names the source and the byte or the piece
     */
    public static VocabularyMerge merge(Path base, byte[] baseModel, Path add, byte[] addModel, boolean pad) {
        ModelReader baseReader = new ModelReader(base, baseModel);
        Vocabulary present = SentencePieceModel.read(baseReader, base, baseModel).vocabulary();
        Vocabulary other = SentencePieceModel.read(new ModelReader(add, addModel), add, addModel).vocabulary();

        // At most as large as the other model's bytes and a score for each of its pieces, whose number is bounded.
        ProtoWriter pieces = new ProtoWriter();
        List<String> passedOver = new ArrayList<>();
        int added = 0;
        int padId = pad ? present.pieceToId(PAD_PIECE) : -1;
        for (int id = 0; id < other.size(); id++) {
            String piece = other.piece(id);
            if (present.pieceToId(piece) >= 0) {
                continue;
            }
            if (other.type(id).isReserved() || other.type(id) == PieceType.UNUSED) {
                passedOver.add(piece);
                continue;
            }
            if (pad && piece.equals(PAD_PIECE)) {
                padId = present.size() + added;
            }
            writePiece(pieces, piece);
            added++;
        }
        boolean padAdded = pad && padId < 0;
        if (padAdded) {
            padId = present.size() + added;
            writePiece(pieces, PAD_PIECE);
        }

        byte[] model = inserted(base, baseModel, baseReader.piecesEnd(), add, pieces.toByteArray());
        int alreadyThere = other.size() - added - passedOver.size();
        Report report = new Report(present.size(), other.size(), added, alreadyThere, passedOver, padId, padAdded);
        check(base, add, model, report);
        return new VocabularyMerge(model, report);
    }

    /** A score of 0 is written although it is the default: the published files have it. */
    private static void writePiece(ProtoWriter out, String piece) {
        out.message(1, new ProtoWriter().text(1, piece).number(2, 0));
    }

    /** {@return the base's bytes with others inserted at that offset} */
    private static byte[] inserted(Path base, byte[] baseModel, int byteOffset, Path add, byte[] pieces) {
        long size = (long) baseModel.length + pieces.length;
        if (size > SentencePieceModel.MAX_FILE_BYTES) {
            throw new TokenizerFormatException(base, "would have %d bytes with the pieces of %s, more than the %d of any SentencePiece model"
                    .formatted(size, add, SentencePieceModel.MAX_FILE_BYTES));
        }
        byte[] model = new byte[(int) size];
        System.arraycopy(baseModel, 0, model, 0, byteOffset);
        System.arraycopy(pieces, 0, model, byteOffset, pieces.length);
        System.arraycopy(baseModel, byteOffset, model, byteOffset + pieces.length, baseModel.length - byteOffset);
        return model;
    }

    /** Two models within the limits of the reader may exceed them together. */
    private static void check(Path base, Path add, byte[] model, Report report) {
        int size;
        try {
            size = SentencePieceModel.parse(RESULT, model).vocabulary().size();
        } catch (TokenizerFormatException e) {
            throw new TokenizerFormatException(base, "does not take the pieces of %s: %s".formatted(add, e.getMessage()), e);
        }
        if (size != report.size()) {
            throw new IllegalStateException("the merged model has %d pieces, expected %d".formatted(size, report.size()));
        }
    }
}
