package dev.yangtuo.grammar;

import java.util.List;

/** Twenty schemas as people write them. Strings are short, so that random texts end. */
final class Schemas {
    static final List<String> ALL = List.of(
            """
            {"type": "object", "properties": {"title": {"type": "string", "minLength": 1, "maxLength": 10}, "year": {"type": "integer", "minimum": 618, "maximum": 907}},
             "required": ["title", "year"], "additionalProperties": false}""",
            """
            {"type": "object", "properties": {"a": {"type": "boolean"}, "b": {"type": "null"}, "c": {"type": "number"}, "d": {"type": "integer"}}}""",
            """
            {"type": "array", "items": {"type": "string", "maxLength": 5}, "minItems": 2, "maxItems": 4}""",
            """
            {"enum": ["诗", "词", 1, 2.5, null, true, {"a": [1, 2]}, "\\"quoted\\"\\n"]}""",
            """
            {"type": "object", "properties": {"kind": {"const": "poem"}, "lines": {"type": "array", "items": {"type": "string", "maxLength": 7}, "maxItems": 3}},
             "required": ["kind", "lines"]}""",
            """
            {"anyOf": [{"type": "string", "maxLength": 4}, {"type": "integer", "minimum": -20, "maximum": 20}, {"type": "array", "items": {"type": "boolean"}, "maxItems": 3}]}""",
            """
            {"oneOf": [{"type": "object", "properties": {"type": {"const": "circle"}, "radius": {"type": "number", "exclusiveMinimum": 0, "maximum": 12.25}}, "required": ["type", "radius"]},
                       {"type": "object", "properties": {"type": {"const": "square"}, "side": {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 100}},
                        "required": ["type", "side"]}]}""",
            """
            {"allOf": [{"type": "object", "properties": {"id": {"type": "integer", "minimum": 5}}, "required": ["id"]},
                       {"properties": {"id": {"type": "number", "maximum": 17}, "name": {"type": "string", "maxLength": 3}}, "required": ["name"]}]}""",
            """
            {"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {"value": {"type": "integer", "minimum": 0, "maximum": 9},
             "left": {"$ref": "#/$defs/node"}, "right": {"$ref": "#/$defs/node"}}, "required": ["value"], "additionalProperties": false}}}""",
            """
            {"type": "object", "properties": {"date": {"type": "string", "format": "date"}, "time": {"type": "string", "format": "time"},
             "at": {"type": "string", "format": "date-time"}, "id": {"type": "string", "format": "uuid"},
             "mail": {"type": "string", "format": "email"}, "site": {"type": "string", "format": "uri"}, "span": {"type": "string", "format": "duration"}}, "required": ["date", "time", "at", "id"]}""",
            """
            {"type": "object", "properties": {"code": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{3,5}$"}, "free": {"type": "string", "pattern": "山|水{2}"}},
             "required": ["code", "free"]}""",
            """
            {"type": "array", "prefixItems": [{"type": "string", "maxLength": 3}, {"type": "integer"}], "items": {"type": "boolean"}, "minItems": 1, "maxItems": 5}""",
            """
            {"type": "object", "properties": {"known": {"type": "integer"}, "known2": {"type": "boolean"}}, "additionalProperties": {"type": "string", "maxLength": 4},
             "required": ["known2"]}""",
            """
            {"type": ["string", "null", "integer"], "maxLength": 6, "minimum": 1000000, "maximum": 2000000}""",
            """
            {"type": "object", "properties": {"p": {"type": "number", "minimum": 0, "maximum": 1}, "q": {"type": "number", "minimum": -2.75, "exclusiveMaximum": 3.125},
             "r": {"type": "number", "exclusiveMinimum": 0.125, "maximum": 0.25}, "s": {"type": "number", "maximum": -10.5}, "t": {"type": "number", "minimum": 99.5}},
             "required": ["p", "q", "r", "s", "t"]}""",
            """
            {"title": "Answer", "description": "with annotations", "type": "object", "properties": {"answer": {"type": "string", "enum": ["A", "B", "C", "D"], "default": "A"},
             "why": {"type": "string", "maxLength": 12}}, "required": ["why", "answer"]}""",
            """
            {"type": "object", "properties": {"matrix": {"type": "array", "items": {"type": "array", "items": {"type": "integer", "minimum": -1, "maximum": 1}, "minItems": 3,
             "maxItems": 3}, "minItems": 2, "maxItems": 2}}, "required": ["matrix"]}""",
            """
            {"anyOf": [{"properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"properties": {"b": {"type": "string", "maxLength": 2}}, "required": ["b"]}],
             "type": "object", "properties": {"c": {"type": "boolean"}}}""",
            """
            {"type": "object", "properties": {"list": {"type": "array", "items": {"$ref": "#/definitions/entry"}, "maxItems": 3}}, "required": ["list"],
             "definitions": {"entry": {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "object", "properties": {"sub": {"type": "array", "items": {"$ref": "#/definitions/entry"},
             "maxItems": 2}}, "required": ["sub"]}]}}}""",
            """
            {"type": "integer", "minimum": -12345, "exclusiveMaximum": 99999999999999999999}""");

    private Schemas() {}
}
