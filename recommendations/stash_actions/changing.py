"""What an update would change of a row, told before it is sent."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from recommendations.stash_actions.telling import told
from stashsense.integrations.stash_inputs import CustomFields
from stashsense.integrations.stash_writes import Written

Values = Mapping[str, Any]
Row = TypeVar("Row")

_COLUMNS = {
    "favorite": "is_favorite",
    "ignore_auto_tag": "ignores_auto_tag",
    "organized": "is_organized",
}


def current(row: object, key: str) -> Any:
    """Return what the row has for a key of Stash's input, as JSON knows it."""
    if key in ("parent_id", "studio_id"):
        linked = getattr(row, key.removesuffix("_id"))
        return None if linked is None else str(linked.id)
    value = told(getattr(row, _COLUMNS.get(key, key)))
    return None if value == "" else value


def changes_to(row: object, values: Values) -> dict[str, dict[str, Any]]:
    """Return before and after by Stash's keys, of those that would be different."""
    changes = {}
    for key, value in values.items():
        before, after = current(row, key), told(value)
        if key.endswith("_id") and after is not None:
            after = str(after)
        if before != after:
            changes[key] = {"before": before, "after": after}
    return changes


def only_changed(values: Values, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are different: what nobody changes, nobody overwrites."""
    return {key: value for key, value in values.items() if key in changes}


def lost_custom_fields(
    has: Values, sources: Sequence[tuple[Row, Values]], values: Values
) -> list[tuple[Row, str, Any, Any]]:
    """Return whose custom fields say otherwise than what is kept, and both values."""
    given = values.get("custom_fields")
    joined = given.partial if isinstance(given, CustomFields) else None
    kept = {**has, **(joined or {})}
    return [
        (row, name, theirs, kept[name])
        for row, fields in sources
        for name, theirs in fields.items()
        if theirs != kept[name]
    ]


def not_kept(written: Written | None) -> list[str]:
    """Return the fields that this version of Stash has no place for."""
    return [] if written is None else list(written.left_out)
