"""Unknown people put to those who are the same person: one by one, or all anew.

New people come to the group they resemble, and nobody who is in one moves for it. A
grouping anew, on request or when the library has doubled since the last, decides about
all but what the owner decided. Groups keep their ids through it as far as their people
stay together.
"""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition import people_members
from recognition.models import GroupDecision, GroupMember, PeopleGroup
from recognition.numeric.grouping_people import (
    TEMPLATE_SIZE,
    KnownGroups,
    Templates,
    group_people,
    join_groups,
    shared_part,
)
from recognition.numeric.people_decisions import Said, Unit, units_of
from stashsense import stopping
from stashsense.turns import in_turn

logger = logging.getLogger(__name__)

REGROUP_TASK = "recognition.tasks.regroup_people"
# What is kept together: little is lost with a process, and others may write soon.
CHUNK_FINGERPRINTS = 50
# The background has one worker, and updates want their turn.
SLICE_SECONDS = 20.0

_DECIDED = "decided"


def group_waiting(*, seconds: float = SLICE_SECONDS) -> bool:
    """Put waiting people to their groups for about so long; return whether all are.

    Where most are new since all were grouped together, that is done again: the first
    ones came to groups when little was known of what all people share.
    """
    settled_count = GroupMember.objects.filter(is_settled=True).count()
    new_count = GroupMember.objects.filter(is_settled=False).count()
    is_mostly_new = people_members.waiting_people().count() + new_count > settled_count
    # A grouping anew that was begun, and whose task was lost.
    is_begun = GroupMember.objects.filter(group=None).exists()
    if is_mostly_new or is_begun:
        return regroup(seconds=seconds)
    return _work_off(seconds, is_joining=True)


def regroup(*, seconds: float = SLICE_SECONDS) -> bool:
    """Group all unknown people anew; return whether it came to that.

    False: so many are new that the time went by before all were members.
    """
    if not _work_off(seconds, is_joining=False):
        return False
    while not write_groups(plan_groups()):
        logger.info("The owner decided something meanwhile; grouping again")
    return True


def _work_off(seconds: float, *, is_joining: bool) -> bool:
    """Make members of waiting people; return whether none is left."""
    until = time.monotonic() + seconds
    while True:
        with in_turn():
            is_over = not _work_off_chunk(is_joining=is_joining)
        if is_over:
            break
        if time.monotonic() >= until or stopping.is_asked():
            return False
    with in_turn():
        people_members.recentre(people_members.forget_the_gone())
        PeopleGroup.objects.abandoned().delete()
    return True


def _work_off_chunk(*, is_joining: bool) -> bool:
    fingerprints = people_members.waiting_fingerprints(CHUNK_FINGERPRINTS)
    if not fingerprints:
        return False
    groups, known = _known_groups()
    shared = shared_part(known.means, known.counts)
    created = [
        member
        for fingerprint in fingerprints
        for member in people_members.update_members(fingerprint, shared)
    ]
    if is_joining and created:
        ids = [fingerprint.pk for fingerprint in fingerprints]
        _join(created, groups, known, fingerprint_ids=ids)
    return True


def _known_groups() -> tuple[list[int], KnownGroups]:
    """Return the ids of the groups, and what these look like."""
    rows = PeopleGroup.objects.filter(mean_count__gt=0).order_by("pk")
    found = [*rows.values_list("pk", "mean", "mean_count")]
    means = people_members.templates_of(mean for _, mean, _ in found)
    counts = np.array([count for *_, count in found], dtype=np.int64)
    return [pk for pk, *_ in found], KnownGroups(means, counts)


def _join(
    members: list[GroupMember],
    groups: list[int],
    known: KnownGroups,
    *,
    fingerprint_ids: Sequence[int],
) -> None:
    """Put new members to the groups they resemble, the clearest first."""
    places = {group: place for place, group in enumerate(groups)}
    held = GroupMember.objects.present().filter(fingerprint__in=fingerprint_ids)
    for group, fingerprint in held.values_list("group_id", "fingerprint_id"):
        if group in places:
            known.has.setdefault(places[group], set()).add(fingerprint)
    members.sort(key=lambda member: -member.quality)
    joined = join_groups(
        people_members.templates_of(member.template for member in members),
        [member.fingerprint_id for member in members],
        known,
    )
    for member, place in zip(members, joined, strict=True):
        if place == len(groups):
            groups.append(PeopleGroup.objects.create().pk)
        member.group_id = groups[place]
    GroupMember.objects.bulk_update(members, ["group"])
    people_members.recentre({groups[place] for place in joined})


# All anew


@dataclass(frozen=True)
class _Library:
    """All members as they were read, and the groups that the owner decided about.

    `media` is None for those who are there no more: they keep nobody else out.
    """

    ids: list[int]
    media: list[int | None]
    groups: list[int | None]
    templates: Templates
    decided: dict[int, PeopleGroup]


@dataclass
class _Cluster:
    """Members by position, and the group that they are to be."""

    members: list[int]
    home: int | None


@dataclass(frozen=True)
class Plan:
    """Groups as they are to be, by what was decided until then."""

    library: _Library
    clusters: list[_Cluster]
    decisions: tuple[int, int]


