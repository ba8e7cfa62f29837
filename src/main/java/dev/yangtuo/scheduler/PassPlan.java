package dev.yangtuo.scheduler;

import dev.yangtuo.kernel.Candidates;
import dev.yangtuo.model.PassOutputs;
import dev.yangtuo.model.PassPart;
import dev.yangtuo.model.PassResult;
import java.util.ArrayList;
import java.util.List;

/** The texts of a forward pass, and which columns each has; lets each of them take its own of what comes out. Used by the scheduler's thread. */
final class PassPlan implements PassOutputs {
    private final List<RunningTask> tasks = new ArrayList<>();
    private final List<PassPart> parts = new ArrayList<>();
    private final RowBuffer buffer = new RowBuffer();
    private int columns;

    void clear() {
        tasks.clear();
        parts.clear();
        columns = 0;
    }

    void add(RunningTask task, PassPart part) {
        tasks.add(task);
        parts.add(part);
        columns += part.count();
    }

    List<RunningTask> tasks() {
        return tasks;
    }

    /** As many as there are tasks, in their order. */
    List<PassPart> parts() {
        return parts;
    }

    int columns() {
        return columns;
    }

    /** Whether anybody still wants it. */
    boolean isWanted() {
        for (int i = 0; i < tasks.size(); i++) {
            if (!tasks.get(i).isCancelled()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public int candidateCount() {
        int most = 0;
        for (int i = 0; i < tasks.size(); i++) {
            most = Math.max(most, tasks.get(i).candidateCount());
        }
        return most;
    }

    @Override
    public boolean wantsStates() {
        for (int i = 0; i < tasks.size(); i++) {
            if (tasks.get(i).wantsStates()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public int choices() {
        for (int i = 0; i < tasks.size(); i++) {
            if (tasks.get(i).candidateCount() > 0) {
                return tasks.get(i).choices();
            }
        }
        throw new IllegalStateException("no text wants candidates");
    }

    @Override
    public void addEdits(Candidates wanted, int outputs) {
        for (int i = 0; i < parts.size(); i++) {
            tasks.get(i).addEdits(wanted, parts.get(i).outputs());
        }
    }

    @Override
    public void accept(PassResult result) {
        int column = 0;
        int output = 0;
        for (int i = 0; i < parts.size(); i++) {
            PassPart part = parts.get(i);
            tasks.get(i).take(result, part, column, output, buffer);
            column += part.count();
            output += part.outputs();
        }
    }
}
