package dev.yangtuo.model;

import dev.yangtuo.kernel.Backend;
import dev.yangtuo.kernel.DeviceFloats;
import dev.yangtuo.kernel.WeightMatrix;

/** Brings the parameters of a model onto backends, asked for in the order of {@link MergedModel#forEach}. What it gives is closed by whoever asked. */
interface WeightSupplier {
    /** A norm or a bias, in the order of the kernels. */
    DeviceFloats vector(MergedParameter parameter, Backend backend);

    /** A matrix, rows in the order of the kernels. */
    WeightMatrix matrix(MergedParameter parameter, Backend backend);

    /** A matrix that another backend has got before. */
    WeightMatrix matrixAgain(MergedParameter parameter, Backend backend);
}
