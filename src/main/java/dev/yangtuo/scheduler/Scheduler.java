package dev.yangtuo.scheduler;

import dev.yangtuo.model.Model;
import dev.yangtuo.model.Sequence;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Computes any number of texts with one model at the same time: continuous batching. A thread of its own, which is there while there is something to do, makes one forward
 * pass after the other. In each, every text that is being generated gets its next token, and prompts get what room is left; texts come and go between passes.
 *
 * <p>Memory: a text begins when its prompt fits the free memory for keys and values. When it runs out, the text of the lowest rank gives its memory away, waits, and is
 * computed again later; no text fails because of others. Since the one with the highest rank always goes on and waiting raises the rank, all come to their end.
 *
 * <p>With our own engine, results do not depend on any of this: a column of a forward pass has the same bits whatever stands beside it, however a prompt is cut, and
 * whether its beginning was computed before. Thread-safe.
 */
public final class Scheduler implements AutoCloseable {
    private static final Logger LOGGER = System.getLogger(Scheduler.class.getName());
    /** Columns of prompts beside streams at least and at most, if {@link SchedulerOptions#pause()} allows. */
    private static final int LEAST_PROMPT_COLUMNS = 16;

    private static final int MOST_PROMPT_COLUMNS = 128;
    /** Streams with all their guesses together: as many columns as cost little more than one. */
    private static final int SPECULATIVE_COLUMNS = 16;
    /** Until when the thread waits for something to do before it ends. */
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(5);
    /** When texts wait for memory that something else than texts has. */
    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    /** How long a text that is alone waits for it. */
    private static final long STARVED_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final Model model;
    private final SchedulerOptions options;
    private final boolean remembersPrefixes;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    // Guarded by the lock.
    private final Deque<RunningTask> arrived = new ArrayDeque<>();
    private long arrivals;
    private @Nullable Thread thread;
    private boolean closed;
    private final SchedulerCounters published = new SchedulerCounters();

    // The thread's own; lists are kept from pass to pass, so that passes leave no garbage.
    private final List<RunningTask> waiting = new ArrayList<>();
    private final List<RunningTask> running = new ArrayList<>();
    /** Texts that the last pass has completed; until they end, others can take over what they have computed. */
    private final List<RunningTask> completed = new ArrayList<>();
    /** Why, of each of them. */
    private final List<EndCause> causes = new ArrayList<>();
    /** Of the running texts, those that get their next token as soon as it is computed, and those that do not: as the pass finds them that is being planned. */
    private final List<RunningTask> streams = new ArrayList<>();

    private final List<RunningTask> prompts = new ArrayList<>();
    private final RankOrder rank;
    private final CommonBeginnings beginnings;
    private final PassPlan plan = new PassPlan();
    private final BooleanSupplier isWanted = plan::isWanted;
    private final SchedulerCounters counters = new SchedulerCounters();
    /** Since when a text that is alone has no memory; 0 if that is not so. */
    private long starvedSince;
    /** What a column has cost lately. */
    private double nanosPerColumn;

    /** A text that was submitted. */
    public interface Handle {
        /** Ends the text at once: nothing more is computed of it, but for the pass that is running. Harmless if it has ended. */
        void cancel();
    }

    /** @param model stays the caller's, who closes it after the scheduler */
    public Scheduler(Model model, SchedulerOptions options) {
        this.model = model;
        this.options = options;
        this.remembersPrefixes = options.remembersPrefixes() && model.sharesBeginnings();
        this.rank = new RankOrder(Math.max(1, options.aging().toNanos()));
        this.beginnings = new CommonBeginnings(model, remembersPrefixes, running, completed);
    }

    /**
     * Hands a text over. It never waits.
     *
     * @throws IllegalArgumentException if the prompt is longer than the context
     * @throws IllegalStateException if the scheduler is closed
     */
    public Handle submit(Task text) {
        return submit(List.of(text)).getFirst();
    }

