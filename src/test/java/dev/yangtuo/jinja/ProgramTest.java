package dev.yangtuo.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The language as Python's jinja2 has it, and the bounds of what a template may do. */
@Timeout(60)
class ProgramTest {
    private static final Path FOLDER = Path.of("src/test/resources/chat");
    private static final LocalDateTime NOW = LocalDateTime.of(2026, 1, 5, 8, 9, 7);
    private static final ObjectMapper JSON = new ObjectMapper();

    private static Text render(String template, Map<String, @Nullable Object> variables) {
        return Program.parse(template).render(variables, 100, NOW);
    }

    private static String render(String template) {
        return render(template, Map.of()).value();
    }

    private static @Nullable Object value(JsonNode json) {
        if (json.isObject()) {
            Map<Object, @Nullable Object> map = new LinkedHashMap<>();
            json.properties().forEach(entry -> map.put(Text.of(entry.getKey()), value(entry.getValue())));
            return map;
        }
        if (json.isArray()) {
            List<@Nullable Object> list = new ArrayList<>();
            json.forEach(element -> list.add(value(element)));
            return list;
        }
        return json.isNull() ? null : json.isBoolean() ? (Object) json.booleanValue() : json.isTextual() ? Text.of(json.textValue())
                : json.isIntegralNumber() ? (Object) json.longValue() : (Object) json.doubleValue();
    }

    static List<String> snippets() throws IOException {
        return Files.readAllLines(FOLDER.resolve("snippets.jsonl"));
    }

