package dev.yangtuo.jinja;

/**
 * What a name stands for that nobody has defined: empty text, false, no elements; everything else that is asked of it is an error.
 *
 * @param problem for the message of that error
 */
record Undefined(String problem) {
    JinjaException used() {
        return new JinjaException(problem);
    }
}
