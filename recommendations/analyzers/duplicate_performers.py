"""Performers of the library who are one at a stash-box: they share an id there."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from recommendations.analyzers.base import (
    EVERYWHERE,
    Analyzer,
    Finding,
    Step,
    Steps,
    Target,
    Work,
)
from recommendations.causes import cause_of
from stashsense.integrations.stash_library import StashLibrary
from stashsense.integrations.stash_library_types import PerformerRow
from stashsense.integrations.stash_types import StashId

# Groups whose performers are asked for at once.
_GROUPS_A_STEP = 50


class DuplicatePerformers(Analyzer):
    """Groups who share an id at a stash-box.

    A recommendation is about the group's oldest performer, whoever is the one to keep:
    that one may change from day to day.
    """

    type = "duplicate_performer"
    display_name = "Duplicate performers"
    description = "Performers who have the same id at a stash-box."

    def analyze(self, work: Work) -> Steps:
        """Look at every performer; then yield the groups, some a step."""
        library = StashLibrary(work.stash)
        groups = _groups(library, work)
        yield Step(done_count=0, total_count=len(groups))
        targets = _targets(groups)
        for start in range(0, len(targets), _GROUPS_A_STEP):
            work.check()
            chunk = targets[start : start + _GROUPS_A_STEP]
            wanted = sorted({member for *_, members in chunk for member in members})
            rows = {row.id: row for row in library.find_performer_rows(wanted)}
            yield Step(
                findings=[*_findings(chunk, rows)],
                done_count=start + len(chunk),
            )
        yield Step(sweeps=[EVERYWHERE])


_Group = tuple[int, StashId, tuple[int, ...]]


def _groups(library: StashLibrary, work: Work) -> dict[StashId, tuple[int, ...]]:
    """Return who has each id that more than one has, by ascending id."""
    owners: defaultdict[StashId, list[int]] = defaultdict(list)
    for performer in library.iter_performer_names():
        work.check()
        for each in performer.stash_ids:
            owners[each].append(performer.id)
    return {
        stash_id: tuple(sorted({*ids}))
        for stash_id, ids in owners.items()
        if len({*ids}) > 1
    }


def _targets(groups: Mapping[StashId, tuple[int, ...]]) -> list[_Group]:
    """Return each group with the performer it is named by, an own one at each box.

    Somebody with two ids at one stash-box may be the oldest of two groups.
    """
    taken: set[tuple[str, int]] = set()
    named = []
    for stash_id in sorted(groups, key=lambda each: (each.endpoint, each.stash_id)):
        members = groups[stash_id]
        free = (each for each in members if (stash_id.endpoint, each) not in taken)
        target = next(free, None)
        if target is not None:
            taken.add((stash_id.endpoint, target))
            named.append((target, stash_id, members))
    return named


def _findings(
    groups: Sequence[_Group], rows: Mapping[int, PerformerRow]
) -> Iterator[Finding]:
    for target, stash_id, members in groups:
        found = [rows[member] for member in members if member in rows]
        if len(found) > 1:
            yield _finding(target, stash_id, found)


def _finding(
    target: int, stash_id: StashId, performers: Sequence[PerformerRow]
) -> Finding:
    keeper = max(performers, key=lambda each: (_content_count(each), -each.id))
    return Finding(
        target=Target("performer", str(target), stash_id.endpoint),
        details={
            "endpoint": stash_id.endpoint,
            "stash_id": stash_id.stash_id,
            "performers": [_told(each, keeper) for each in performers],
            "suggested_keeper_id": str(keeper.id),
        },
        cause=cause_of(stash_id.stash_id, [each.id for each in performers]),
    )


def _told(performer: PerformerRow, keeper: PerformerRow) -> dict[str, Any]:
    return {
        "id": str(performer.id),
        "name": performer.name,
        "disambiguation": performer.disambiguation,
        "scene_count": performer.scene_count,
        "image_count": performer.image_count,
        "gallery_count": performer.gallery_count,
        "total_content": _content_count(performer),
        "is_suggested_keeper": performer is keeper,
        "image_path": performer.image_url,
    }


def _content_count(performer: PerformerRow) -> int:
    return performer.scene_count + performer.image_count + performer.gallery_count
