package dev.yangtuo.batch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.yangtuo.ChildJvm;
import dev.yangtuo.Llama;
import dev.yangtuo.exception.YangtuoException;
import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is said where an optional library is missing. */
class MissingLibrariesTest {
    /** What runs without them. */
    static final class Child {
        private Child() {}

        /** @param arguments folder for outputs */
        public static void main(String[] arguments) {
            try (Llama llama = Llama.load(Path.of("src/test/resources/models/tiny/base"))) {
                for (String input : List.of("requests.csv", "requests.parquet")) {
                    try {
                        BatchJob.defaults().columns("key", "question").run(llama, Path.of("src/test/resources/batch", input), Path.of(arguments[0], input + ".out"));
                    } catch (YangtuoException e) {
                        System.out.println(e.getMessage());
                    }
                }
            }
        }
    }

    @Test
    void theArtifactIsNamed(@TempDir Path folder) throws Exception {
        String classPath = Pattern.compile(Pattern.quote(File.pathSeparator)).splitAsStream(System.getProperty("java.class.path"))
                .filter(entry -> !entry.contains("jackson-dataformat-csv") && !entry.contains("hardwood-core"))
                .collect(Collectors.joining(File.pathSeparator));
        ChildJvm.Outcome outcome = ChildJvm.run(60, Map.of(), List.of("-cp", classPath), Child.class, folder.toString());
        assertThat(outcome.exitCode()).as(outcome.output()).isZero();
        assertThat(outcome.output()).contains("CSV files need the library com.fasterxml.jackson.dataformat:jackson-dataformat-csv",
                "Parquet files need the library dev.hardwood:hardwood-core");
    }
}
