"""Scenes whose stash-box says something else than the library."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from recommendations.analyzers.base import Work
from recommendations.analyzers.upstream import UpstreamAnalyzer
from recommendations.field_maps import read_entity
from recommendations.scene_diffing import Library as NamedLibrary
from recommendations.scene_diffing import NameIndex
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stash_library_types import (
    FullScene,
    NamedRow,
    PerformerName,
    SceneRow,
    StudioRow,
    TagRow,
)
from stashsense.integrations.stashbox import StashBoxClient
from stashsense.integrations.stashbox_types import BoxScene, TargetType

_Row = TypeVar("_Row", PerformerName, StudioRow, TagRow)


@dataclass(frozen=True)
class _Directory:
    """Everybody and everything that a scene may name, by id, with names and links."""

    performers: Mapping[int, PerformerName]
    studios: Mapping[int, StudioRow]
    tags: Mapping[int, TagRow]


class UpstreamScenes(UpstreamAnalyzer):
    """Titles, dates, details, addresses, studio, performers and tags."""

    type = "upstream_scene_changes"
    display_name = "Scenes changed upstream"
    description = "Scenes whose stash-box has other metadata, performers or tags."
    entity_type = "scene"
    edited_type = TargetType.SCENE

    def __init__(self) -> None:
        # Of the slice that asked last: a slice reads it once.
        self._read: tuple[Work, _Directory] | None = None

    def iter_local(
        self,
        library: StashLibrary,
        *,
        linked_to: str | None = None,
        updated_after: datetime | None = None,
    ) -> Iterator[SceneRow]:
        if linked_to is not None:
            return library.iter_scenes_linked_to(linked_to, updated_after=updated_after)
        return library.iter_scene_rows(updated_after=updated_after)

    def find_local(self, library: StashLibrary, ids: Sequence[int]) -> list[FullScene]:
        return library.find_full_scenes(ids)

    def find_upstream(
        self, client: StashBoxClient, ids: Sequence[str]
    ) -> Mapping[str, BoxScene | None]:
        return client.find_scenes(ids)

    def iter_changed(
        self, client: StashBoxClient, since: datetime | None
    ) -> Iterator[BoxScene]:
        return client.iter_scenes_changed(since)

    def name_of(self, row: FullScene) -> str:
        return row.title

    def comparable(
        self, rows: Sequence[FullScene], work: Work, endpoint: str
    ) -> list[Any]:
        """Return the scenes with all they name as the stash-box knows those."""
        known = self._directory(work)
        return [
            {
                "title": row.title,
                "date": row.date,
                "details": row.details,
                "director": row.director,
                "code": row.code,
                "urls": row.urls,
                "studio": _found(known.studios, row.studio),
                "performers": [_found(known.performers, one) for one in row.performers],
                "tags": [_found(known.tags, one) for one in row.tags],
            }
            for row in rows
        ]

    def named_library(self, work: Work, endpoint: str) -> NamedLibrary:
        known = self._directory(work)
        return NamedLibrary(
            studios=_index(known.studios.values(), endpoint),
            performers=_index(known.performers.values(), endpoint),
            tags=_index(known.tags.values(), endpoint),
        )

    def own_details(self, row: FullScene) -> dict[str, Any]:
        return {
            "current_studio_id": str(row.studio.id) if row.studio else None,
            "current_studio": _told(row.studio) if row.studio else None,
            "current_performer_ids": [str(one.id) for one in row.performers],
            "current_performers": [_told(one) for one in row.performers],
            "current_tag_ids": [str(one.id) for one in row.tags],
            "current_tags": [_told(one) for one in row.tags],
        }

    def _directory(self, work: Work) -> _Directory:
        if self._read is None or self._read[0] is not work:
            library = StashLibrary(work.stash)
            self._read = (
                work,
                _Directory(
                    performers=_by_id(library.iter_performer_names(), work),
                    studios=_by_id(library.iter_studio_rows(), work),
                    tags=_by_id(library.iter_tag_rows(), work),
                ),
            )
        return self._read[1]


def _by_id(rows: Iterable[_Row], work: Work) -> dict[int, _Row]:
    found = {}
    for row in rows:
        work.check()
        found[row.id] = row
    return found


def _found(known: Mapping[int, _Row], one: NamedRow | None) -> _Row | NamedRow | None:
    """Return all that is known of it; one that came meanwhile by its name alone."""
    return None if one is None else known.get(one.id, one)


def _index(rows: Iterable[_Row], endpoint: str) -> NameIndex:
    return NameIndex(read_entity(row, endpoint) for row in rows)


def _told(one: NamedRow) -> dict[str, Any]:
    return {"id": str(one.id), "name": one.name}
