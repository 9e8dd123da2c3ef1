"""The pages of every route, out of docs/openapi.json."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handbook import DOCS
from handbook.markdown import cell, code, table

Schema = Mapping[str, Any]

# Routes of one first word have a page; the few of the others share one.
GROUPS = {
    "identify": "Who is there?",
    "recommendations": "Recommendations and what is kept",
    "queue": "The queue",
    "database": "Releases and updates",
    "models": "Model files",
    "settings": "Settings and stash-boxes",
}
REST = ("system", "Health, capabilities and Stash")
METHODS = ("get", "post", "put", "patch", "delete")
AUTHENTICATION = {
    "bearerAuth": "key",
    "apiKeyAuth": "key",
    "signatureAuth": "signature",
    "cookieAuth": "session",
}

_INTRODUCTION = """\
# Every route

Made from [openapi.json](../openapi.json), which is made from the code. A running
service has the same at `/docs`, to be tried there. [The API](../api.md) tells how to
sign in, what routes are for, and what is common to refusals;
[every error code](errors.md) what each means.
"""


@dataclass(frozen=True)
class Operation:
    """One method of one path, as the description has it."""

    method: str
    path: str
    described: Schema

    @property
    def title(self) -> str:
        """What it is called by: method and path."""
        return f"{self.method.upper()} {self.path}"

    @property
    def anchor(self) -> str:
        """Its place in its page."""
        words = "".join(c if c.isalnum() else " " for c in self.path).split()
        return "-".join([self.method, *words])

    @property
    def group(self) -> str:
        """The page it is on."""
        first = self.path.strip("/").partition("/")[0]
        return first if first in GROUPS else REST[0]


def description() -> dict[str, Any]:
    """Return what docs/openapi.json holds."""
    loaded: dict[str, Any] = json.loads((DOCS / "openapi.json").read_text())
    return loaded


def operations(described: Schema) -> list[Operation]:
    """Return every operation in the description's order."""
    return [
        Operation(method, path, item[method])
        for path, item in described["paths"].items()
        for method in METHODS
        if method in item
    ]


def pages() -> dict[str, str]:
    """Return the pages by their path: a list, one for each group, and the shapes."""
    described = description()
    every = operations(described)
    titles = {**GROUPS, REST[0]: REST[1]}
    made = {"reference/rest.md": _list_page(titles, every)}
    for group, title in titles.items():
        lines = [f"# {title}", ""]
        for operation in every:
            if operation.group == group:
                lines += _operation(operation, described)
        made[f"reference/rest/{group}.md"] = "\n".join(lines)
    made["reference/rest/shapes.md"] = _shapes_page(described["components"]["schemas"])
    return made


def _list_page(titles: Mapping[str, str], every: list[Operation]) -> str:
    lines = [_INTRODUCTION]
    for group, title in titles.items():
        page = f"rest/{group}.md"
        lines += [f"## [{title}]({page})", ""]
        lines += table(
            ("route", "what it does"),
            [
                (
                    f"[{code(each.title)}]({page}#{each.anchor})",
                    _first_sentence(each.described.get("description", "")),
                )
                for each in every
                if each.group == group
            ],
        )
    return "\n".join(lines)


def _first_sentence(text: str) -> str:
    return text.strip().partition("\n\n")[0]


def _operation(operation: Operation, described: Schema) -> list[str]:
    said = operation.described
    lines = [f"## `{operation.title}` {{ #{operation.anchor} }}", ""]
    if text := said.get("description", "").strip():
        lines += [text, ""]
    lines += [f"*Wants*: {_authentication(said)}.", ""]
    lines += _parameters(said.get("parameters", []))
    lines += _bodies(said.get("requestBody"), described)
    lines += ["**Answers**", ""]
    lines += table(
        ("status", "body", "when"),
        [
            (status, _answer_body(answer), _line(answer.get("description", "")))
            for status, answer in said["responses"].items()
        ],
    )
    return lines


def _authentication(said: Schema) -> str:
    ways = [AUTHENTICATION[name] for way in said.get("security", []) for name in way]
    if not ways or {} in said.get("security", []):
        return "nothing, it is open to all"
    # Each once, in the order of the description.
    return "a " + ", a ".join(dict.fromkeys(ways)).replace(", a session", " or session")


