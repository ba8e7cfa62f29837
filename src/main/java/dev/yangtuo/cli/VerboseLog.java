package dev.yangtuo.cli;

import java.util.logging.ConsoleHandler;
import java.util.logging.Level;
import java.util.logging.Logger;

/** What the library says of its choice of devices at the level DEBUG, for those who want to know. */
final class VerboseLog {
    // Held: Java forgets loggers, with their levels, that nobody holds.
    private static final Logger DEVICES = Logger.getLogger("dev.yangtuo.model.DeviceSelection");

    private VerboseLog() {}

    /** Writes it to standard error from now on. */
    static void show() {
        DEVICES.setLevel(Level.FINE);
        if (DEVICES.getHandlers().length == 0) {
            ConsoleHandler handler = new ConsoleHandler();
            handler.setLevel(Level.FINE);
            DEVICES.setUseParentHandlers(false);
            DEVICES.addHandler(handler);
        }
    }
}
