package dev.yangtuo.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.yangtuo.ChildJvm;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DoctorCommandTest {
    @Test
    void namesWhatDecidesTheSpeed() {
        CommandRun run = CommandRun.of("doctor");
        assertThat(run.exitCode()).as(run.text()).isZero();
        assertThat(run.errors()).isEmpty();
        assertThat(run.text().lines().map(line -> line.substring(0, 15).strip()).filter(name -> !name.endsWith("device"))).containsExactly(
                "yangtuo", "jdk", "system", "processors", "memory", "large pages", "native library", "features", "kernels", "chosen", "cuda", "llama.cpp");
        assertThat(run.text()).contains(Runtime.version().toString(), "portable", "GB");
    }

    @Test
    void jsonHasTheSame() throws IOException {
        CommandRun run = CommandRun.of("doctor", "--json");
        assertThat(run.exitCode()).as(run.errors()).isZero();
        assertThat(run.text()).endsWith("}\n").containsOnlyOnce("\n");
        JsonNode object = new ObjectMapper().readTree(run.text());
        assertThat(object.fieldNames()).toIterable().containsExactly("version", "java", "java_vendor", "java_home", "system", "machine", "processors", "memory_bytes",
                "free_memory_bytes", "heap_bytes", "large_pages", "native_library", "features", "kernels", "kernel", "problem", "cuda", "llama_cpp");
        assertThat(object.get("java").textValue()).isEqualTo(Runtime.version().toString());
        assertThat(object.get("memory_bytes").longValue()).isGreaterThan(object.get("free_memory_bytes").longValue());
        assertThat(object.get("kernels").get(0).get("name").textValue()).isEqualTo("portable");
        assertThat(object.get("kernels")).anyMatch(kernel -> kernel.get("supported").booleanValue() && kernel.get("name").equals(object.get("kernel")));
        assertThat(object.get("problem").isNull()).isTrue();
    }

    @Test
    void aLibraryThatCannotBeLoadedIsAFailure() throws Exception {
        ChildJvm.Outcome text = ChildJvm.run(30, Map.of(), List.of("-Dyangtuo.library.path=/no/such.so"), Main.class, "doctor");
        assertThat(text.exitCode()).isEqualTo(1);
        assertThat(text.output()).containsPattern("problem +.*/no/such.so").doesNotContain("chosen");
        ChildJvm.Outcome json = ChildJvm.run(30, Map.of(), List.of("-Dyangtuo.library.path=/no/such.so"), Main.class, "doctor", "--json");
        assertThat(json.exitCode()).isEqualTo(1);
        JsonNode object = new ObjectMapper().readTree(json.output());
        assertThat(object.get("problem").textValue()).contains("/no/such.so");
        assertThat(object.get("kernel").isNull()).isTrue();
    }
}
