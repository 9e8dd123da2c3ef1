"""The engine of the four analyses that follow stash-boxes.

At each stash-box it first looks what may have changed, here or there, and marks that in
snapshots; then it compares what is marked, some at a time. So it can be closed and
begun again at any moment, and what fails stays marked for the next run.
"""

import logging
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, ClassVar, TypeVar

from django.utils import timezone

from recommendations import endpoints, findings, snapshots
from recommendations.analyzers.base import (
    FREQUENT_HOURS,
    Analyzer,
    Finding,
    Resource,
    Step,
    Steps,
    Target,
    Work,
)
from recommendations.analyzers.upstream_comparison import (
    Comparison,
    Rules,
    compare,
    decided_fields,
    previous_values,
)
from recommendations.causes import cause_of
from recommendations.exceptions import AnalysisIncomplete
from recommendations.field_maps import read_upstream
from recommendations.field_switches import switched_off
from recommendations.models import HighWaterMark, Recommendation, UpstreamSnapshot
from recommendations.scene_diffing import Library as NamedLibrary
from recommendations.snapshots import LinkedItem, Snapshots
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stash_types import StashBoxConnection
from stashsense.integrations.stashbox import StashBoxClient
from stashsense.integrations.stashbox_connections import client_for
from stashsense.integrations.stashbox_errors import StashBoxError
from stashsense.integrations.stashbox_types import EditOperation, TargetType

logger = logging.getLogger(__name__)

Status = Recommendation.Status

# Of rows that are marked in one transaction.
_LOOKED_A_STEP = 500
# As many as one document asks a stash-box for.
_COMPARED_A_STEP = 40

_LOOKING, _COMPARING, _DONE = "look", "compare", "done"
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Box:
    """A stash-box that is gone through, and those believed before it."""

    connection: StashBoxConnection
    client: StashBoxClient
    believed: frozenset[str] = frozenset()

    @property
    def endpoint(self) -> str:
        return self.connection.endpoint


@dataclass
class _Round:
    """What came of comparing some snapshots."""

    findings: list[Finding] = field(default_factory=list)
    cleared: list[Target] = field(default_factory=list)
    saved: list[UpstreamSnapshot] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    unanswered: int = 0


