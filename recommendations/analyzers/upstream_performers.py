"""Performers whose stash-box says something else than the library."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from recommendations.analyzers.upstream import UpstreamAnalyzer
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stash_library_types import PerformerRow
from stashsense.integrations.stashbox import StashBoxClient
from stashsense.integrations.stashbox_types import BoxPerformer, TargetType


class UpstreamPerformers(UpstreamAnalyzer):
    """Names, dates, measurements and what else `field_maps` lists."""

    type = "upstream_performer_changes"
    display_name = "Performers changed upstream"
    description = "Performers whose stash-box has other metadata than the library."
    entity_type = "performer"
    edited_type = TargetType.PERFORMER

    def iter_local(
        self,
        library: StashLibrary,
        *,
        linked_to: str | None = None,
        updated_after: datetime | None = None,
    ) -> Iterator[PerformerRow]:
        return library.iter_performer_rows(
            linked_to=linked_to, updated_after=updated_after
        )

    def find_local(
        self, library: StashLibrary, ids: Sequence[int]
    ) -> list[PerformerRow]:
        return library.find_performer_rows(ids)

    def find_upstream(
        self, client: StashBoxClient, ids: Sequence[str]
    ) -> Mapping[str, BoxPerformer | None]:
        return client.find_performers(ids)

    def iter_changed(
        self, client: StashBoxClient, since: datetime | None
    ) -> Iterator[BoxPerformer]:
        return client.iter_performers_changed(since)

    def own_details(self, row: PerformerRow) -> dict[str, Any]:
        return {
            "performer_image_path": row.image_url,
            "performer_disambiguation": row.disambiguation,
        }
