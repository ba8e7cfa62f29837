package dev.yangtuo.model;

import dev.yangtuo.kernel.DeviceFloats;
import dev.yangtuo.kernel.WeightMatrix;

/** Brings the parameters of a model onto its backend, asked for in the order of {@link MergedModel#forEach}. What it gives is closed by whoever asked. */
interface WeightSupplier {
    /** A norm or a bias, in the order of the kernels. */
    DeviceFloats vector(MergedParameter parameter);

    /** A matrix, rows in the order of the kernels. */
    WeightMatrix matrix(MergedParameter parameter);
}