class UpstreamAnalyzer(Analyzer):
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

    # What differs from kind to kind

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

    # The way through

    def analyze(self, work: Work) -> Steps:
        """Go through the stash-boxes, one after the other, from the cursor on."""
        problems = [str(each) for each in work.cursor.get("problems", ())]
        reached = work.cursor.get("endpoint")
        order = endpoints.ordered_endpoints()
        if reached not in [each.endpoint for each in order]:
            reached = None
        believed: list[str] = []
        for connection in order:
            endpoint = connection.endpoint
            is_current = reached == endpoint
            if reached is None or is_current:
                cursor = {**work.cursor} if is_current else {}
                reached = None
                try:
                    yield from self._at(work, connection, believed, cursor, problems)
                except StashBoxError as error:
                    logger.warning("%s at %s: %s", self.type, endpoint, error)
                    problems.append(str(error))
                    cursor = _cursor(endpoint, _DONE, problems=problems)
                    yield Step(cursor=cursor, note=" ".join(problems))
            believed.append(endpoint)
        # Tried again, a run looks at everything that is still marked.
        yield Step(cursor={})
        if problems:
            raise AnalysisIncomplete(" ".join(problems))

    def _at(
        self,
        work: Work,
        connection: StashBoxConnection,
        believed: Sequence[str],
        cursor: Mapping[str, Any],
        problems: Sequence[str],
    ) -> Steps:
        phase = cursor.get("phase", _LOOKING)
        if phase == _DONE:
            return
        box = Box(
            connection,
            client_for(connection.endpoint).stopped_by(work.check),
            frozenset(believed if endpoints.has_priorities() else ()),
        )
        if phase == _LOOKING:
            yield from self._look(work, box)
            cursor = _cursor(box.endpoint, _COMPARING, problems=problems)
            yield Step(cursor=cursor)
        yield from self._compare(work, box, cursor)

    # Looking what may have changed

    def _look(self, work: Work, box: Box) -> Steps:
        kept = Snapshots(self.entity_type, box.endpoint)
        mark = snapshots.find_mark(
            self.type, box.endpoint, logic_version=self.logic_version
        )
        library = StashLibrary(work.stash)
        if work.is_full or mark is None or mark.reached_at is None:
            newest = next(self.iter_changed(box.client, None), None)
            reached_at = newest.updated if newest else work.began_at
            looked = yield from self._look_at_all(library, kept, work)
        else:
            looked = yield from self._look_at_edited(library, kept, mark, work)
            reached_at = yield from self._look_upstream(box, kept, mark, work)
        told = looked.isoformat() if looked else mark and mark.facts.get("local")
        yield Step(
            write=partial(
                snapshots.set_mark,
                self.type,
                box.endpoint,
                logic_version=self.logic_version,
                reached_at=reached_at,
                facts={"local": told},
            )
        )

    def _look_at_all(self, library: StashLibrary, kept: Snapshots, work: Work) -> Any:
        """Mark everything that is linked; returns when the newest was changed."""
        newest: datetime | None = None
        gone = kept.known_ids()
        rows = self.iter_local(library, linked_to=kept.endpoint)
        for chunk in _chunks(rows, _LOOKED_A_STEP, work.check):
            items = [*_linked(chunk, kept.endpoint)]
            gone -= {item.local_id for item in items}
            newest = max([*filter(None, [newest]), *(row.updated_at for row in chunk)])
            yield Step(write=partial(kept.expect, items, is_fetching=True))
        yield self._forgetting(kept, gone)
        return newest

    def _look_at_edited(
        self, library: StashLibrary, kept: Snapshots, mark: HighWaterMark, work: Work
    ) -> Any:
        """Mark what was edited or linked in the library since the mark."""
        newest: datetime | None = None
        rows = self.iter_local(library, updated_after=_local_mark(mark))
        for chunk in _chunks(rows, _LOOKED_A_STEP, work.check):
            items = [*_linked(chunk, kept.endpoint)]
            unlinked = {row.id for row in chunk} - {item.local_id for item in items}
            newest = max([*filter(None, [newest]), *(row.updated_at for row in chunk)])
            yield Step(write=partial(kept.expect, items, is_fetching=False))
            yield self._forgetting(kept, unlinked)
        return newest

    def _look_upstream(
        self, box: Box, kept: Snapshots, mark: HighWaterMark, work: Work
    ) -> Any:
        """Mark what was changed, merged or deleted upstream since the mark."""
        reached_at = mark.reached_at
        assert reached_at is not None
        since = reached_at
        changed = self.iter_changed(box.client, since)
        for chunk in _chunks(changed, _LOOKED_A_STEP, work.check):
            reached_at = max(reached_at, *(item.updated for item in chunk))
            seen = {
                item.id: (read_upstream(self.entity_type, item), item.updated)
                for item in chunk
            }
            yield Step(write=partial(kept.see, seen))
        for edit in box.client.iter_edits_applied(since, self.edited_type):
            work.check()
            if edit.operation is EditOperation.MERGE:
                lost = dict.fromkeys(edit.merged_source_ids, edit.target_id)
            else:
                lost = {edit.target_id: ""}
            yield Step(write=partial(kept.lose, lost))
        return reached_at

    def _forgetting(self, kept: Snapshots, local_ids: Iterable[int]) -> Step:
        """Return a step that drops what is no longer linked to the stash-box."""
        gone = sorted(local_ids)
        return Step(
            cleared=[self._target(local_id, kept.endpoint) for local_id in gone],
            write=partial(kept.forget, gone),
        )

    # Comparing

    def _compare(self, work: Work, box: Box, cursor: Mapping[str, Any]) -> Steps:
        kept = Snapshots(self.entity_type, box.endpoint)
        after, done = int(cursor.get("after", 0)), int(cursor.get("done", 0))
        problems = list(cursor.get("problems", ()))
        total = done + kept.due().filter(pk__gt=after).count()
        off = switched_off(box.endpoint, self.entity_type)
        rules: Rules | None = None
        unanswered = int(cursor.get("unanswered", 0))
        while rows := [*kept.due().filter(pk__gt=after)[:_COMPARED_A_STEP]]:
            work.check()
            if rules is None:
                library = self.named_library(work, box.endpoint)
                rules = Rules(self.entity_type, box.endpoint, off, library)
            round_ = self._round(work, box, rows, rules)
            after, done = rows[-1].pk, done + len(rows)
            unanswered += round_.unanswered
            yield Step(
                findings=round_.findings,
                cleared=round_.cleared,
                cursor=_cursor(
                    box.endpoint,
                    _COMPARING,
                    problems=problems,
                    after=after,
                    done=done,
                    unanswered=unanswered,
                ),
                done_count=done,
                total_count=total,
                write=partial(_write, kept, round_),
            )
        if unanswered:
            raise StashBoxError(
                f"{box.client.name} did not answer for {unanswered} of what was asked; "
                "they are asked for again next time."
            )

    def _round(
        self, work: Work, box: Box, rows: Sequence[UpstreamSnapshot], rules: Rules
    ) -> _Round:
        round_ = _Round()
        never = findings.dismissed_for_good(self.type, self.entity_type, box.endpoint)
        wanted = []
        for row in rows:
            if str(row.local_id) in never:
                # Asked for when somebody takes that back.
                row.is_due = False
                round_.saved.append(row)
            else:
                wanted.append(row)
        local = self._local(work, box, wanted, round_)
        wanted = [row for row in wanted if row.local_id in local]
        self._fetch(box, wanted, round_)
        for row in wanted:
            if not row.is_to_be_fetched:
                self._settle(row, *local[row.local_id], rules, round_)
        return round_

    def _local(
        self,
        work: Work,
        box: Box,
        rows: Sequence[UpstreamSnapshot],
        round_: _Round,
    ) -> dict[int, tuple[Any, Any]]:
        """Return what is to be compared: each thing's row, and as the maps read it."""
        if not rows:
            return {}
        library = StashLibrary(work.stash)
        found = self.find_local(library, [row.local_id for row in rows])
        links = {item.local_id: item for item in _linked(found, box.endpoint)}
        kept = []
        for row in rows:
            link = links.get(row.local_id)
            target = self._target(row.local_id, box.endpoint)
            if link is None or link.stash_box_id != row.stash_box_id:
                round_.forgotten.append(row.local_id)
                round_.cleared.append(target)
        for one in found:
            link = links.get(one.id)
            if link is None or one.id in round_.forgotten:
                continue
            if box.believed & {each.endpoint for each in one.stash_ids}:
                # Another stash-box, which is believed first, says what it is.
                round_.forgotten.append(one.id)
                round_.cleared.append(self._target(one.id, box.endpoint))
                continue
            kept.append(one)
        comparable = self.comparable(kept, work, box.endpoint)
        return {one.id: (one, read) for one, read in zip(kept, comparable, strict=True)}

    def _fetch(
        self, box: Box, rows: Sequence[UpstreamSnapshot], round_: _Round
    ) -> None:
        """Ask the stash-box for what is not known well enough."""
        asked = [row for row in rows if row.is_to_be_fetched]
        if not asked:
            return
        ids = [*dict.fromkeys(row.stash_box_id for row in asked)]
        answers = self.find_upstream(box.client, ids)
        now = timezone.now()
        for row in asked:
            if row.stash_box_id not in answers:
                round_.unanswered += 1
                continue
            item = answers[row.stash_box_id]
            row.is_to_be_fetched, row.fetched_at = False, now
            row.is_gone = item is None or item.deleted
            row.merged_into_id = getattr(item, "merged_into_id", None) or ""
            if item is not None:
                row.seen = read_upstream(self.entity_type, item)
                row.upstream_updated_at = item.updated

    def _settle(
        self,
        row: UpstreamSnapshot,
        one: Any,
        comparable: Any,
        rules: Rules,
        round_: _Round,
    ) -> None:
        """Find what differs, and remember what was compared."""
        row.is_due = False
        round_.saved.append(row)
        target = self._target(row.local_id, row.endpoint)
        if row.is_gone:
            round_.findings.append(self._gone(row, one, target))
            return
        comparison = compare(comparable, row.seen or {}, row.base, rules)
        row.base = comparison.base
        if comparison.is_change:
            round_.findings.append(self._changed(row, one, target, comparison))
        else:
            round_.cleared.append(target)

    def _changed(
        self,
        row: UpstreamSnapshot,
        one: Any,
        target: Target,
        comparison: Comparison,
    ) -> Finding:
        return Finding(
            target=target,
            details={**self._about(row, one), **comparison.details()},
            cause=comparison.cause(row.stash_box_id),
        )

    def _gone(self, row: UpstreamSnapshot, one: Any, target: Target) -> Finding:
        """Return that it was merged or deleted upstream: the link leads nowhere."""
        merged_into = row.merged_into_id or None
        return Finding(
            target=target,
            details={
                **self._about(row, one),
                "changes": [],
                "is_gone_upstream": True,
                "merged_into_id": merged_into,
            },
            cause=cause_of("gone", row.stash_box_id, merged_into),
        )

    def _about(self, row: UpstreamSnapshot, one: Any) -> dict[str, Any]:
        updated_at = row.upstream_updated_at
        links = (each for each in one.stash_ids if each.endpoint == row.endpoint)
        return {
            "endpoint": row.endpoint,
            "endpoint_name": next(links).universal_id.rpartition(":")[0],
            "stash_box_id": row.stash_box_id,
            f"{self.entity_type}_id": str(row.local_id),
            f"{self.entity_type}_name": self.name_of(one),
            "upstream_updated_at": updated_at.isoformat() if updated_at else None,
            **self.own_details(one),
        }

    def _target(self, local_id: int, endpoint: str) -> Target:
        return Target(self.entity_type, str(local_id), endpoint)

    def decided(self, row: Recommendation) -> None:
        """Remember that a difference is wanted, or that it is not any more.

        What was decided is what the newest run found, even if somebody had an older
        page before them.
        """
        if not row.target_id.isdecimal():
            return
        kept = Snapshots(self.entity_type, row.endpoint)
        snapshot = kept.rows.filter(local_id=int(row.target_id)).first()
        if snapshot is None:
            return
        base, seen = dict(snapshot.base or {}), snapshot.seen or {}
        fields = decided_fields(row.details)
        if row.status == Status.PENDING:
            base = {name: value for name, value in base.items() if name not in fields}
            base |= previous_values(row.details)
        else:
            base |= {name: seen[name] for name in fields if name in seen}
        snapshot.base, snapshot.is_due = base, True
        snapshot.save(update_fields=["base", "is_due"])


def _write(kept: Snapshots, round_: _Round) -> None:
    kept.save(round_.saved)
    kept.forget(round_.forgotten)


def _linked(rows: Iterable[Any], endpoint: str) -> Iterator[LinkedItem]:
    """Yield the rows that have an id at the stash-box, with the first of several."""
    for row in rows:
        for stash_id in row.stash_ids:
            if stash_id.endpoint == endpoint:
                yield LinkedItem(row.id, stash_id.stash_id, row.updated_at)
                break


def _chunks(
    items: Iterator[_Item], size: int, check: Callable[[], None]
) -> Iterator[list[_Item]]:
    while chunk := [*islice(items, size)]:
        check()
        yield chunk


def _cursor(endpoint: str, phase: str, **facts: Any) -> dict[str, Any]:
    return {"endpoint": endpoint, "phase": phase, **facts}


def _local_mark(mark: HighWaterMark) -> datetime | None:
    """Return from when on edits of the library were not looked at.

    Stash has no fractions of seconds: what is edited twice in one may have been seen
    in between.
    """
    told = mark.facts.get("local")
    return datetime.fromisoformat(told) - timedelta(seconds=1) if told else None
