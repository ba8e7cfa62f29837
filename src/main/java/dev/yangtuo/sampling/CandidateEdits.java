package dev.yangtuo.sampling;

import dev.yangtuo.kernel.Candidates;

/** Edits that the device makes, of the output that was begun last. */
record CandidateEdits(Candidates wanted) implements LogitEdits {
    @Override
    public void edit(int id, float divisor, float addend) {
        wanted.addEdit(id, divisor, addend);
    }
}
