package dev.yangtuo.cli;

import dev.yangtuo.exception.YangtuoException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The model that comes with the repository; the default of every command. */
final class DemoModel {
    /** Names the root of the checkout; set by the launcher. */
    private static final String HOME_PROPERTY = "yangtuo.home";

    private DemoModel() {}

    /** The English base model. */
    static Path base() {
        return find("base");
    }

    /** The adapter that makes it write Chinese. */
    static Path chineseLora() {
        return find("chinese-lora");
    }

    private static Path find(String name) {
        Path directory = Path.of(System.getProperty(HOME_PROPERTY, ""), "examples", "demo-model", name);
        if (!Files.isDirectory(directory)) {
            throw new YangtuoException("%s: the demonstration model is not there; name a model with --model".formatted(directory));
        }
        return directory;
    }
}
