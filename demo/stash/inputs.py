"""How what a mutation is given gets into a row.

An absent key keeps what is there and null clears it; lists are replaced as a whole;
bulk updates add and remove. Each change also sets `updated_at`.
"""

import base64
import binascii
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graphql import GraphQLError

from demo.stash import finding
from demo.stash.library import Library, Performer, Row, StashId, Studio, Tag, now
from demo.stash.urls import with_legacy_urls

Input = Mapping[str, Any]

# Keys of inputs that are no columns, and those that name the row itself.
_NOT_COLUMNS = {
    "id", "ids", "clientMutationId", "primary_file_id", "url", "twitter", "instagram",
    "child_ids",
}  # fmt: skip
# Keys that take pictures, and where these are kept.
_PICTURES = {"image": "picture", "cover_image": "cover_image"}
# Which rows the ids of a key have to name.
_LINKS = {
    "performer_ids": "performers",
    "tag_ids": "tags",
    "gallery_ids": "galleries",
    "scene_ids": "scenes",
    "parent_ids": "tags",
    "child_ids": "tags",
    "studio_id": "studios",
    "parent_id": "studios",
}


def require_row(library: Library, kind: str, row_id: str) -> Any:
    rows: Mapping[str, Any] = getattr(library, kind)
    if finding.require_id(row_id) not in rows:
        raise GraphQLError(f"{kind[:-1]} with id {row_id} not found")
    return rows[row_id]


def apply_input(library: Library, row: Any, given: Input) -> None:
    """Write what the input names into the row, all of it or nothing."""
    changes = changes_of(library, row, given)
    children = [require_row(library, "tags", e) for e in given.get("child_ids") or ()]
    _refuse_names(library, row, changes)
    write_changes(row, changes)
    if "child_ids" in given:
        for tag in library.tags.values():
            tag.parent_ids = [each for each in tag.parent_ids if each != row.id]
        for child in children:
            child.parent_ids.append(row.id)


def changes_of(library: Library, row: Any, given: Input) -> dict[str, Any]:
    """Return the columns that the input changes, and to what."""
    changes = {
        _column(key): _value(library, row, key, value)
        for key, value in given.items()
        if key not in _NOT_COLUMNS
    }
    if hasattr(row, "urls"):
        changes |= with_legacy_urls(row, given)
    return changes


def write_changes(row: Any, changes: Input) -> None:
    for key, value in changes.items():
        setattr(row, key, value)
    row.updated_at = now()


def _column(key: str) -> str:
    return "groups" if key == "movies" else _PICTURES.get(key, key)


def _value(library: Library, row: Any, key: str, value: Any) -> Any:
    if key in _PICTURES:
        return None if value is None else _data_url(value)
    if key == "stash_ids":
        return _stash_ids(value or [])
    if key == "custom_fields":
        return _custom_fields(row.custom_fields, value)
    if key in ("groups", "movies"):
        return [_group(library, each) for each in value or ()]
    if isinstance(value, dict):
        values = value.get("ids", value.get("values")) or []
        value = _in_bulk(getattr(row, key), values, value["mode"])
    if key in _LINKS:
        for each in value if isinstance(value, list) else [value]:
            if each is not None:
                require_row(library, _LINKS[key], each)
    if value is None:
        return _empty_value(row, key)
    if key == "name":
        return value.strip()
    # Twice the same link would break a unique index.
    is_links = isinstance(value, list) and key != "alias_list"
    return list(dict.fromkeys(value)) if is_links else value


def _group(library: Library, given: Input) -> dict[str, Any]:
    group_id = given.get("group_id") or given["movie_id"]
    if group_id not in library.groups:
        raise GraphQLError("FOREIGN KEY constraint failed")
    return {"group_id": group_id, "scene_index": given.get("scene_index")}


def _empty_value(row: Any, key: str) -> Any:
    """Return what a row has that was never given any."""
    [column] = [each for each in dataclasses.fields(row) if each.name == key]
    if column.default_factory is not dataclasses.MISSING:
        return column.default_factory()
    return column.default


def _in_bulk(current: list[str], values: Sequence[str], mode: str) -> list[str]:
    if mode == "ADD":
        return [*current, *(v for v in values if v not in current)]
    if mode == "REMOVE":
        return [each for each in current if each not in values]
    return list(values)


def _stash_ids(given: Sequence[Input]) -> list[StashId]:
    unique = {(each["endpoint"], each["stash_id"]): each for each in given}
    return [
        StashId(endpoint, stash_id, each.get("updated_at") or now())
        for (endpoint, stash_id), each in unique.items()
    ]


def _custom_fields(current: dict[str, Any], given: Any) -> dict[str, Any]:
    if not given:
        return current
    if not {"full", "partial", "remove"} & given.keys():
        return dict(given)
    fields = dict(given["full"] or {}) if "full" in given else dict(current)
    fields |= given.get("partial") or {}
    for name in given.get("remove") or ():
        fields.pop(name, None)
    return fields


def _data_url(text: str) -> bytes:
    """Return the picture of a data URL; Stash would fetch any other address."""
    head, _, data = text.partition(",")
    if not (head.startswith("data:") and head.endswith(";base64")):
        raise GraphQLError("the stand-in takes pictures as base64 data URLs only")
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise GraphQLError(f"illegal base64 data: {error}") from error


# Names, of which a kind has each once; letter case is of no matter


def _refuse_names(library: Library, row: Row, changes: Input) -> None:
    """Refuse names that are taken, and a performer's alias that they have twice."""
    if "name" in changes and not changes["name"]:
        raise GraphQLError(f"{type(row).__name__.lower()} name must not be blank")
    if isinstance(row, Performer):
        if {"name", "disambiguation"} & changes.keys() and has_namesake(
            library, row, changes
        ):
            name, more = name_of(row, changes)
            also = f" and disambiguation '{more}'" if more else ""
            raise GraphQLError(f"performer with name '{name}'{also} already exists")
        if {"name", "alias_list"} & changes.keys():
            aliases = changes.get("alias_list", row.alias_list)
            _refuse_twice([changes.get("name", row.name), *aliases])
    elif isinstance(row, Tag | Studio):
        names = [changes["name"]] if "name" in changes else []
        for name in [*names, *changes.get("aliases", ())]:
            _refuse_taken_name(library, row, name)


def name_of(row: Performer, changes: Input) -> tuple[str, str]:
    """Return name and disambiguation as they would be."""
    name = changes.get("name", row.name)
    return name, changes.get("disambiguation", row.disambiguation) or ""


def has_namesake(library: Library, row: Performer, changes: Input) -> bool:
    """Return whether another performer is called just so."""
    name, more = name_of(row, changes)
    return any(
        other.name.lower() == name.lower() and (other.disambiguation or "") == more
        for other in library.performers.values()
        if other.id != row.id
    )


def _refuse_twice(names: Iterable[str]) -> None:
    seen = set()
    for name in names:
        if name.lower() in seen:
            raise GraphQLError(f"performer contains duplicate alias '{name}'")
        seen.add(name.lower())


def _refuse_taken_name(library: Library, row: Tag | Studio, name: str) -> None:
    kind = type(row).__name__.lower()
    rows: Mapping[str, Tag | Studio] = getattr(library, f"{kind}s")
    others = [each for each in rows.values() if each.id != row.id]
    if any(other.name.lower() == name.lower() for other in others):
        raise GraphQLError(f"{kind} with name '{name}' already exists")
    for other in others:
        if name.lower() in (alias.lower() for alias in other.aliases):
            raise GraphQLError(f"name '{name}' is used as alias for '{other.name}'")
