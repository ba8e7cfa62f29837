package dev.yangtuo.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NativePlatformTest {
    @ParameterizedTest
    @CsvSource({
        "Linux, amd64, linux-x86_64, libyangtuo.so",
        "Linux, aarch64, linux-aarch64, libyangtuo.so",
        "Mac OS X, aarch64, macos-aarch64, libyangtuo.dylib",
        "Mac OS X, x86_64, macos-x86_64, libyangtuo.dylib",
        "Windows Server 2025, amd64, windows-x86_64, yangtuo.dll",
        "FreeBSD, riscv64, freebsd-riscv64, libyangtuo.so",
    })
    void namesFolderAndFileOfTheJdksNames(String osName, String osArch, String folder, String file) {
        NativePlatform platform = NativePlatform.of(osName, osArch);

        assertThat(platform).hasToString(folder);
        assertThat(platform.resource()).isEqualTo("/META-INF/native/" + folder + "/" + file);
    }
}
