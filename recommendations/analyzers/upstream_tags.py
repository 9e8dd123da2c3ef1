"""Tags whose stash-box says something else than the library; from Stash 0.30 on."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from recommendations.analyzers.upstream import UpstreamAnalyzer
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stash_library_types import TagRow
from stashsense.integrations.stashbox import StashBoxClient
from stashsense.integrations.stashbox_types import BoxTag, TargetType


class UpstreamTags(UpstreamAnalyzer):
    """Names, descriptions and aliases."""

    type = "upstream_tag_changes"
    display_name = "Tags changed upstream"
    description = "Tags whose stash-box has another name, description or aliases."
    entity_type = "tag"
    edited_type = TargetType.TAG

    def iter_local(
        self,
        library: StashLibrary,
        *,
        linked_to: str | None = None,
        updated_after: datetime | None = None,
    ) -> Iterator[TagRow]:
        return library.iter_tag_rows(linked_to=linked_to, updated_after=updated_after)

    def find_local(self, library: StashLibrary, ids: Sequence[int]) -> list[TagRow]:
        return library.find_tag_rows(ids)

    def find_upstream(
        self, client: StashBoxClient, ids: Sequence[str]
    ) -> Mapping[str, BoxTag | None]:
        return client.find_tags(ids)

    def iter_changed(
        self, client: StashBoxClient, since: datetime | None
    ) -> Iterator[BoxTag]:
        return client.iter_tags_changed(since)

    def own_details(self, row: TagRow) -> dict[str, Any]:
        return {}
