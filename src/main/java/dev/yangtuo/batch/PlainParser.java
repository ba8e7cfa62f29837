package dev.yangtuo.batch;

import dev.yangtuo.tokenizer.Utf8;
import java.util.Optional;

/** A line is a prompt, taken as it is. Bytes that are not UTF-8 count as U+FFFD. */
final class PlainParser implements LineParser {
    @Override
    public Parsed parse(byte[] line) {
        return new Parsed(Optional.empty(), InputRecord.Reply.COMPLETION, id -> BatchRequest.of(id, Utf8.decode(line)));
    }
}
