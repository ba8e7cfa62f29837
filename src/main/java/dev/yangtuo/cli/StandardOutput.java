package dev.yangtuo.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;

/**
 * Standard output that says when it cannot be written: the stream of {@link System#out} keeps that to itself, so that a program would work
 * on for a reader that is gone, or call a text written that a full disk has lost.
 */
final class StandardOutput extends OutputStream {
    private static final String PROBLEM = "standard output cannot be written: its reader is gone, or its disk is full";

    /**
     * Flushes a writer of standard output.
     *
     * @throws IOException if something that was written to it is lost
     */
    static void flush(PrintWriter out) throws IOException {
        if (out.checkError()) {
            throw new IOException(PROBLEM);
        }
    }

    @Override
    public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        System.out.write(bytes, offset, length);
        flush();
    }

    @Override
    public void flush() throws IOException {
        if (System.out.checkError()) {
            throw new IOException(PROBLEM);
        }
    }
}