def plan_groups() -> Plan:
    """Return how all members are to be grouped anew; nothing is written."""
    decisions = _decision_stamp()
    library = _read_library()
    units = units_of(library.media, _said(library))
    homes = [_decided_home(unit, library) for unit in units]
    # Those of whom nobody is left take part, too: who looks like them comes to them.
    for group in sorted(library.decided.keys() - {*homes}):
        units.append(Unit([]))
        homes.append(group)
    for unit, home in zip(units, homes, strict=True):
        if home is not None:
            unit.exclude(_DECIDED, _DECIDED)
    means, counts = _looks(library, units, homes)
    grouped = group_people(
        means, counts, [unit.has for unit in units], [unit.refuses for unit in units]
    )
    clusters = [
        _Cluster(
            members=[place for each in group for place in units[each].people],
            home=next((homes[each] for each in group if homes[each] is not None), None),
        )
        for group in grouped
    ]
    return Plan(library, [each for each in clusters if each.members], decisions)


def write_groups(plan: Plan) -> bool:
    """Write the groups; return False, and write nothing, if more was decided since."""
    with in_turn():
        if _decision_stamp() != plan.decisions:
            return False
        _write_clusters(plan.library, plan.clusters)
        GroupMember.objects.filter(is_settled=False).update(is_settled=True)
        PeopleGroup.objects.abandoned().delete()
    return True


def _decision_stamp() -> tuple[int, int]:
    rows = GroupDecision.objects.all()
    return rows.count(), rows.in_force().count()


def _read_library() -> _Library:
    # The clearest first, and then the same ones whenever they were added.
    rows = GroupMember.objects.order_by(
        "-quality", "fingerprint__kind", "fingerprint__stash_id", "pk"
    )
    present = {*rows.present().values_list("pk", flat=True)}
    found = [*rows.values_list("pk", "fingerprint_id", "group_id", "template")]
    return _Library(
        ids=[pk for pk, *_ in found],
        media=[media if pk in present else None for pk, media, *_ in found],
        groups=[group for _, _, group, _ in found],
        templates=people_members.templates_of(template for *_, template in found),
        decided=PeopleGroup.objects.exclude(state=PeopleGroup.State.OPEN).in_bulk(),
    )


def _said(library: _Library) -> list[Said]:
    """Return what the owner decided, the oldest first, of members by position."""
    places = {member: place for place, member in enumerate(library.ids)}
    return [
        Said(
            moved=[places[each.member_id] for each in said if each.has_moved],
            stayed=[places[each.member_id] for each in said if not each.has_moved],
            is_split=decision.kind == GroupDecision.Kind.SPLIT,
        )
        for decision in GroupDecision.objects.in_force().prefetch_related("said")
        if (said := [*decision.said.all()])
    ]


def _decided_home(unit: Unit, library: _Library) -> int | None:
    """Return the group that its people were in when the owner decided about that."""
    if not unit.is_held:
        return None
    groups = (library.groups[person] for person in unit.people)
    return next((group for group in groups if group in library.decided), None)


def _looks(
    library: _Library, units: Sequence[Unit], homes: Sequence[int | None]
) -> tuple[Templates, NDArray[np.int64]]:
    """Return the units' means, and of how many people they are."""
    means = np.zeros((len(units), TEMPLATE_SIZE), dtype=np.float32)
    counts = np.ones(len(units), dtype=np.int64)
    for row, (unit, home) in enumerate(zip(units, homes, strict=True)):
        if unit.people:
            means[row] = library.templates[unit.people].mean(axis=0)
            counts[row] = len(unit.people)
        elif home is not None and library.decided[home].mean_count:
            group = library.decided[home]
            means[row] = people_members.templates_of([group.mean])[0]
            counts[row] = group.mean_count
    return means, counts


def _write_clusters(library: _Library, clusters: list[_Cluster]) -> None:
    """Have each cluster be a group: the one that most of its people were in before."""
    _give_homes(library, clusters)
    new = [cluster for cluster in clusters if cluster.home is None]
    for cluster, group in zip(
        new, PeopleGroup.objects.bulk_create(PeopleGroup() for _ in new), strict=True
    ):
        cluster.home = group.pk
    for cluster in clusters:
        moved = [
            library.ids[place]
            for place in cluster.members
            if library.groups[place] != cluster.home
        ]
        if moved:
            GroupMember.objects.filter(pk__in=moved).update(group=cluster.home)
        assert cluster.home is not None
        people_members.write_mean(cluster.home, library.templates[cluster.members])


def _give_homes(library: _Library, clusters: list[_Cluster]) -> None:
    """Give clusters the open groups whose people they have, most of them first."""
    shared: Counter[tuple[int, int]] = Counter()
    for number, cluster in enumerate(clusters):
        if cluster.home is None:
            groups = (library.groups[place] for place in cluster.members)
            shared.update(
                (number, group)
                for group in groups
                if group is not None and group not in library.decided
            )
    taken: set[int] = set()
    for (number, group), _ in sorted(
        shared.items(), key=lambda item: (-item[1], item[0][1], item[0][0])
    ):
        if clusters[number].home is None and group not in taken:
            clusters[number].home = group
            taken.add(group)
