"""Unknown people of the library, and what the owner decides about them.

Naming, merging, splitting and ignoring are kept as decisions, with who and when; each
can be undone, and a grouping anew holds to those in force.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django_q.tasks import async_task

from recognition import corrections, group_corrections, people_members
from recognition.corrections import Performer
from recognition.exceptions import GroupDecisionRefused, PeopleGroupNotFound
from recognition.models import (
    GroupDecision,
    GroupDecisionMember,
    GroupMember,
    PeopleGroup,
)
from recognition.models.groups import (
    GROUPABLE,
    RECURRENT_MEDIA,
    GroupMemberQuerySet,
    PeopleGroupQuerySet,
)
from recognition.numeric.corrections import Verdict
from recognition.people_grouping import REGROUP_TASK
from stashsense.turns import in_turn

Kind = GroupDecision.Kind
State = PeopleGroup.State


@dataclass(frozen=True)
class Naming:
    """Who somebody is: a performer by universal id, one of Stash, or a mere name."""

    universal_id: str | None = None
    local_performer_id: int | None = None
    name: str = ""


def list_groups(
    *, state: str = State.OPEN, includes_single: bool = False
) -> PeopleGroupQuerySet:
    """Return the groups with their counts, those in most scenes and images first.

    Of open ones the recurrent: who is in one medium alone comes with `includes_single`.
    """
    return PeopleGroup.objects.listed(
        state=state, min_media=1 if includes_single else RECURRENT_MEDIA
    )


def get_group(group_id: int) -> Any:
    """Return the group with its counts; raises PeopleGroupNotFound."""
    group: Any = PeopleGroup.objects.counted().filter(pk=group_id).first()
    is_listed = group is not None and (group.member_count or group.is_decided)
    if not is_listed or not group.mean_count:
        raise PeopleGroupNotFound(f"There is no unknown person {group_id}.")
    return group


def members_of(group: PeopleGroup) -> GroupMemberQuerySet:
    """Return those who are in the group without a name, the clearest first."""
    rows = GroupMember.objects.present().filter(group=group)
    return rows.select_related("fingerprint", "person")


def get_member(group: PeopleGroup, member_id: int | None = None) -> GroupMember:
    """Return a member of the group, or its clearest; raises PeopleGroupNotFound.

    Of a group whose people all have names by now, one of those stands for it.
    """
    rows = GroupMember.objects.filter(group=group).select_related("fingerprint")
    if member_id is not None:
        rows = rows.filter(pk=member_id)
    member = rows.first()
    if member is None:
        raise PeopleGroupNotFound(f"There is nobody {member_id or ''} in {group}.")
    return member


def waiting_count() -> int:
    """Return how many people without a name are not in a group yet."""
    return people_members.waiting_people().count()


def ask_for_regrouping() -> None:
    """Have the background group all unknown people anew."""
    async_task(REGROUP_TASK)


def name_group(group_id: int, naming: Naming, *, by: str) -> PeopleGroup:
    """Say who it is: all of the group's people get the name, for good.

    A name without any id is the group's alone, for nobody else would know who that
    is. Raises PeopleGroupNotFound, GroupDecisionRefused where the naming is empty, and
    what corrections.get_performer does.
    """
    if not (naming.universal_id or naming.local_performer_id or naming.name):
        raise GroupDecisionRefused("Say who it is: an id, or at least a name.")
    # Before the transaction: Stash may be asked.
    performer = _performer(naming)
    with in_turn():
        group = _locked(group_id)
        decision = _decide(Kind.NAME, group, stayed=_everybody(group), by=by)
        _set_state(
            group,
            state=State.NAMED,
            name=performer.name,
            universal_id=performer.universal_id,
            local_performer_id=performer.local_id,
        )
        media = set()
        if performer.universal_id:
            media = group_corrections.note(decision, Verdict.NAME, performer)
    group_corrections.put_into_effect(media)
    return group


def ignore_group(group_id: int, *, by: str) -> PeopleGroup:
    """Say that nobody wants to know who it is; or raise PeopleGroupNotFound.

    All of the group's people are ignored by every later match.
    """
    with in_turn():
        group = _locked(group_id)
        if group.state == State.IGNORED:
            raise GroupDecisionRefused(f"{group} is ignored already.")
        decision = _decide(Kind.IGNORE, group, stayed=_everybody(group), by=by)
        _set_state(group, state=State.IGNORED)
        media = group_corrections.note(decision, Verdict.IGNORE)
    group_corrections.put_into_effect(media)
    return group


@in_turn()
def merge_groups(group_id: int, other_ids: Sequence[int], *, by: str) -> PeopleGroup:
    """Say that the others are the same person as the group; they go into it.

    Where only one of them is named or ignored, all are. Raises PeopleGroupNotFound or
    GroupDecisionRefused; nothing is merged then.
    """
    if group_id in other_ids or not other_ids:
        raise GroupDecisionRefused("A group can be merged with other groups alone.")
    group = _locked(group_id)
    for other in [_locked(each) for each in dict.fromkeys(other_ids)]:
        stayed, moved = _everybody(group), _everybody(other)
        _decide(Kind.MERGE, group, other=other, stayed=stayed, moved=moved, by=by)
        if other.is_decided and not group.is_decided:
            _set_state(group, **other.state_values())
        _move(moved, group)
        _leave_empty(other)
    people_members.recentre([group.pk])
    return group


@in_turn()
def split_group(group_id: int, member_ids: Sequence[int], *, by: str) -> PeopleGroup:
    """Say that these members are somebody else; return their own group, an open one.

    Raises PeopleGroupNotFound for a member of another group, and GroupDecisionRefused
    for all or none of them.
    """
    group = _locked(group_id)
    everybody, wanted = _everybody(group), {*member_ids}
    moved = [member for member in everybody if member.pk in wanted]
    stayed = [member for member in everybody if member.pk not in wanted]
    if len(moved) < len(wanted):
        raise PeopleGroupNotFound(f"Not all of these members are in {group}.")
    if not moved or not any(_is_present(member) for member in stayed):
        raise GroupDecisionRefused("Some go and some stay; all or none is no split.")
    other = PeopleGroup.objects.create()
    _decide(Kind.SPLIT, group, other=other, stayed=stayed, moved=moved, by=by)
    _move(moved, other)
    people_members.recentre([group.pk, other.pk])
    return other


def can_undo(group_id: int) -> bool:
    """Return whether something that was decided about the group is in force."""
    return GroupDecision.objects.about(group_id).in_force().exists()


def undo(group_id: int, *, by: str) -> GroupDecision:
    """Take back what was decided last about the group, also one that was merged away.

    Raises PeopleGroupNotFound, or GroupDecisionRefused where nothing is left to undo.
    """
    with in_turn():
        if not PeopleGroup.objects.select_for_update().filter(pk=group_id).exists():
            raise PeopleGroupNotFound(f"There is no unknown person {group_id}.")
        decision = GroupDecision.objects.about(group_id).in_force().last()
        if decision is None:
            raise GroupDecisionRefused("Nothing was decided that could be undone.")
        media = group_corrections.withdraw(decision, by=by)
        _undo(decision)
        decision.undone_at, decision.undone_by = timezone.now(), by
        decision.save(update_fields=["undone_at", "undone_by"])
    group_corrections.put_into_effect(media)
    return decision


def _undo(decision: GroupDecision) -> None:
    """Have the groups be as before the decision."""
    group, other = decision.group, decision.other
    match decision.kind:
        case Kind.MERGE:
            assert other is not None
            _move(_moved_by(decision).filter(group=group), other)
        case Kind.SPLIT:
            assert other is not None
            # With those who came to it since.
            _move(GroupMember.objects.filter(group=other), group)
            _set_state(other)
            _leave_empty(other)
    _set_state(group, **decision.before)
    people_members.recentre([each.pk for each in (group, other) if each is not None])


def _performer(naming: Naming) -> Performer:
    if not (naming.universal_id or naming.local_performer_id):
        return Performer(name=naming.name)
    return corrections.get_performer(
        universal_id=naming.universal_id,
        local_performer_id=naming.local_performer_id,
        name=naming.name,
    )


def _locked(group_id: int) -> PeopleGroup:
    group = PeopleGroup.objects.select_for_update().filter(pk=group_id).first()
    if group is None or not group.members.exists():
        raise PeopleGroupNotFound(f"There is no unknown person {group_id}.")
    return group


def _everybody(group: PeopleGroup) -> list[GroupMember]:
    """Return the members, with those who have a name or are not seen at the moment."""
    return [*group.members.select_related("person")]


def _is_present(member: GroupMember) -> bool:
    return member.person is not None and member.person.decision in GROUPABLE


def _decide(
    kind: GroupDecision.Kind,
    group: PeopleGroup,
    *,
    by: str,
    stayed: Sequence[GroupMember],
    moved: Sequence[GroupMember] = (),
    other: PeopleGroup | None = None,
) -> GroupDecision:
    decision = GroupDecision.objects.create(
        kind=kind, group=group, other=other, before=group.state_values(), made_by=by
    )
    GroupDecisionMember.objects.bulk_create(
        GroupDecisionMember(decision=decision, member=member, has_moved=has_moved)
        for members, has_moved in ((stayed, False), (moved, True))
        for member in members
    )
    return decision


def _moved_by(decision: GroupDecision) -> GroupMemberQuerySet:
    moved = decision.said.filter(has_moved=True)
    return GroupMember.objects.filter(pk__in=moved.values("member_id"))


def _move(
    members: Sequence[GroupMember] | GroupMemberQuerySet, group: PeopleGroup
) -> None:
    ids = [member.pk for member in members]
    GroupMember.objects.filter(pk__in=ids).update(group=group)


def _leave_empty(group: PeopleGroup) -> None:
    """Have nobody come to a group any more that all were moved out of."""
    PeopleGroup.objects.filter(pk=group.pk).update(mean_count=0)


def _set_state(group: PeopleGroup, **values: object) -> None:
    """Write how the owner regards the group; what is not told is as at first."""
    for name, value in {**PeopleGroup().state_values(), **values}.items():
        setattr(group, name, value)
    group.save(update_fields=[*PeopleGroup.STATE_FIELDS])
