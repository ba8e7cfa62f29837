package dev.yangtuo.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import picocli.CommandLine.Model.CommandSpec;

/** Results for programs: one JSON value a line of standard output, with no character that a terminal might obey. */
final class JsonResult {
    private JsonResult() {}

    /** An object to fill. */
    static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    /** JSON has no number for what is not finite, such as a rate of nothing: that is null. */
    static JsonNode number(double value) {
        return Double.isFinite(value) ? DoubleNode.valueOf(value) : NullNode.getInstance();
    }

    /**
     * Writes the one result of a command.
     *
     * @throws IOException if standard output cannot be written
     */
    static void print(JsonNode value, CommandSpec command) throws IOException {
        PrintWriter out = command.commandLine().getOut();
        write(value, out);
        StandardOutput.flush(out);
    }

    /** Writes a value and a line feed; whether they arrived, {@link StandardOutput#flush} says. */
    static void write(JsonNode value, PrintWriter out) {
        out.print(line(value));
    }

    /** A value and a line feed. */
    static String line(JsonNode value) {
        StringWriter text = new StringWriter();
        try (EscapingWriter escaping = new EscapingWriter(text)) {
            escaping.write(value.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e); // a text in memory takes everything
        }
        return text.append('\n').toString();
    }
}
