package dev.yangtuo.cli;

import picocli.CommandLine.IVersionProvider;

/** The version of the library, as its jar says. */
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        String version = Version.class.getPackage().getImplementationVersion();
        return new String[] {"yangtuo " + (version == null ? "(built from source)" : version)};
    }
}
