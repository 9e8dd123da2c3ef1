"""The page of every setting: what the environment may say, and what users change.

What each may be and is by default comes from running the code; what a variable means
from docs/configuration.md, where it is told once.
"""

import inspect
import os
import re
import runpy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handbook import DOCS, ROOT
from handbook.markdown import code, table
from recognition.preferences import CPU, GPU_HIGH, GPU_LOW
from stashsense import env
from stashsense.preferences.definitions import Definition, Kind, all_definitions

_ROW = re.compile(r"^\| `([A-Z][A-Z_]+)` \| (.*) \| (.*) \|$", re.MULTILINE)
_PLAIN = {
    "text": "text",
    "secret": "a secret",
    "boolean": "`true` or `false`",
    "switch": "`true`, `false` or `auto`",
    "words": "words, separated by commas",
    "networks": "addresses or networks, separated by commas",
    "address": "an http or https address",
    "directory": "a folder",
    "path_prefix": "a path such as `/sense`",
}

# Without a list of contents beside them the tables have room for their words.
_INTRODUCTION = """\
---
hide:
  - toc
---
# Every setting

Made from the code when this page was built. [Environment](../configuration.md) and
[settings](../settings.md) tell how they are set, and which of two counts.

## From the environment

Read when the service starts. A secret may be in a file instead, which the variable of
the same name and `_FILE` names.
"""
_CHANGED_BY_USERS = """\
## Changed while it runs

On the page *Settings* of the admin, in the plugin, and under `/settings`. Three
defaults are those of the [hardware tiers](../settings.md#hardware-tiers) `gpu-high`,
`gpu-low` and `cpu`; one that stands alone is the same on all.
"""


@dataclass(frozen=True)
class Variable:
    """A variable as the code reads it: by which reader, and with which bounds."""

    name: str
    reader: str
    default: Any
    bounds: dict[str, Any]


def page() -> str:
    """Return the page."""
    meanings = {name: meaning for name, meaning, _ in _ROW.findall(_configuration())}
    rows = [
        (
            code(each.name),
            may_be(each),
            _shown_default(each),
            re.sub(r"\]\((?=[a-z])", "](../", meanings.get(each.name, "")),
        )
        for each in variables()
    ]
    lines = [_INTRODUCTION, *table(("variable", "may be", "default", "means"), rows)]
    return "\n".join([*lines, _CHANGED_BY_USERS, *_definitions()])


def variables() -> list[Variable]:
    """Return every variable in the order in which settings.py reads them."""
    read: list[Variable] = []
    with _recorded(read), _empty_environment():
        runpy.run_path(str(ROOT / "stashsense" / "settings.py"))
    return read


def may_be(variable: Variable) -> str:
    """Return in words what the variable may hold."""
    bounds = variable.bounds
    if "choices" in bounds:
        return ", ".join(map(code, sorted(bounds["choices"])))
    if "minimum" in bounds:
        kind = "a whole number" if "integer" in variable.reader else "a number"
        words = f"{kind}, {bounds['minimum']:g} to {bounds['maximum']:g}"
        multiple = bounds.get("multiple_of", 1)
        return words + (f", a multiple of {multiple}" if multiple > 1 else "")
    if variable.reader in _PLAIN:
        return _PLAIN[variable.reader]
    text = inspect.getdoc(getattr(env, variable.reader)) or ""
    return text.partition("\n")[0]


def _shown_default(variable: Variable) -> str:
    default = variable.default
    if isinstance(default, Path):
        return f"{code(default.relative_to(ROOT))} in the checkout"
    return "" if default in (None, "", inspect.Parameter.empty) else code(default)


def _configuration() -> str:
    return (DOCS / "configuration.md").read_text()


@contextmanager
def _recorded(read: list[Variable]) -> Iterator[None]:
    """Have every reader of `env` note what it is asked for; readers ask each other."""
    readers = {
        name: function
        for name, function in vars(env).items()
        if inspect.isfunction(function) and function.__module__ == env.__name__
    }
    depth = 0

    def noting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(function)

        def reader(*arguments: Any, **named: Any) -> Any:
            nonlocal depth
            if not depth:
                bound = signature.bind(*arguments, **named)
                bound.apply_defaults()
                given = dict(bound.arguments)
                variable, default = given.pop("name"), given.pop("default", None)
                read.append(Variable(variable, name, default, given))
            depth += 1
            try:
                return function(*arguments, **named)
            finally:
                depth -= 1

        return reader

    try:
        for name, function in readers.items():
            setattr(env, name, noting(name, function))
        yield
    finally:
        for name, function in readers.items():
            setattr(env, name, function)


@contextmanager
def _empty_environment() -> Iterator[None]:
    """Leave nothing set that would be read, but for where keys may be made."""
    before = dict(os.environ)
    kept = {"DATA_DIR", "PATH", "HOME", "TMPDIR", "ORT_DISABLE_TELEMETRY"}
    try:
        for name in [*os.environ]:
            if name not in kept:
                del os.environ[name]
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _definitions() -> list[str]:
    lines = []
    by_category: dict[str, list[Definition]] = {}
    for each in all_definitions():
        by_category.setdefault(each.category.label, []).append(each)
    for shown, definitions in by_category.items():
        lines += [f"### {shown}", ""]
        lines += table(
            ("key", "may be", "default", "a change counts", "means"),
            [
                (
                    code(each.key),
                    _definition_may_be(each),
                    _tier_defaults(each),
                    each.applies.value,
                    f"**{each.label}.** {each.description}",
                )
                for each in definitions
            ],
        )
    return lines


def _definition_may_be(definition: Definition) -> str:
    if definition.kind is Kind.BOOL:
        return "on, off"
    words = f"{definition.minimum:g} to {definition.maximum:g}"
    multiple = definition.multiple_of
    return words + (f", a multiple of {multiple}" if multiple else "")


def _tier_defaults(definition: Definition) -> str:
    tiers = definition.tier_defaults
    values = [
        _spelled(tiers.get(tier, definition.fallback))
        for tier in (GPU_HIGH, GPU_LOW, CPU)
    ]
    return ", ".join(values if len(set(values)) > 1 else values[:1])


def _spelled(value: bool | int | float) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}"
