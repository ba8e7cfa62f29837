package dev.yangtuo.batch;

/** Where records of results go. Used by one thread. */
interface RecordSink extends AutoCloseable {
    /**
     * Takes a record.
     *
     * @param bytes whole, with its line feed
     */
    void add(Finished finished, byte[] bytes);

    /** Whether so much was taken that it should be written. */
    boolean isFull();

    /** Writes what was taken, so that others can read it. */
    void commit();

    @Override
    void close();
}
