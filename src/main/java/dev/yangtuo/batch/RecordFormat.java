package dev.yangtuo.batch;

/** Makes records of results. Stateless. */
interface RecordFormat {
    /** What stands before the first record; may be empty. */
    byte[] preamble();

    /** A record with its line feed. The same result gives the same bytes. */
    byte[] record(Finished finished);
}
