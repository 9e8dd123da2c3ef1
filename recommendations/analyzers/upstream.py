"""The engine of the four analyses that follow stash-boxes.

At each stash-box it first looks what may have changed, here or there, and marks that in
snapshots; then it compares what is marked, some at a time. So it can be closed and
begun again at any moment, and what fails stays marked for the next run.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.utils import timezone

from recommendations import endpoints, findings
from recommendations.analyzers.base import (
    Finding,
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
    still_so,
)
from recommendations.analyzers.upstream_kind import Box, UpstreamKind, linked
from recommendations.analyzers.upstream_looking import Look
from recommendations.causes import cause_of
from recommendations.exceptions import AnalysisIncomplete
from recommendations.field_maps import read_upstream
from recommendations.field_switches import switched_off
from recommendations.models import Recommendation, UpstreamSnapshot
from recommendations.snapshots import Snapshots
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stash_types import StashBoxConnection
from stashsense.integrations.stashbox_connections import client_for
from stashsense.integrations.stashbox_errors import StashBoxError
from stashsense.turns import in_turn

logger = logging.getLogger(__name__)

Status = Recommendation.Status

# As many as one document asks a stash-box for.
_COMPARED_A_STEP = 40

_LOOKING, _COMPARING, _DONE = "look", "compare", "done"


@dataclass
class _Round:
    """What came of comparing some snapshots."""

    findings: list[Finding] = field(default_factory=list)
    cleared: list[Target] = field(default_factory=list)
    saved: list[UpstreamSnapshot] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    # By the rows' keys, as they were read.
    bases: dict[int, Any] = field(default_factory=dict)
    unanswered: int = 0


class UpstreamAnalyzer(UpstreamKind):
    """Compares one kind of thing with every stash-box that it is linked to."""

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
            yield from Look(self, work, box).steps()
            cursor = _cursor(box.endpoint, _COMPARING, problems=problems)
            yield Step(cursor=cursor)
        yield from self._compare(work, box, cursor)

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
        round_ = _Round(bases={row.pk: row.base for row in rows})
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
        links = {item.local_id: item for item in linked(found, box.endpoint)}
        kept = []
        for row in rows:
            link = links.get(row.local_id)
            target = self.target(row.local_id, box.endpoint)
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
                round_.cleared.append(self.target(one.id, box.endpoint))
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
        target = self.target(row.local_id, row.endpoint)
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
        links = (each for each in one.stash_ids if each.endpoint == row.endpoint)
        return {
            "endpoint": row.endpoint,
            "endpoint_name": next(links).universal_id.rpartition(":")[0],
            "stash_box_id": row.stash_box_id,
            f"{self.entity_type}_id": str(row.local_id),
            f"{self.entity_type}_name": self.name_of(one),
            "upstream_updated_at": _told_moment(row),
            **self.own_details(one),
        }

    def decided(self, row: Recommendation) -> None:
        """Remember that a difference is wanted, or that it is not any more.

        What was decided is what the newest run found, even if somebody had an older
        page before them; but nothing that was seen since and not proposed yet.
        """
        if not row.target_id.isdecimal():
            return
        kept = Snapshots(self.entity_type, row.endpoint)
        with in_turn():
            snapshot = kept.rows.filter(local_id=int(row.target_id)).first()
            if snapshot is None:
                return
            base, seen = dict(snapshot.base or {}), snapshot.seen or {}
            fields = decided_fields(row.details)
            if row.status == Status.PENDING:
                base = {name: base[name] for name in base if name not in fields}
                base |= previous_values(row.details)
            else:
                if _told_moment(snapshot) != row.details.get("upstream_updated_at"):
                    fields = still_so(self.entity_type, row.details, seen)
                base |= {name: seen[name] for name in fields if name in seen}
            snapshot.base, snapshot.is_due = base, True
            snapshot.save(update_fields=["base", "is_due"])


def _write(kept: Snapshots, round_: _Round) -> None:
    kept.save(round_.saved, round_.bases)
    kept.forget(round_.forgotten)


def _told_moment(row: UpstreamSnapshot) -> str | None:
    """Return how recommendations tell when the stash-box changed it."""
    updated_at = row.upstream_updated_at
    return updated_at.isoformat() if updated_at else None


def _cursor(endpoint: str, phase: str, **facts: Any) -> dict[str, Any]:
    return {"endpoint": endpoint, "phase": phase, **facts}
