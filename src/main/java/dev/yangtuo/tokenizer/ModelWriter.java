package dev.yangtuo.tokenizer;

import dev.yangtuo.exception.TokenizerFormatException;

/**
 * Writes SentencePiece's {@code ModelProto} (sentencepiece_model.proto): the fields that decide how text is encoded and decoded, those that
 * {@link ModelReader} reads and the ids that other programs ask for.
 */
final class ModelWriter {
    private static final int NONE = -1;

    private final SentencePieceModel model;
    private final Vocabulary vocabulary;

    ModelWriter(SentencePieceModel model) {
        this.model = model;
        this.vocabulary = model.vocabulary();
    }

    byte[] write() {
        ProtoWriter out = new ProtoWriter();
        for (int id = 0; id < vocabulary.size(); id++) {
            out.message(1, piece(id));
        }
        byte[] bytes = out.message(2, trainerSpec()).message(3, normalizerSpec()).toByteArray();
        if (bytes.length > SentencePieceModel.MAX_FILE_BYTES) {
            throw new TokenizerFormatException(model.source(), "would have %d bytes as a SentencePiece model, more than the %d of any".formatted(
                    bytes.length, SentencePieceModel.MAX_FILE_BYTES));
        }
        return bytes;
    }

    private ProtoWriter piece(int id) {
        ProtoWriter piece = new ProtoWriter().text(1, vocabulary.piece(id)).number(2, vocabulary.score(id));
        // Without a type it is NORMAL, as the trainers write it.
        return vocabulary.type(id) == PieceType.NORMAL ? piece : piece.varint(3, vocabulary.type(id).number());
    }

    private ProtoWriter trainerSpec() {
        SpecialTokens special = model.special();
        ProtoWriter spec = new ProtoWriter()
                .varint(3, model.type().number())
                .varint(4, vocabulary.size())
                .flag(24, model.treatWhitespaceAsSuffix())
                .flag(35, model.byteFallback())
                .varint(40, vocabulary.unkId())
                .varint(41, special.bosId())
                .varint(42, special.eosId())
                .varint(43, special.padId())
                .text(44, model.unkSurface())
                .text(45, vocabulary.piece(vocabulary.unkId()));
        return spec.text(46, name(special.bosId(), ModelReader.DEFAULT_BOS))
                .text(47, name(special.eosId(), ModelReader.DEFAULT_EOS))
                .text(48, name(special.padId(), ModelReader.DEFAULT_PAD));
    }

    /** Readers find special ids by the names of pieces, so what has no id must not have the name of one. */
    private String name(int id, String defaultName) {
        if (id != NONE) {
            return vocabulary.piece(id);
        }
        String name = defaultName;
        while (vocabulary.pieceToId(name) >= 0) {
            name = "<no_" + name.substring(1);
        }
        return name;
    }

    private ProtoWriter normalizerSpec() {
        NormalizerSpec normalizer = model.normalizer();
        ProtoWriter spec = new ProtoWriter().text(1, normalizer.name());
        if (normalizer.precompiledCharsmap().length > 0) {
            spec.bytes(2, normalizer.precompiledCharsmap());
        }
        return spec.flag(3, normalizer.addDummyPrefix())
                .flag(4, normalizer.removeExtraWhitespaces())
                .flag(5, normalizer.escapeWhitespaces());
    }
}
