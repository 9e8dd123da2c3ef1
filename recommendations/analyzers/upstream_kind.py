"""What the four analyses that follow stash-boxes differ in."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from recommendations.analyzers.base import (
    FREQUENT_HOURS,
    Analyzer,
    Resource,
    Target,
    Work,
)
from recommendations.scene_diffing import Library as NamedLibrary
from recommendations.snapshots import LinkedItem
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stash_types import StashBoxConnection
from stashsense.integrations.stashbox import StashBoxClient
from stashsense.integrations.stashbox_types import TargetType


@dataclass(frozen=True)
class Box:
    """A stash-box that is gone through, and those believed before it."""

    connection: StashBoxConnection
    client: StashBoxClient
    believed: frozenset[str] = frozenset()

    @property
    def endpoint(self) -> str:
        return self.connection.endpoint


class UpstreamKind(Analyzer):
    """Compares one kind of thing with every stash-box that it is linked to.

    logic_version: raised when the comparison changes, so that all is looked at anew.
    """

    resource = Resource.NETWORK
    default_interval_hours = 24
    allowed_hours = FREQUENT_HOURS
    is_incremental = True
    reopens_when_changed = True
    entity_type: ClassVar[str]
    edited_type: ClassVar[TargetType]
    logic_version: ClassVar[int] = 1

    @abstractmethod
    def iter_local(
        self,
        library: StashLibrary,
        *,
        linked_to: str | None = None,
        updated_after: datetime | None = None,
    ) -> Iterator[Any]:
        """Yield rows of the library, those of one stash-box if it is named."""

    @abstractmethod
    def find_local(self, library: StashLibrary, ids: Sequence[int]) -> list[Any]:
        """Return the rows as they are now."""

    @abstractmethod
    def find_upstream(
        self, client: StashBoxClient, ids: Sequence[str]
    ) -> Mapping[str, Any]:
        """Return what a stash-box has; without the ids that it failed to answer for."""

    @abstractmethod
    def iter_changed(
        self, client: StashBoxClient, since: datetime | None
    ) -> Iterator[Any]:
        """Yield what changed at a stash-box, the newest first."""

    @abstractmethod
    def own_details(self, row: Any) -> dict[str, Any]:
        """Return what only recommendations about this kind tell."""

    def name_of(self, row: Any) -> str:
        """Return what people call it."""
        return str(row.name)

    def comparable(self, rows: Sequence[Any], work: Work, endpoint: str) -> list[Any]:
        """Return the rows as the field maps read them."""
        return list(rows)

    def named_library(self, work: Work, endpoint: str) -> NamedLibrary:
        """Return whom the library knows by name alone."""
        return NamedLibrary()

    def target(self, local_id: int, endpoint: str) -> Target:
        return Target(self.entity_type, str(local_id), endpoint)


def linked(rows: Iterable[Any], endpoint: str) -> Iterator[LinkedItem]:
    """Yield the rows that have an id at the stash-box, with the first of several."""
    for row in rows:
        for stash_id in row.stash_ids:
            if stash_id.endpoint == endpoint:
                yield LinkedItem(row.id, stash_id.stash_id, row.updated_at)
                break
