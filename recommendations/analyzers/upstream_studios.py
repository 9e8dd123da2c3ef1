"""Studios whose stash-box says something else than the library."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from recommendations.analyzers.base import Work
from recommendations.analyzers.upstream import UpstreamAnalyzer
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stash_library_types import StudioRow
from stashsense.integrations.stashbox import StashBoxClient
from stashsense.integrations.stashbox_types import BoxStudio, TargetType


class UpstreamStudios(UpstreamAnalyzer):
    """Names, addresses and the studio each belongs to."""

    type = "upstream_studio_changes"
    display_name = "Studios changed upstream"
    description = "Studios whose stash-box has another name, addresses or parent."
    entity_type = "studio"
    edited_type = TargetType.STUDIO

    def iter_local(
        self,
        library: StashLibrary,
        *,
        linked_to: str | None = None,
        updated_after: datetime | None = None,
    ) -> Iterator[StudioRow]:
        return library.iter_studio_rows(
            linked_to=linked_to, updated_after=updated_after
        )

    def find_local(self, library: StashLibrary, ids: Sequence[int]) -> list[StudioRow]:
        return library.find_studio_rows(ids)

    def find_upstream(
        self, client: StashBoxClient, ids: Sequence[str]
    ) -> Mapping[str, BoxStudio | None]:
        return client.find_studios(ids)

    def iter_changed(
        self, client: StashBoxClient, since: datetime | None
    ) -> Iterator[BoxStudio]:
        return client.iter_studios_changed(since)

    def comparable(
        self, rows: Sequence[StudioRow], work: Work, endpoint: str
    ) -> list[Any]:
        """Return the studios with their parents as the stash-box knows those."""
        wanted = {row.parent.id for row in rows if row.parent}
        library = StashLibrary(work.stash)
        parents = {row.id: row for row in library.find_studio_rows(sorted(wanted))}
        return [
            {
                "name": row.name,
                "urls": row.urls,
                "parent_studio": parents.get(row.parent.id) if row.parent else None,
            }
            for row in rows
        ]

    def own_details(self, row: StudioRow) -> dict[str, Any]:
        return {}
