"""What is remembered of stash-boxes: the rows of snapshots and of high-water marks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from recommendations.models import HighWaterMark, UpstreamSnapshot

# A query has so many places for values with every SQLite that Django supports.
CHUNK = 200


@dataclass(frozen=True)
class LinkedItem:
    """Something of the library that is linked to a stash-box."""

    local_id: int
    stash_box_id: str
    updated_at: datetime


@dataclass(frozen=True)
class Snapshots:
    """The snapshots of one kind of thing at one stash-box."""

    entity_type: str
    endpoint: str

    @property
    def rows(self) -> Any:
        return UpstreamSnapshot.objects.filter(
            entity_type=self.entity_type, endpoint=self.endpoint
        )

    def due(self) -> Any:
        """Return those to be compared, the oldest first."""
        return self.rows.filter(is_due=True).order_by("pk")

    def expect(self, items: Sequence[LinkedItem], *, is_fetching: bool) -> None:
        """Have these compared; asked for too if new, linked anew or if that is wanted.

        What was agreed with another id says nothing of this one.
        """
        known = {
            row.local_id: row
            for chunk in _chunks([item.local_id for item in items])
            for row in self.rows.filter(local_id__in=chunk)
        }
        created, changed = [], []
        for item in items:
            row = known.get(item.local_id)
            if row is None:
                row = UpstreamSnapshot(
                    entity_type=self.entity_type,
                    endpoint=self.endpoint,
                    local_id=item.local_id,
                    stash_box_id=item.stash_box_id,
                )
                created.append(row)
            else:
                changed.append(row)
            is_other = row.stash_box_id != item.stash_box_id
            if is_other:
                row.stash_box_id = item.stash_box_id
                row.seen = row.base = None
                row.is_gone, row.merged_into_id = False, ""
            row.is_due = True
            row.is_to_be_fetched |= is_fetching or is_other or row.seen is None
            row.local_updated_at = item.updated_at
        UpstreamSnapshot.objects.bulk_create(created, batch_size=CHUNK)
        UpstreamSnapshot.objects.bulk_update(changed, _EXPECTED, batch_size=CHUNK)

    def expect_all(self) -> None:
        """Have everything asked for and compared again."""
        self.rows.update(is_due=True, is_to_be_fetched=True)

    def compare_again(self, local_ids: Iterable[int]) -> None:
        """Have these compared with what is known; they are asked for no more."""
        for chunk in _chunks(sorted(local_ids)):
            self.rows.filter(local_id__in=chunk).update(is_due=True)

    def see(self, items: Mapping[str, tuple[dict[str, Any], datetime]]) -> None:
        """Keep what the box says now of those that the library has, by its ids."""
        rows = self._by_box_ids(items)
        for row in rows:
            row.seen, row.upstream_updated_at = items[row.stash_box_id]
            row.is_gone, row.merged_into_id = False, ""
            row.is_due, row.is_to_be_fetched = True, False
        UpstreamSnapshot.objects.bulk_update(rows, _SEEN, batch_size=CHUNK)

    def lose(self, merged_into: Mapping[str, str]) -> None:
        """Keep that these ids are gone upstream, and what they were merged into."""
        rows = self._by_box_ids(merged_into)
        for row in rows:
            row.is_gone, row.merged_into_id = True, merged_into[row.stash_box_id]
            row.is_due, row.is_to_be_fetched = True, False
        UpstreamSnapshot.objects.bulk_update(rows, _SEEN, batch_size=CHUNK)

    def forget(self, local_ids: Iterable[int]) -> None:
        """Drop what is remembered of things that are no longer linked."""
        for chunk in _chunks([*local_ids]):
            self.rows.filter(local_id__in=chunk).delete()

    def known_ids(self) -> set[int]:
        """Return the ids in Stash of all."""
        return set(self.rows.values_list("local_id", flat=True))

    def save(
        self, rows: Sequence[UpstreamSnapshot], bases: Mapping[int, object]
    ) -> None:
        """Write what comparing made of rows, by their keys; not their links.

        Left out are those of another base than they were compared by: somebody decided
        meanwhile, and they are due still.
        """
        kept: dict[int, object] = {}
        for chunk in _chunks([row.pk for row in rows]):
            kept |= self.rows.filter(pk__in=chunk).values_list("pk", "base")
        same = [row for row in rows if kept.get(row.pk, row) == bases.get(row.pk)]
        UpstreamSnapshot.objects.bulk_update(same, _COMPARED, batch_size=CHUNK)

    def _by_box_ids(self, ids: Iterable[str]) -> list[UpstreamSnapshot]:
        return [
            row
            for chunk in _chunks([*ids])
            for row in self.rows.filter(stash_box_id__in=chunk)
        ]


_SEEN = [
    "seen",
    "upstream_updated_at",
    "is_gone",
    "merged_into_id",
    "is_due",
    "is_to_be_fetched",
]
_EXPECTED = [*_SEEN, "stash_box_id", "base", "local_updated_at"]
_COMPARED = [*_SEEN, "base", "fetched_at"]


def find_mark(type: str, endpoint: str, *, logic_version: int) -> HighWaterMark | None:
    """Return how far an analysis has come there; None where it begins anew."""
    return HighWaterMark.objects.filter(
        Q(reached_at__isnull=False),
        type=type,
        endpoint=endpoint,
        logic_version=logic_version,
    ).first()


def set_mark(
    type: str,
    endpoint: str,
    *,
    logic_version: int,
    reached_at: datetime,
    facts: Mapping[str, Any],
) -> None:
    """Keep how far an analysis has come there."""
    HighWaterMark.objects.update_or_create(
        type=type,
        endpoint=endpoint,
        defaults={
            "logic_version": logic_version,
            "reached_at": reached_at,
            "facts": dict(facts),
        },
    )


def _chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))
