package dev.yangtuo.scheduler;

import dev.yangtuo.model.PassPart;
import dev.yangtuo.model.PassResult;
import org.jspecify.annotations.Nullable;

/** A text that is read. After a preemption it goes on behind what the listener has been told. */
final class RunningReading extends RunningTask {
    /** Rows that the listener is told of at a time: a few megabytes of logits. */
    private static final int ROWS = 16;

    private final ReadingTask reading;
    /** The first position that the listener has not been told of. */
    private int next;

    RunningReading(ReadingTask reading, long arrival) {
        super(reading, reading.listener(), arrival);
        this.reading = reading;
        this.next = reading.from();
    }

    private boolean wantsLogits() {
        return reading.wanted() == ReadingTask.Wanted.LOGITS;
    }

    @Override
    boolean wantsStates() {
        return !wantsLogits();
    }

    @Override
    int nextOutput() {
        return next;
    }

    @Override
    int columnsWithin(int columns, int outputs) {
        int before = Math.max(0, next - sequence().length());
        return wantsLogits() ? Math.min(columns, before + Math.max(0, outputs)) : columns;
    }

    @Override
    PassPart part(int columns) {
        int offset = sequence().length();
        int first = wantsLogits() ? Math.clamp(next - offset, 0, columns) : columns;
        return new PassPart(sequence(), tokens(), offset, columns, first);
    }

    @Override
    void read(PassResult result, PassPart part, int firstColumn, int firstOutput, RowBuffer buffer) {
        int first = Math.max(0, next - part.offset());
        int width = wantsLogits() ? result.vocabSize() : result.dim();
        for (int row = first; row < part.count(); row += ROWS) {
            int count = Math.min(ROWS, part.count() - row);
            float[] rows = buffer.of(Math.multiplyExact(count, width));
            if (wantsLogits()) {
                result.readLogits(firstOutput + row - first, count, rows);
            } else {
                result.readStates(firstColumn + row, count, rows);
            }
            reading.listener().accept(part.offset() + row, count, rows);
        }
    }

    @Override
    @Nullable EndCause deliver() {
        if (hasFailed()) {
            return EndCause.FAILED;
        }
        next = Math.max(next, sequence().length());
        return missing() == 0 ? EndCause.COMPLETE : null;
    }
}
