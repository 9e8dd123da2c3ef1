"""The details of a recommendation as tables of a page, whoever wrote them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Somebody reads it; ten thousand aliases are a number.
MAX_TEXT_CHARACTERS = 600
MAX_ITEMS = 100

_CHANGE_COLUMNS = ("local_value", "upstream_value", "previous_upstream_value")


@dataclass(frozen=True)
class Change:
    """A field with what Stash says, what upstream says, and what it said before.

    In a conflict both sides have moved on from what they once agreed on.
    """

    label: str
    local: str
    upstream: str
    previous: str
    is_conflict: bool


@dataclass(frozen=True)
class Table:
    """Things of a kind, one a row."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    left_out_count: int


@dataclass(frozen=True)
class Details:
    """Plain facts, changes of fields, and lists of things."""

    facts: list[tuple[str, str]]
    changes: list[Change]
    tables: list[Table]


def laid_out(details: Mapping[str, Any]) -> Details:
    """Return the details as a page shows them: everything, whatever they hold."""
    facts: list[tuple[str, str]] = []
    changes: list[Change] = []
    tables: list[Table] = []
    for name, value in _flattened(details):
        if name == "changes" and _are_changes(value):
            changes = [_change(each) for each in value]
        elif _are_things(value):
            tables.append(_table(_title(name), value))
        else:
            facts.append((_title(name), as_text(value)))
    return Details(facts, changes, tables)


def as_text(value: Any) -> str:
    """Return any JSON as a person reads it, shortened where it is long."""
    if value in (None, "", [], {}):
        # As a pattern {} is any object.
        return "-"
    match value:
        case bool():
            return "yes" if value else "no"
        case Mapping():
            text = ", ".join(
                f"{_title(str(name)).lower()} {as_text(each)}"
                for name, each in [*value.items()][:MAX_ITEMS]
            )
        case list():
            text = "; ".join(as_text(each) for each in value[:MAX_ITEMS])
            if len(value) > MAX_ITEMS:
                text = f"{len(value)}, among them {text}"
        case _:
            text = str(value)
    if len(text) <= MAX_TEXT_CHARACTERS:
        return text
    return f"{text[:MAX_TEXT_CHARACTERS]}…"


def _flattened(details: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what there is by its name; of what is in an object, by both names."""
    for name, value in details.items():
        if isinstance(value, Mapping) and value:
            for inner, each in value.items():
                yield f"{name}: {inner}", each
        else:
            yield name, value


def _are_things(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, Mapping) for each in value)
    )


def _are_changes(value: Any) -> bool:
    return _are_things(value) and all("field" in each for each in value)


def _change(change: Mapping[str, Any]) -> Change:
    local, upstream, previous = (change.get(name) for name in _CHANGE_COLUMNS)
    return Change(
        label=str(change.get("field_label") or _title(str(change["field"]))),
        local=as_text(local),
        upstream=as_text(upstream),
        previous=as_text(previous),
        is_conflict=bool(change.get("is_conflict")),
    )


def _table(title: str, things: Sequence[Mapping[str, Any]]) -> Table:
    shown = things[:MAX_ITEMS]
    columns = list(dict.fromkeys(name for thing in shown for name in thing))
    return Table(
        title=title,
        columns=[_title(name) for name in columns],
        rows=[[as_text(thing.get(name)) for name in columns] for thing in shown],
        left_out_count=len(things) - len(shown),
    )


def _title(name: str) -> str:
    text = name.replace("_", " ").strip()
    return text[:1].upper() + text[1:]
