package dev.yangtuo.tokenizer;

/**
 * A token of a text with its place in the text that was given; tokens do not overlap. Where one
 * character becomes several tokens, such as its bytes, the last of them has its place and those before are empty; so are begin and end of sequence.
 *
 * @param id its id
 * @param piece its piece, spaces written as U+2581; for text without a piece that text, normalized
 * @param charStart where it begins, in chars of UTF-16
 * @param charEnd where it ends, exclusive
 * @param byteStart where it begins, in bytes of UTF-8
 * @param byteEnd where it ends, exclusive
 */
public record Token(int id, String piece, int charStart, int charEnd, int byteStart, int byteEnd) {}
