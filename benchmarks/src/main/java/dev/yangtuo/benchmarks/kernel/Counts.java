package dev.yangtuo.benchmarks.kernel;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** What was read and computed. JMH divides it by the time, so that {@code ops/s} is to be read as GB/s and Gop/s. */
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class Counts {
    /** 10^9 bytes. */
    public double gigabytes;

    /** 10^9 multiplications and additions, each counted as one. */
    public double gigaops;

    void add(double moreGigabytes, double moreGigaops) {
        gigabytes += moreGigabytes;
        gigaops += moreGigaops;
    }
}
