package dev.yangtuo.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.yangtuo.bindings.YangtuoNative;
import dev.yangtuo.bindings.yt_batch;
import dev.yangtuo.bindings.yt_candidates;
import dev.yangtuo.bindings.yt_device_info;
import dev.yangtuo.bindings.yt_edit;
import dev.yangtuo.bindings.yt_kv_shape;
import dev.yangtuo.bindings.yt_layer;
import dev.yangtuo.bindings.yt_output;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;

/** The committed bindings, the header they were generated from and the compiled library say the same. */
@DisabledIfSystemProperty(named = "yangtuo.native.skip", matches = "true", disabledReason = "the library was not built")
class BindingsMatchLibraryTest {
    private static final String REMEDY = "bindings/generate.sh makes the bindings anew";
    private static final List<GroupLayout> STRUCTS =
            List.of(
                    yt_batch.layout(),
                    yt_candidates.layout(),
                    yt_device_info.layout(),
                    yt_edit.layout(),
                    yt_kv_shape.layout(),
                    yt_layer.layout(),
                    yt_output.layout());

    /** The header without its comments. */
    private static String header;

    @BeforeAll
    static void loadLibrary() throws IOException {
        NativeLibrary.load();
        header = Files.readString(Path.of("native/include/yangtuo.h")).replaceAll("(?s)/\\*.*?\\*/", "");
    }

    @Test
    void everyStructHasTheSizeAndTheOffsetsOfTheLibrary() {
        Map<String, String> compiled = YangtuoNative.yt_struct_layouts().getString(0).lines()
                .collect(Collectors.toMap(line -> line.substring(0, line.indexOf(' ')), String::strip));

        Map<String, String> bound =
                STRUCTS.stream().collect(Collectors.toMap(s -> s.name().orElseThrow(), BindingsMatchLibraryTest::describe));

        assertThat(bound).as(REMEDY).isEqualTo(compiled);
    }

    /** As yt_struct_layouts() does. */
    private static String describe(GroupLayout struct) {
        String fields = struct.memberLayouts().stream()
                .map(MemoryLayout::name)
                .flatMap(Optional::stream) // padding has no name
                .map(name -> " " + name + ":" + struct.byteOffset(PathElement.groupElement(name)))
                .collect(Collectors.joining());
        return struct.name().orElseThrow() + " " + struct.byteSize() + fields;
    }

    @Test
    void everyStructOfTheHeaderIsCompared() {
        assertThat(matches("typedef struct (yt_\\w+) \\{").map(m -> m.group(1)))
                .containsExactlyInAnyOrderElementsOf(STRUCTS.stream().map(s -> s.name().orElseThrow()).toList());
    }

    @Test
    void theLibraryExportsTheFunctionsOfTheBindingsAndNoOthers() throws IOException {
        Path library = NativeLibrary.path();
        assumeTrue(library.toString().endsWith(".so"), "the symbols of an ELF library are read");

        TreeSet<String> exported = ElfSymbols.exportedFunctions(library);
        // Linkers of some systems add these two to every library.
        exported.removeAll(List.of("_init", "_fini"));

        assertThat(exported).isEqualTo(boundFunctions().keySet());
    }

    @Test
    void functionsHaveTheSignaturesOfTheHeader() {
        Map<String, FunctionDescriptor> declared = new TreeMap<>();
        matches("YT_API\\s+([^;(]*?)\\b(yt_\\w+)\\(([^;]*)\\);")
                .forEach(m -> declared.put(m.group(2), descriptor(m.group(1).strip(), m.group(3).strip())));

        Map<String, FunctionDescriptor> bound = boundFunctions();

        assertThat(bound.keySet()).as(REMEDY).isEqualTo(declared.keySet());
        // As text without target layouts: what a pointer points to is not part of a signature in the library.
        assertThat(shapes(bound)).as(REMEDY).isEqualTo(shapes(declared));
    }

    private static Map<String, String> shapes(Map<String, FunctionDescriptor> functions) {
        Map<String, String> shapes = new TreeMap<>();
        functions.forEach((name, descriptor) -> shapes.put(name, descriptor.toMethodType().toString()));
        return shapes;
    }

    private static FunctionDescriptor descriptor(String result, String parameters) {
        MemoryLayout[] layouts = parameters.equals("void")
                ? new MemoryLayout[0]
                : Arrays.stream(parameters.split(",")).map(BindingsMatchLibraryTest::layout).toArray(MemoryLayout[]::new);
        return result.equals("void") ? FunctionDescriptor.ofVoid(layouts) : FunctionDescriptor.of(layout(result), layouts);
    }

    private static ValueLayout layout(String declaration) {
        if (declaration.contains("*")) {
            return ValueLayout.ADDRESS;
        }
        return switch (declaration.strip().split("\\s+")[0]) {
            case "int32_t" -> ValueLayout.JAVA_INT;
            case "int64_t" -> ValueLayout.JAVA_LONG;
            case "float" -> ValueLayout.JAVA_FLOAT;
            case "double" -> ValueLayout.JAVA_DOUBLE;
            default -> throw new AssertionError("a type that this test does not know: " + declaration);
        };
    }

    @Test
    void constantsHaveTheValuesOfTheHeader() {
        Map<String, Integer> declared = new TreeMap<>();
        matches("(?m)(?:#define\\s+(YT_\\w+)\\s+|(YT_\\w+)\\s*=\\s*)(-?\\d+)")
                .forEach(m -> declared.put(m.group(1) == null ? m.group(2) : m.group(1), Integer.valueOf(m.group(3))));

        Map<String, Integer> bound = new TreeMap<>();
        for (Method method : YangtuoNative.class.getMethods()) {
            if (method.getName().startsWith("YT_")) {
                bound.put(method.getName(), (Integer) invoke(method));
            }
        }

        assertThat(bound).as(REMEDY).isNotEmpty().isEqualTo(declared);
    }

    /** Every generated function, by the method that gives its descriptor. */
    private static Map<String, FunctionDescriptor> boundFunctions() {
        Map<String, FunctionDescriptor> functions = new TreeMap<>();
        String suffix = "$descriptor";
        for (Method method : YangtuoNative.class.getMethods()) {
            if (method.getName().endsWith(suffix)) {
                String name = method.getName().substring(0, method.getName().length() - suffix.length());
                functions.put(name, (FunctionDescriptor) invoke(method));
            }
        }
        return functions;
    }

    private static Object invoke(Method method) {
        try {
            return method.invoke(null);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(method + " fails; " + REMEDY, e);
        }
    }

    private static Stream<MatchResult> matches(String pattern) {
        return Pattern.compile(pattern).matcher(header).results();
    }
}
