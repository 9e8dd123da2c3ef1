"""Looking what may have changed, here or there, and marking it in snapshots."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from recommendations import marks, snapshots
from recommendations.analyzers.base import Step, Steps, Work
from recommendations.analyzers.upstream_kind import Box, UpstreamKind, linked
from recommendations.field_maps import read_upstream
from recommendations.models import HighWaterMark, Recommendation
from recommendations.snapshots import Snapshots
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stashbox_types import EditOperation

# Of rows that are marked in one transaction.
_LOOKED_A_STEP = 500
# What a page of changes has, and what one document asks for: where the pages since the
# last time are more than the documents for all that is linked, the latter are fewer.
_PAGE_ITEMS, _DOCUMENT_ITEMS = 100, 40
_LEAST_PAGES = 10
# What was changed may be seen so much later than it says: a stash-box writes the moment
# down first, and lets others see what it wrote at the end of the transaction.
_LATE = timedelta(minutes=1)

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Look:
    """Looks for one kind of thing at one stash-box; `steps` is all there is to it."""

    kind: UpstreamKind
    work: Work
    box: Box

    def steps(self) -> Steps:
        """Yield steps that mark what is to be compared, and then how far that is."""
        kind, endpoint = self.kind, self.box.endpoint
        mark = snapshots.find_mark(
            kind.type, endpoint, logic_version=kind.logic_version
        )
        believed = sorted(self.box.believed)
        # What a box that was believed first had said is this one's to say now, or the
        # other way round: what was passed over then is known of nowhere.
        if mark is not None and mark.facts.get("believed", []) != believed:
            mark = None
        if self.work.is_full or mark is None or mark.reached_at is None:
            newest = next(kind.iter_changed(self.box.client, None), None)
            reached_at = newest.updated if newest else self.work.began_at
            looked = yield from self._at_all()
        else:
            yield self._again()
            looked = yield from self._at_edited(mark)
            reached_at = yield from self._at_changed(mark.reached_at)
        told = mark and mark.facts.get("local")
        if looked:
            told = marks.as_text(marks.overlapping(looked, self.work.began_at))
        yield Step(
            write=partial(
                snapshots.set_mark,
                kind.type,
                endpoint,
                logic_version=kind.logic_version,
                reached_at=reached_at,
                facts={"local": told, "believed": believed},
            )
        )

    @property
    def _kept(self) -> Snapshots:
        return Snapshots(self.kind.entity_type, self.box.endpoint)

    def _at_all(self) -> Any:
        """Mark everything that is linked; returns when the newest was changed."""
        newest: datetime | None = None
        gone = self._kept.known_ids() | self._waiting()
        rows = self.kind.iter_local(self._library, linked_to=self.box.endpoint)
        for chunk in _chunks(rows, self.work.check):
            items = [*linked(chunk, self.box.endpoint)]
            gone -= {item.local_id for item in items}
            newest = _newest(newest, chunk)
            yield Step(write=partial(self._kept.expect, items, is_fetching=True))
        yield self._forgetting(gone)
        return newest

    def _again(self) -> Step:
        """Mark what waits for somebody: it may be gone from the library, or settled."""
        waiting = self._waiting()
        lost = waiting - self._kept.known_ids()
        forgetting = self._forgetting(lost)
        return replace(
            forgetting, write=partial(self._kept.compare_again, waiting - lost)
        )

    def _waiting(self) -> set[int]:
        """Return the ids in Stash of what pending recommendations are about."""
        rows = Recommendation.objects.pending().filter(
            type=self.kind.type, endpoint=self.box.endpoint
        )
        ids = rows.values_list("target_id", flat=True)
        return {int(each) for each in ids if each.isdecimal()}

    def _at_edited(self, mark: HighWaterMark) -> Any:
        """Mark what was edited or linked in the library since the mark."""
        newest: datetime | None = None
        rows = self.kind.iter_local(self._library, updated_after=_local_mark(mark))
        for chunk in _chunks(rows, self.work.check):
            items = [*linked(chunk, self.box.endpoint)]
            unlinked = {row.id for row in chunk} - {item.local_id for item in items}
            newest = _newest(newest, chunk)
            yield Step(write=partial(self._kept.expect, items, is_fetching=False))
            yield self._forgetting(unlinked)
        return newest

    def _at_changed(self, since: datetime) -> Any:
        """Mark what was changed, merged or deleted upstream; returns up to when."""
        reached_at, client = since, self.box.client
        pages = self._kept.rows.count() // _DOCUMENT_ITEMS
        items_left = max(pages, _LEAST_PAGES) * _PAGE_ITEMS
        asked_since = since - _LATE
        changed = self.kind.iter_changed(client, asked_since)
        for chunk in _chunks(changed, self.work.check):
            reached_at = max(reached_at, *(item.updated for item in chunk))
            items_left -= len(chunk)
            if items_left < 0:
                yield Step(write=self._kept.expect_all)
                break
            seen = {
                item.id: (read_upstream(self.kind.entity_type, item), item.updated)
                for item in chunk
            }
            yield Step(write=partial(self._kept.see, seen))
        for edit in client.iter_edits_applied(asked_since, self.kind.edited_type):
            self.work.check()
            if edit.operation is EditOperation.MERGE:
                lost = dict.fromkeys(edit.merged_source_ids, edit.target_id)
            else:
                lost = {edit.target_id: ""}
            yield Step(write=partial(self._kept.lose, lost))
        return reached_at

    def _forgetting(self, local_ids: Iterable[int]) -> Step:
        """Return a step that drops what is no longer linked to the stash-box."""
        gone = sorted(local_ids)
        endpoint = self.box.endpoint
        return Step(
            cleared=[self.kind.target(local_id, endpoint) for local_id in gone],
            write=partial(self._kept.forget, gone),
        )

    @property
    def _library(self) -> StashLibrary:
        return StashLibrary(self.work.stash)


def _newest(known: datetime | None, rows: Iterable[Any]) -> datetime | None:
    for row in rows:
        known = max(known or row.updated_at, row.updated_at)
    return known


def _chunks(items: Iterator[_Item], check: Callable[[], None]) -> Iterator[list[_Item]]:
    while chunk := [*islice(items, _LOOKED_A_STEP)]:
        check()
        yield chunk


def _local_mark(mark: HighWaterMark) -> datetime | None:
    """Return from when on edits of the library were not looked at.

    Stash has no fractions of seconds: what is edited twice in one may have been seen
    in between.
    """
    told = marks.as_moment(mark.facts.get("local"))
    return told - timedelta(seconds=1) if told else None
