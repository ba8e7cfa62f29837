#!/usr/bin/env python3
"""Renders the conversations of conversations.json with chat templates, as transformers' apply_chat_template does it with jinja2.

    python3 render.py templates golden                      # whole renderings of the templates that are here
    python3 render.py --hashes DIRECTORY others.jsonl       # the beginnings of SHA-256 of the renderings of others: models/templates of llama.cpp
    python3 render.py --snippets snippets.txt snippets.jsonl   # small templates, one JSON string a line
"""
import datetime
import hashlib
import json
import pathlib
import sys

from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2026, 1, 5, 8, 9, 7)
VARIABLES = json.loads((HERE / "variables.json").read_text())
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


class Generation(Extension):
    """The tag that marks what the model says; its body is rendered as if it were not there."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def raise_exception(message):
    raise TemplateError(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = NOW.strftime
    return env


def renderings(source, conversations):
    template = environment().from_string(source)
    for name, messages in conversations.items():
        for prompt in (False, True):
            entry = {"conversation": name, "add_generation_prompt": prompt}
            try:
                entry["text"] = template.render(messages=messages, tools=None, documents=None, add_generation_prompt=prompt, **SPECIAL)
            except Exception as e:  # what a template refuses, or cannot do
                entry["error"] = type(e).__name__
            yield entry


def digest(entry):
    return entry.get("error") and "error" or hashlib.sha256(entry["text"].encode()).hexdigest()[:16]


def snippet(source):
    try:
        return {"template": source, "text": environment().from_string(source).render(**VARIABLES)}
    except Exception as e:
        return {"template": source, "error": type(e).__name__}


def main(arguments):
    conversations = json.loads((HERE / "conversations.json").read_text())
    source, target = (pathlib.Path(a) for a in arguments[-2:])
    if arguments[0] == "--hashes":
        lines = [json.dumps({"template": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
                             "renderings": [digest(entry) for entry in renderings(file.read_text(), conversations)]})
                 for file in sorted(source.glob("*.jinja"))]
        target.write_text("\n".join(lines) + "\n")
    elif arguments[0] == "--snippets":
        lines = [json.dumps(snippet(json.loads(line)), ensure_ascii=False) for line in source.read_text().splitlines()]
        target.write_text("\n".join(lines) + "\n")
    else:
        for file in sorted(source.glob("*.jinja")):
            lines = [json.dumps(entry, ensure_ascii=False) for entry in renderings(file.read_text(), conversations)]
            (target / (file.stem + ".jsonl")).write_text("\n".join(lines) + "\n")


main(sys.argv[1:])
