package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.ChildJvm;
import dev.yangtuo.kernel.EmulatedDevices;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the command line says of CUDA devices, which are emulated, and how they are chosen. */
class CudaCommandsTest {
    private static CommandRun generate(String... options) {
        List<Object> arguments = new ArrayList<>(List.of("generate", "--model", CommandRun.TINY, "--prompt", "山", "--max-tokens", "2", "--context", "64"));
        arguments.addAll(List.of(options));
        return CommandRun.of(arguments.toArray());
    }

    @Test
    void doctorShowsDevicesAndVersions() throws Exception {
        try (EmulatedDevices devices = EmulatedDevices.assumed(2)) {
            CommandRun text = CommandRun.of("doctor");
            assertThat(text.exitCode()).isZero();
            assertThat(text.text())
                    .containsPattern("cuda +/.*libyangtuo-cuda-emulated.so, made with CUDA \\d+\\.\\d, driver for CUDA 13\\.0")
                    .containsPattern("cuda device +cuda:0: Emulated device 0 \\(compute capability 8\\.0, \\d+ multiprocessors, 8\\.6 GB, ")
                    .contains("cuda:1: Emulated device 1");
            devices.capability(6, 1);
            assertThat(CommandRun.of("doctor").text()).containsPattern("cuda:0: .*, not used: its compute capability 6\\.1 is too old");
            JsonNode cuda = new ObjectMapper().readTree(CommandRun.of("doctor", "--json").text()).get("cuda");
            assertThat(cuda.get("driver").textValue()).isEqualTo("13.0");
            assertThat(cuda.get("devices").get(1).get("name").textValue()).isEqualTo("cuda:1");
            assertThat(cuda.get("devices").get(1).get("problem").textValue()).contains("6.1");
            assertThat(cuda.get("problem").isNull()).isTrue();
            devices.driver(0);
            assertThat(CommandRun.of("doctor").text()).containsPattern("cuda +/.*, no driver: .*driver");
            cuda = new ObjectMapper().readTree(CommandRun.of("doctor", "--json").text()).get("cuda");
            assertThat(cuda.get("driver").isNull()).isTrue();
            assertThat(cuda.get("devices")).isEmpty();
            assertThat(cuda.get("problem").textValue()).contains("driver");
        }
    }

    @Test
    void aModelIsComputedWhereTheOptionsSay() {
        try (EmulatedDevices devices = EmulatedDevices.assumed(1)) {
            CommandRun processor = generate("--greedy");
            long launches = devices.launches();
            CommandRun device = generate("--greedy", "--device", "cuda:0", "--gpu-layers", "2");
            assertThat(device.exitCode()).as(device.errors()).isZero();
            assertThat(device.errors()).contains("cuda:0 Emulated device 0 (layers 1 to 2)");
            assertThat(device.text()).isEqualTo(processor.text());
            assertThat(devices.launches()).isGreaterThan(launches);
            CommandRun bench = CommandRun.of("bench", "--model", CommandRun.TINY, "--device", "cuda", "-p", "4", "-n", "2", "-r", "1");
            assertThat(bench.exitCode()).as(bench.errors()).isZero();
            assertThat(bench.text()).contains("cuda:0 Emulated device 0", "not measured: a device computes");
            CommandRun missing = generate("--device", "cuda:4");
            assertThat(missing.exitCode()).isEqualTo(1);
            assertThat(missing.problem()).contains("cuda:4", "--device cpu");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--engine yangtuo --gpu-layers 3|--gpu-layers is 3",
        "--device cpu --gpu-layers 3|--gpu-layers is 3, and the device is the processor",
        "--engine yangtuo --device CUDA0|--device 'CUDA0' is not one",
        "--device cuda:0,cuda:0|named twice",
        "--device cuda:x|--device 'cuda:x' is not one",
        "--device cuda:0,CUDA1|--device 'cuda:0,CUDA1' is not one",
        "--device=|--device '' is not one",
        "--device auto,cuda|is not one",
        "--device cuda --gpu-layers -2|--gpu-layers is -2"})
    void optionsThatDoNotFitAreUsageErrors(String options, String problem) {
        CommandRun run = generate(options.split(" "));
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.errors()).contains(problem);
    }

    /** In a process of its own: in this one another library may have been opened. */
    @Test
    void withoutALibraryItIsSaidHowToGetItAndAutoGoesOn() throws Exception {
        ChildJvm.Outcome auto = ChildJvm.run(60, Map.of("YANGTUO_CUDA_PATH", "/no/such/libyangtuo-cuda.so"), List.of(), Main.class,
                "generate", "--model", CommandRun.TINY.toString(), "--prompt", "hill", "--max-tokens", "1", "--device", "auto", "--verbose");
        assertThat(auto.exitCode()).as(auto.output()).isZero();
        assertThat(auto.output()).contains("the processor computes: ", "/no/such/libyangtuo-cuda.so", "YANGTUO_CUDA_PATH");
        Path none = Path.of("pom.xml").toAbsolutePath();
        ChildJvm.Outcome named = ChildJvm.run(60, Map.of("YANGTUO_CUDA_PATH", none.toString()), List.of(), Main.class,
                "generate", "--model", CommandRun.TINY.toString(), "--prompt", "hill", "--device", "cuda");
        assertThat(named.exitCode()).isEqualTo(1);
        assertThat(named.output()).contains("pom.xml: cannot be opened as the library for CUDA devices");
    }
}