    @ParameterizedTest
    @MethodSource("snippets")
    void rendersAsPythonDoes(String line) throws IOException {
        JsonNode expected = JSON.readTree(line);
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        JSON.readTree(FOLDER.resolve("variables.json").toFile()).properties().forEach(entry -> variables.put(entry.getKey(), value(entry.getValue())));
        String template = expected.path("template").textValue();
        if (expected.has("error")) {
            assertThatThrownBy(() -> render(template, variables)).isInstanceOf(JinjaException.class);
        } else {
            assertThat(render(template, variables).value()).isEqualTo(expected.path("text").textValue());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '§', quoteCharacter = '`', value = {
        "{{ x.strip() }}! § ab  cd!",
        "{{ x | trim | upper ~ 'y' }} § AB  CDy",
        "{{ x.split() | join('-') }} § ab-cd",
        "{{ x[::-1] | trim }} § dc  ba",
        "{{ '<' + x.strip().title() + '>' }} § <Ab  Cd>",
        "{{ [x | trim] | tojson }} § [\"ab  cd\"]",
        "{{ [x | trim] }} § ['ab  cd']",
        "{{ '%s:' % x.strip() }} § ab  cd:",
        "{{ '{}:'.format(x.strip()) }} § ab  cd:",
        "{{ x | trim | e | safe | string | indent }} § ab  cd",
        "{% set y %}[{{ x | trim }}]{% endset %}{{ y }} § [ab  cd]",
        "{% macro m(a) %}({{ a }}){% endmacro %}{{ m(x | trim) }} § (ab  cd)"
    })
    void whatIsQuotedStaysQuoted(String template, String expected) {
        Text rendered = render(template, Map.of("x", Text.quote(" ab  cd ")));
        assertThat(rendered.value()).isEqualTo(expected);
        for (int i = 0; i < expected.length(); i++) {
            assertThat(rendered.quoted().get(i)).as("%d of %s", i, expected).isEqualTo("abcdABCD ".indexOf(expected.charAt(i)) >= 0);
        }
    }

    @Test
    void whatTheTemplatePutsIntoAQuotationIsItsOwn() {
        Text rendered = render("{{ x.replace('|', '<|') }}", Map.of("x", Text.quote("a|b")));
        assertThat(rendered.value()).isEqualTo("a<|b");
        assertThat(rendered.quoted()).hasToString("{0, 3}");
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(n) %}{{ m(n + 1) }}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
        "{% set ns = namespace(s='x' * 1000) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(100) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(100) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(10000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(10000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l | tojson }}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(10000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l == [ns.l] }}",
        "{% set ns = namespace(l=[1], m=[1]) %}{% for i in range(100) %}{% set ns.l = [ns.l, ns.l] %}{% set ns.m = [ns.m, ns.m] %}{% endfor %}{{ ns.l == ns.m }}",
        "{% set ns = namespace(l=[1], m=[1]) %}{% for i in range(100) %}{% set ns.l = [ns.l, ns.l] %}{% set ns.m = [ns.m, ns.m] %}{% endfor %}{{ ns.l < ns.m }}",
        "{% set ns = namespace(l=(1,)) %}{% for i in range(100) %}{% set ns.l = (ns.l, ns.l) %}{% endfor %}{{ {ns.l: 1} }}",
        "{% set s = 'x' * 1000000 %}{% set ns = namespace(l=[]) %}{% for i in range(10000) %}{% set ns.l = ns.l + [s[1:]] %}{% endfor %}",
        "{% set s = 'x' * 1000000 %}{% for i in range(100000) %}{% if 'y' in s %}{% endif %}{% endfor %}",
        "{% set s = 'x' * 1000000 %}{% for i in range(100000) %}{{ s | length }}{% endfor %}",
        "{% set s = 'x' * 1000000 %}{% for i in range(100000) %}{{ s.find('y') }}{% endfor %}",
        "{% set s = 'x' * 1000000 %}{% for i in range(100000) %}{{ s[5] }}{% endfor %}",
        "{% set l = range(100000) | list %}{% for i in l %}{{ l.count(-1) }}{% endfor %}",
        "{% set l = range(100000) | list %}{% for i in l %}{{ -1 in l }}{% endfor %}",
        "{{ (range(100000) | list + range(100000) | list) | unique | list | length }}",
        "{{ 'x' * 9000000000000000000 }}",
        "{{ [1] * 9000000000000000000 }}",
        "{{ 'x'.ljust(2000000000) }}",
        "{{ 'x'.center(2000000000) }}",
        "{{ '1'.zfill(2000000000) }}",
        "{{ range(9000000000000000000) }}",
        "{{ range(0, 10, 0) }}",
        "{{ 2 ** 63 }}",
        "{{ 9223372036854775807 + 1 }}",
        "{{ 99999999999999999999 }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ ''.__class__.__bases__[0].__subclasses__() }}",
        "{{ ''.getClass().forName('java.lang.Runtime') }}",
        "{{ [].getClass() }}",
        "{{ {}.getClass() }}",
        "{{ range.__globals__['os'] }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ self.__init__() }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ ''['__class__']['__mro__'] }}",
        "{{ '' | attr('__class__') | attr('__mro__') }}",
        "{% include '/etc/passwd' %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{{ '{0.__class__}'.format('') }}",
        "{{ '%99999999999d' % 1 }}"
    })
    void hostileTemplatesEndInAnError(String template) {
        assertThatThrownBy(() -> render(template)).isInstanceOf(JinjaException.class);
    }

    @Test
    void whatCannotBeAKeyIsNotFound() {
        assertThat(render("{% set ns = namespace(l=[1]) %}{% for i in range(100) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}"
                + "{{ ns.l in {} }}{{ {}.get(ns.l) }}{{ {}[ns.l] is defined }}")).isEqualTo("FalseNoneFalse");
    }

    @ParameterizedTest
    @ValueSource(strings = {"(", "[", "{", "not ", "- ", "x[", "x(", "x if ", "'a' ~ ("})
    void nestingIsBounded(String open) {
        assertThatThrownBy(() -> render("{{ " + open.repeat(100_000))).isInstanceOf(JinjaException.class);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"{% if 1 %}|{% endif %}", "{% for i in [1] %}|{% endfor %}", "{% if 1 %}{% elif 1 %}|{% endif %}"})
    void statementsInEachOtherAreBounded(String open, String close) {
        assertThatThrownBy(() -> render(open.repeat(10_000) + close.repeat(10_000))).isInstanceOf(JinjaException.class);
    }

    @Test
    void aLongChainOfOperatorsIsRenderedOrRefused() {
        assertThat(render("{{ 'a'" + " + 'a'".repeat(500) + " }}")).hasSize(501);
        assertThatThrownBy(() -> render("{{ 1" + " + 1".repeat(200_000) + " }}")).isInstanceOf(JinjaException.class);
    }

    @Test
    void anErrorNamesItsLine() {
        assertThatThrownBy(() -> render("a\nb\n{{ none.x.y }}\n")).hasMessage("line 3: None has no 'x'");
        assertThatThrownBy(() -> render("a\n{% if %}")).hasMessageStartingWith("line 2: ");
        assertThatThrownBy(() -> render("{% if true %}\n{{ raise_exception('roles!') }}{% endif %}")).hasMessage("line 2: roles!")
                .satisfies(e -> assertThat(((JinjaException) e).isRaised()).isTrue());
    }
}