def _parameters(parameters: list[Schema]) -> list[str]:
    if not parameters:
        return []
    rows = [
        (
            code(each["name"]),
            each["in"],
            shape(each.get("schema", {})),
            _line(each.get("description", "")),
        )
        for each in parameters
    ]
    return ["**Parameters**", "", *table(("name", "in", "may be", "means"), rows)]


def _bodies(body: Schema | None, described: Schema) -> list[str]:
    if not body:
        return []
    kinds: dict[str, list[str]] = {}
    for kind, content in body["content"].items():
        kinds.setdefault(json.dumps(content.get("schema", {})), []).append(kind)
    needed = "" if body.get("required") else ", may be left out"
    lines = []
    for text, names in kinds.items():
        listed = ", ".join(map(code, names))
        lines += [f"**Body** ({listed}{needed})", ""]
        lines += _fields_or_shape(json.loads(text), described)
    return lines


def _fields_or_shape(schema: Schema, described: Schema) -> list[str]:
    """Return the fields of a body; of what has none, its shape."""
    named = schema
    if "$ref" in schema:
        named = described["components"]["schemas"][_name(schema["$ref"])]
    if "properties" in named:
        return _fields(named)
    return [shape(schema), ""]


def _fields(schema: Schema, page: str = "shapes.md") -> list[str]:
    needed = schema.get("required", [])
    rows = [
        (
            code(name) + (" (needed)" if name in needed else ""),
            shape(field, page),
            _line(field.get("description", "")),
        )
        for name, field in schema["properties"].items()
    ]
    return table(("field", "may be", "means"), rows)


def _answer_body(answer: Schema) -> str:
    shapes = []
    for kind, content in answer.get("content", {}).items():
        words = shape(content.get("schema", {}))
        shapes.append(words if kind == "application/json" else f"{code(kind)}: {words}")
    return "; ".join(shapes)


def _shapes_page(schemas: Mapping[str, Schema]) -> str:
    lines = ["# Shapes", "", "What bodies and answers are made of.", ""]
    for name, schema in schemas.items():
        lines += [f"## {name} {{ #{name.lower()} }}", ""]
        if text := schema.get("description", "").strip():
            lines += [text, ""]
        if "properties" in schema:
            lines += _fields(schema, "")
        else:
            lines += [shape(schema), ""]
    return "\n".join(lines)


def shape(schema: Schema, page: str = "shapes.md") -> str:
    """Return in words what a value of the schema may be, with links to shapes."""
    words = " or ".join(_alternatives(schema, page)) or "anything"
    bounds = [text for text in _bounds(schema) if text]
    return ", ".join([words, *bounds])


def _alternatives(schema: Schema, page: str) -> Iterator[str]:
    if "$ref" in schema:
        name = _name(schema["$ref"])
        yield f"[{name}]({page}#{name.lower()})"
    for word in ("allOf", "anyOf", "oneOf"):
        for each in schema.get(word, []):
            yield from _alternatives(each, page)
    if "enum" in schema:
        yield ", ".join(code(json.dumps(value)) for value in schema["enum"])
    elif "const" in schema:
        yield code(json.dumps(schema["const"]))
    elif schema.get("type") == "array":
        yield f"list of {shape(schema.get('items', {}), page)}"
    elif isinstance(schema.get("additionalProperties"), dict):
        yield f"object of {shape(schema['additionalProperties'], page)}"
    elif isinstance(kind := schema.get("type"), str):
        kept = schema.get("format")
        yield kind if kept in (None, "int64", "double") else f"{kind} ({kept})"
    if schema.get("nullable"):
        yield "null"


def _bounds(schema: Schema) -> Iterator[str]:
    lowest, highest = schema.get("minimum"), schema.get("maximum")
    if lowest is not None and highest is not None:
        yield f"{lowest} to {highest}"
    elif lowest is not None:
        yield f"{lowest} or more"
    elif highest is not None:
        yield f"{highest} at most"
    if "maxLength" in schema:
        yield f"{schema['maxLength']} characters at most"
    if "maxItems" in schema:
        yield f"{schema['maxItems']} entries at most"
    if "default" in schema:
        yield f"default {code(json.dumps(schema['default']))}"


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]


def _line(text: str) -> str:
    return cell(text.replace("\n* ", "; ").removeprefix("* "))