    /**
     * Hands texts over, all at the same moment: none begins before the others are known, so that what they have in common is computed once. It never waits.
     *
     * @return the handles, in the order of the texts
     * @throws IllegalArgumentException if one of them is longer than the context
     * @throws IllegalStateException if the scheduler is closed
     */
    public List<Handle> submit(List<? extends Task> texts) {
        for (Task text : texts) {
            if (text.tokens().length > model.contextLength()) {
                throw new IllegalArgumentException("a prompt of %d tokens does not fit the context of %d".formatted(text.tokens().length, model.contextLength()));
            }
        }
        List<Handle> handles = new ArrayList<>();
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("the model is closed");
            }
            for (Task text : texts) {
                RunningTask task = RunningTask.of(text, arrivals++);
                arrived.add(task);
                handles.add(() -> cancel(task));
            }
            if (thread == null) {
                thread = Thread.ofPlatform().name("yangtuo-scheduler").daemon().start(this::run);
            }
            changed.signal();
            return handles;
        } finally {
            lock.unlock();
        }
    }

    /** @throws WrongThreadException on the thread that computes: it would wait for itself */
    public void requireMayWait() {
        lock.lock();
        try {
            if (Thread.currentThread() == thread) {
                throw new WrongThreadException("a listener or logits processor waits for a text; it is on the thread that computes all texts, which would wait for itself");
            }
        } finally {
            lock.unlock();
        }
    }

    private void cancel(RunningTask task) {
        task.cancel();
        lock.lock();
        try {
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    /** What it has done so far. */
    public SchedulerStatistics statistics() {
        lock.lock();
        try {
            return published.snapshot();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        try {
            while (awaitWork()) {
                long start = System.nanoTime();
                boolean computed = step();
                counters.busyNanos += System.nanoTime() - start;
                publish();
                if (!computed && !waiting.isEmpty()) {
                    pause();
                }
            }
        } catch (RuntimeException | Error e) {
            LOGGER.log(Level.ERROR, "the scheduler failed", e);
            stop(new IllegalStateException("the scheduler failed: " + e, e));
        }
    }

    /** Takes what has arrived. False if the thread is to end: closed, or idle for a while. */
    private boolean awaitWork() {
        lock.lock();
        try {
            long left = IDLE_NANOS;
            while (!closed && arrived.isEmpty() && waiting.isEmpty() && running.isEmpty()) {
                if (left <= 0) {
                    thread = null;
                    return false;
                }
                left = changed.awaitNanos(left);
            }
            while (!arrived.isEmpty()) {
                waiting.add(arrived.remove());
            }
            if (!closed) {
                return true;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // nobody has this thread to interrupt it
        } finally {
            lock.unlock();
        }
        stop(new IllegalStateException("the model is closed"));
        return false;
    }

    /** Something else has the memory: it may come back. */
    private void pause() {
        lock.lock();
        try {
            changed.awaitNanos(RETRY_NANOS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    private void publish() {
        lock.lock();
        try {
            published.set(counters);
        } finally {
            lock.unlock();
        }
    }

    /** Ends all texts. */
    private void stop(IllegalStateException cause) {
        lock.lock();
        try {
            closed = true;
            waiting.addAll(arrived);
            arrived.clear();
        } finally {
            lock.unlock();
        }
        waiting.addAll(running);
        running.clear();
        waiting.addAll(completed);
        completed.clear();
        for (RunningTask task : waiting) {
            task.fail(cause);
            end(task, EndCause.FAILED);
        }
        waiting.clear();
        publish();
    }

    /** One forward pass. False if there was none. */
    private boolean step() {
        removeCancelled(waiting);
        removeCancelled(running);
        rank.setNow(System.nanoTime());
        admit();
        running.sort(rank);
        plan();
        if (plan.parts().isEmpty()) {
            return false;
        }
        starvedSince = 0;
        boolean complete = compute();
        deliver(complete);
        return true;
    }

    private void removeCancelled(List<RunningTask> tasks) {
        for (int i = tasks.size() - 1; i >= 0; i--) {
            if (tasks.get(i).isCancelled()) {
                end(tasks.remove(i), EndCause.CANCELLED);
            }
        }
    }

    /** Begins texts that wait, the one with the highest rank first, as long as there is memory for their prompts. */
    private void admit() {
        waiting.sort(rank);
        int available = model.availablePages();
        for (int i = 0; i < running.size(); i++) {
            RunningTask task = running.get(i);
            available -= pagesToGoOn(task.sequence(), task.missing()); // what it has been promised
        }
        for (int i = 0; i < waiting.size() && running.size() < model.maxBatchSequences(); ) {
            RunningTask task = waiting.get(i);
            if (beginnings.isComing(task)) {
                i++;
                continue;
            }
            Sequence known = beginnings.open(task);
            int missing = task.count() - known.length();
            int needed = pagesToGoOn(known, missing);
            boolean fits = needed <= available || running.isEmpty() && known.pagesNeeded(missing) <= model.availablePages();
            if (!fits) {
                known.close();
                return; // nobody overtakes it, or it might wait for ever
            }
            available -= needed;
            boolean first = task.begin(known);
            if (first) {
                counters.prompts += task.count();
                counters.reused += known.length();
            }
            waiting.remove(i);
            running.add(task);
        }
    }

    /** Pages for what is missing, and for some tokens behind it. */
    private int pagesToGoOn(Sequence sequence, int missing) {
        return sequence.pagesNeeded(Math.min(missing + model.pagePositions(), sequence.remaining()));
    }

    /** Streams first, with their guesses, then prompts; each gets its memory, if need be from a text of lower rank. */
    private void plan() {
        plan.clear();
        streams.clear();
        prompts.clear();
        for (int i = 0; i < running.size(); i++) {
            RunningTask task = running.get(i);
            (task.isStreaming() ? streams : prompts).add(task);
        }
        int guesses = streams.isEmpty() || !model.canTruncate() ? 0 : Math.min(options.draftTokens(), Math.min(SPECULATIVE_COLUMNS, model.maxColumns()) / streams.size() - 1);
        for (int i = 0; i < streams.size(); i++) {
            RunningTask task = streams.get(i);
            if (running.contains(task)) {
                task.sequence().tryReserve(1); // before the model that guesses, which may be this one, takes the last of it
                task.draft(guesses);
                planPart(task, 1);
            }
        }
        int room = Math.min(model.maxColumns() - plan.columns(), streams.isEmpty() ? model.maxColumns() : promptColumns());
        int outputs = model.maxOutputColumns();
        int share = prompts.isEmpty() ? 0 : Math.max(LEAST_PROMPT_COLUMNS, room / prompts.size());
        for (int i = 0; i < prompts.size() && room > 0; i++) {
            RunningTask task = prompts.get(i);
            if (running.contains(task)) {
                boolean isLast = i == prompts.size() - 1;
                int columns = task.columnsWithin(Math.min(task.missing(), isLast ? room : Math.min(share, room)), outputs);
                task.dropDrafts();
                if (columns > 0 && planPart(task, columns)) {
                    room -= columns;
                    outputs -= plan.parts().getLast().outputs();
                }
            }
        }
    }

    /** Columns of prompts that do not hold up the streams for too long. */
    private int promptColumns() {
        if (nanosPerColumn == 0) {
            return LEAST_PROMPT_COLUMNS;
        }
        return Math.clamp((long) (options.pause().toNanos() / nanosPerColumn), LEAST_PROMPT_COLUMNS, MOST_PROMPT_COLUMNS);
    }

    /** Adds the next columns of a text to the pass. False if it has had to give way. */
    private boolean planPart(RunningTask task, int columns) {
        while (!task.sequence().tryReserve(columns + task.drafts())) {
            if (task.drafts() > 0) {
                task.dropDrafts();
            } else if (!makeRoomFor(task)) {
                return false;
            }
        }
        plan.add(task, task.part(columns));
        return true;
    }

    /** Takes the memory of the text with the lowest rank that is not in the pass yet. False if that is the text itself, which then no longer runs. */
    private boolean makeRoomFor(RunningTask task) {
        for (int i = running.size() - 1; i >= 0; i--) {
            RunningTask other = running.get(i);
            if (plan.tasks().contains(other)) {
                continue;
            }
            if (other == task && running.size() == 1 && plan.parts().isEmpty() && isStarved()) {
                running.remove(i);
                end(task, EndCause.CONTEXT_FULL); // there is nobody to wait for
                return false;
            }
            running.remove(i);
            other.preempt();
            counters.preemptions++;
            waiting.add(other);
            return other != task;
        }
        return false;
    }

    /** Whether a text that is alone has long waited for memory that something else than texts has, such as the guesses of another model's texts. */
    private boolean isStarved() {
        long now = System.nanoTime();
        starvedSince = starvedSince == 0 ? now : starvedSince;
        return now - starvedSince > STARVED_NANOS;
    }

    /** The forward pass. False if it was given up because all its texts were cancelled. */
    private boolean compute() {
        long start = System.nanoTime();
        boolean complete;
        try {
            complete = model.forward(plan.parts(), plan, isWanted);
        } catch (RuntimeException e) {
            plan.tasks().forEach(task -> task.fail(e));
            complete = true;
        }
        long nanos = System.nanoTime() - start;
        counters.passNanos += nanos;
        counters.passes++;
        counters.columns += plan.columns();
        if (plan.columns() >= LEAST_PROMPT_COLUMNS) {
            nanosPerColumn = (double) nanos / plan.columns();
        }
        return complete;
    }

    private void deliver(boolean complete) {
        for (int i = 0; i < plan.tasks().size(); i++) {
            RunningTask task = plan.tasks().get(i);
            if (!complete || task.isCancelled()) {
                continue; // the next step ends it
            }
            int before = task.generated();
            EndCause cause = task.deliver();
            counters.generated += task.generated() - before;
            if (cause == EndCause.FAILED) {
                running.remove(task);
                end(task, cause);
                continue;
            }
            if (remembersPrefixes) {
                task.sequence().remember(task.tokens());
            }
            if (cause != null) {
                running.remove(task);
                completed.add(task);
                causes.add(cause);
            }
        }
        if (!completed.isEmpty() && remembersPrefixes) {
            admit(); // now, while what the completed texts have computed is there
        }
        while (!causes.isEmpty()) {
            end(completed.removeFirst(), causes.removeFirst());
        }
    }

    private void end(RunningTask task, EndCause cause) {
        counters.texts++;
        if (remembersPrefixes && cause != EndCause.FAILED) {
            task.rememberEnd();
        }
        TaskStatistics of;
        try {
            of = task.end(cause);
        } catch (RuntimeException e) {
            LOGGER.log(Level.ERROR, "a listener failed at the end of its text", e);
            return;
        }
        counters.drafted += of.drafted();
        counters.accepted += of.accepted();
    }

    /** Fails all texts with an {@link IllegalStateException}, and waits for the pass that is running. Closing twice is harmless. */
    @Override
    public void close() {
        Thread last;
        lock.lock();
        try {
            closed = true;
            last = thread;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (last == Thread.currentThread()) {
            return; // a listener closes the model; the loop ends behind it
        }
        boolean interrupted = false;
        while (last != null && last.isAlive()) {
            try {
                last.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
