/**
 * Offline batches: files of requests, or requests in memory, that are generated together, and what came of each.
 *
 * <p>Read in this order: {@link dev.yangtuo.batch.BatchJob} (what can be set, and running it), {@link dev.yangtuo.batch.BatchRequest},
 * {@link dev.yangtuo.batch.BatchResult}, {@link dev.yangtuo.batch.BatchSummary}. Inside: {@code RequestReader} makes requests of an input, {@code BatchRun} has many
 * of them in flight, {@code RecordFormat} makes records of the results, {@code OutputLog} writes them so that a run that was killed can be resumed.
 */
@org.jspecify.annotations.NullMarked
package dev.yangtuo.batch;
