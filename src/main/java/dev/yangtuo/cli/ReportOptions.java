package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** In which form a report is written, and where. */
final class ReportOptions {
    @ArgGroup
    private @Nullable Form form;

    @Option(names = "--output", paramLabel = "FILE", description = "Write the report to FILE when it is complete. Default: standard output.")
    private @Nullable Path output;

    /** One of two ways to say it. */
    private static final class Form {
        @Option(names = "--report", paramLabel = "FORM", converter = KindConverter.class, completionCandidates = ValueNames.ReportForms.class,
                description = "text, markdown, or json: one JSON object. Default: text.")
        private @Nullable Kind kind;

        @Option(names = "--json", description = "The same as --report json; docs/evaluation.md describes the object.")
        private boolean json;
    }

    private enum Kind {
        TEXT,
        MARKDOWN,
        JSON
    }

    /** For picocli. */
    static final class KindConverter implements ITypeConverter<Kind> {
        @Override
        public Kind convert(String name) {
            for (Kind kind : Kind.values()) {
                if (kind.name().equalsIgnoreCase(name)) {
                    return kind;
                }
            }
            throw new TypeConversionException("'%s' is not a form of report; there are text, markdown, json".formatted(name));
        }
    }

    /**
     * What was found, in its forms.
     *
     * @param report for people
     * @param json for programs
     */
    record Findings(Report report, ObjectNode json) {}

    /** Finds something out. */
    @FunctionalInterface
    interface Work {
        Findings run() throws IOException;
    }

    /** Does the work and writes its report; a place that cannot be written is said before the work. Whatever ends the work early, no part of a report is left. */
    void write(PrintWriter out, Work work) throws IOException {
        if (output == null) {
            out.print(shown(work.run()));
            StandardOutput.flush(out);
            return;
        }
        try (ResultFile file = ResultFile.create(output)) {
            file.write(shown(work.run()).getBytes(StandardCharsets.UTF_8));
            file.complete();
        }
    }

    private String shown(Findings findings) {
        return switch (kind()) {
            case TEXT -> findings.report().text();
            case MARKDOWN -> findings.report().markdown();
            case JSON -> JsonResult.line(findings.json());
        };
    }

    private Kind kind() {
        if (form == null || form.kind == null) {
            return form == null ? Kind.TEXT : Kind.JSON;
        }
        return form.kind;
    }
}
