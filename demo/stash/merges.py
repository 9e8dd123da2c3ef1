"""Merging and removing rows: what moves to the destination, and what is lost."""

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import GraphQLError

from demo.stash.exchange import Info
from demo.stash.inputs import (
    Input,
    apply_input,
    changes_of,
    has_namesake,
    require_row,
    write_changes,
)
from demo.stash.library import Library, Performer, Row, Scene, Tag
from demo.stash.urls import LEGACY


def destroy_row(library: Library, kind: str, row: Row) -> None:
    """Remove the row and every link to it."""
    del getattr(library, kind)[row.id]
    for each in _tagged_rows(library):
        ids = getattr(each, f"{_SINGULAR[kind]}_ids", None)
        if ids is not None and row.id in ids:
            ids.remove(row.id)


def performer_merge(_root: None, info: Info, input: Input) -> Performer:
    """Move links and tags; stash ids, aliases, urls and the picture are lost.

    The values are written first, and are not looked at but by the database: a name that
    a source still has breaks its index.
    """
    library = info.context.library
    destination, sources = _rows_of(library, "performers", input)
    values = input.get("values") or {}
    if any(field in values for field in LEGACY):
        raise GraphQLError("Merging legacy performer URLs is not supported")
    changes = changes_of(library, destination, values)
    if has_namesake(library, destination, changes):
        raise GraphQLError(
            "updating performer: UNIQUE constraint failed: performers.name"
        )
    write_changes(destination, changes)
    _relink(library, "performer_ids", sources, destination)
    for source in sources:
        destination.tag_ids += [
            each for each in source.tag_ids if each not in destination.tag_ids
        ]
        destroy_row(library, "performers", source)
    assert isinstance(destination, Performer), destination
    return destination


def scene_merge(_root: None, info: Info, input: Input) -> Scene:
    """Move files and markers, histories if asked; the rest is lost but for `values`."""
    library = info.context.library
    destination, sources = _rows_of(library, "scenes", input)
    apply_input(library, destination, input.get("values") or {})
    for source in sources:
        destination.file_ids += source.file_ids
        destination.markers += source.markers
        for name in ("play_history", "o_history"):
            if input.get(name):
                times = [*getattr(destination, name), *getattr(source, name)]
                setattr(destination, name, sorted(times))
        destroy_row(library, "scenes", source)
    assert isinstance(destination, Scene), destination
    return destination


def tags_merge(_root: None, info: Info, input: Input) -> Tag:
    """Move links; the sources' names become aliases."""
    library = info.context.library
    destination, sources = _rows_of(library, "tags", input)
    _relink(library, "tag_ids", sources, destination)
    for source in sources:
        destination.aliases += [source.name, *source.aliases]
        destroy_row(library, "tags", source)
    apply_input(library, destination, input.get("values") or {})
    assert isinstance(destination, Tag), destination
    return destination


_SINGULAR = {
    "scenes": "scene",
    "images": "image",
    "galleries": "gallery",
    "performers": "performer",
    "tags": "tag",
    "studios": "studio",
}


def _tagged_rows(library: Library) -> list[Any]:
    return [
        *library.scenes.values(),
        *library.images.values(),
        *library.galleries.values(),
        *library.performers.values(),
    ]


def _rows_of(
    library: Library, kind: str, input: Mapping[str, Any]
) -> tuple[Any, list[Any]]:
    """Return destination and sources, which have to be others."""
    singular = _SINGULAR[kind]
    source_ids = list(dict.fromkeys(input["source"]))
    if input["destination"] in source_ids:
        raise GraphQLError(f"destination {singular} cannot be in source list")
    destination = require_row(library, kind, input["destination"])
    return destination, [require_row(library, kind, each) for each in source_ids]


def _relink(library: Library, key: str, sources: Sequence[Row], to: Row) -> None:
    """Put what names a source to the destination instead."""
    gone = {source.id for source in sources}
    for row in _tagged_rows(library):
        ids = getattr(row, key, [])
        if gone.intersection(ids):
            moved = [to.id if each in gone else each for each in ids]
            setattr(row, key, list(dict.fromkeys(moved)))
