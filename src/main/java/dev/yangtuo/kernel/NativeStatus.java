package dev.yangtuo.kernel;

import dev.yangtuo.bindings.YangtuoNative;
import dev.yangtuo.exception.DeviceException;
import dev.yangtuo.exception.KernelException;

/** Turns the status of a native call into an exception. */
final class NativeStatus {
    private NativeStatus() {}

    /** Returns if the call succeeded. */
    static void check(int status) {
        if (status == YangtuoNative.YT_OK()) {
            return;
        }
        String message = YangtuoNative.yt_last_error().getString(0);
        if (status == YangtuoNative.YT_ERR_ARGUMENT() || status == YangtuoNative.YT_ERR_SHAPE()) {
            throw new IllegalArgumentException(message);
        }
        if (status == YangtuoNative.YT_ERR_BUSY()) {
            throw new IllegalStateException(message);
        }
        if (status == YangtuoNative.YT_ERR_DEVICE()) {
            throw new DeviceException(message);
        }
        throw new KernelException(message);
    }
}
