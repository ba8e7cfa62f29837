package dev.yangtuo.cli;

import picocli.CommandLine.IVersionProvider;

/** The version of the library, as its jar says. */
final class Version implements IVersionProvider {
    /** The number alone. */
    static String number() {
        String version = Version.class.getPackage().getImplementationVersion();
        return version == null ? "(built from source)" : version;
    }

    @Override
    public String[] getVersion() {
        return new String[] {"yangtuo " + number()};
    }
}
