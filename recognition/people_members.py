"""People without a name as members of groups: who they are, through every new match.

Here a member is made for each of them, and found again after their row was written
anew. Which group a new one comes to is decided elsewhere.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet
from numpy.typing import NDArray

from recognition.models import (
    Fingerprint,
    FingerprintPerson,
    GroupMember,
    PeopleGroup,
)
from recognition.models.groups import GROUPABLE, as_bytes
from recognition.numeric.grouping_people import (
    TEMPLATE_SIZE,
    Templates,
    nearest_pairs,
    overlapping_pairs,
    person_template,
)
from recognition.numeric.packing import PackedFaces
from recognition.numeric.people import SeenFace
from stashsense.turns import in_turn

logger = logging.getLogger(__name__)

NOBODY: NDArray[np.float32] = np.zeros(TEMPLATE_SIZE, dtype=np.float32)


@dataclass(frozen=True)
class _Face:
    """What is kept of a person's faces beside the group they are in."""

    template: NDArray[np.float32]
    quality: float
    best: dict[str, Any] | None
    seconds: list[float]


# Of somebody whose faces cannot be read: they are listed, and resemble nobody.
_UNREADABLE = _Face(NOBODY, 0.0, None, [])


def waiting_people() -> QuerySet[FingerprintPerson]:
    """Return the people without a name who are no members yet."""
    return FingerprintPerson.objects.filter(
        decision__in=GROUPABLE, group_member__isnull=True
    )


def waiting_fingerprints(count: int) -> list[Fingerprint]:
    """Return so many fingerprints with such people, with their faces."""
    ids = waiting_people().order_by("fingerprint_id").values("fingerprint_id")
    rows = Fingerprint.objects.filter(pk__in=ids).order_by("pk")
    return [*rows.select_related("packed")[:count]]


def update_members(
    fingerprint: Fingerprint, shared: NDArray[np.float32]
) -> list[GroupMember]:
    """Bring the members of a fingerprint in line with its people; return new ones.

    Who was a member before keeps the group they are in: by their faces, or after
    another look at the media by resemblance, without what all people share.
    """
    people = [*fingerprint.people.filter(decision__in=GROUPABLE).order_by("number")]
    faces = _faces_of(fingerprint, people)
    new = [
        (person, face)
        for person, face in zip(people, faces, strict=True)
        if not hasattr(person, "group_member")
    ]
    former = [*fingerprint.group_members.exclude(person__decision__in=GROUPABLE)]
    found = _found_again(fingerprint, former, new, shared)
    created = []
    for position, (person, face) in enumerate(new):
        member = found.get(position) or GroupMember(fingerprint=fingerprint)
        _write(member, person, face)
        if position not in found:
            created.append(member)
    return created


def bind_again(fingerprints: Iterable[int]) -> None:
    """Have members be whoever has their faces now, in the same look at the media.

    Also who has a name by now. Nobody becomes a member by it.
    """
    for pk in {*fingerprints}:
        with in_turn():
            # Nobody may replace the people who are read before they are written.
            rows = Fingerprint.objects.select_for_update()
            if (fingerprint := rows.filter(pk=pk).first()) is not None:
                _bind_again(fingerprint)


def _bind_again(fingerprint: Fingerprint) -> None:
    former = [
        *fingerprint.group_members.filter(person=None, seen_at=fingerprint.seen_at)
    ]
    people = [*fingerprint.people.filter(group_member=None).order_by("number")]
    if not former or not people:
        return
    faces = _faces_of(fingerprint, people)
    for place, position in overlapping_pairs(
        [member.faces for member in former], [each.faces for each in people]
    ):
        member, person = former[place], people[position]
        if person.decision in GROUPABLE:
            _write(member, person, faces[position])
            continue
        # One name may be several members' by now, whose faces it has all.
        member.person = person
        member.save(update_fields=["person"])


def forget_the_gone() -> list[int]:
    """Delete who has a name by now or is seen no more; return the groups they left."""
    gone = GroupMember.objects.gone()
    groups = {*gone.exclude(group=None).values_list("group_id", flat=True)}
    gone.delete()
    return sorted(groups)


def recentre(group_ids: Iterable[int]) -> None:
    """Write the means of these groups anew; those that nobody is in keep theirs."""
    for group_id in group_ids:
        members = GroupMember.objects.filter(group_id=group_id)
        templates = templates_of(members.values_list("template", flat=True))
        if len(templates):
            write_mean(group_id, templates)


def write_mean(group_id: int, templates: Templates) -> None:
    """Write what the group's members look like on average."""
    PeopleGroup.objects.filter(pk=group_id).update(
        mean=as_bytes(templates.mean(axis=0)), mean_count=len(templates)
    )


def templates_of(stored: Iterable[Any]) -> Templates:
    """Return templates or means as rows keep them, as float32 [count, 1024]."""
    content = b"".join(bytes(each) for each in stored)
    rows = np.frombuffer(content, dtype="<f2").reshape(-1, TEMPLATE_SIZE)
    return rows.astype(np.float32)


def _found_again(
    fingerprint: Fingerprint,
    former: Sequence[GroupMember],
    new: Sequence[tuple[FingerprintPerson, _Face]],
    shared: NDArray[np.float32],
) -> dict[int, GroupMember]:
    """Return which of the new people, by position, was which member."""
    same = [each for each in former if each.seen_at == fingerprint.seen_at]
    others = [each for each in former if each.seen_at != fingerprint.seen_at]
    by_faces = overlapping_pairs(
        [member.faces for member in same], [person.faces for person, _ in new]
    )
    found = {position: same[member] for member, position in by_faces}
    left = [position for position in range(len(new)) if position not in found]
    by_looks = nearest_pairs(
        templates_of(member.template for member in others),
        np.stack([new[position][1].template for position in left] or [NOBODY]),
        shared,
    )
    return found | {left[place]: others[member] for member, place in by_looks}


def _write(member: GroupMember, person: FingerprintPerson, face: _Face) -> None:
    member.person = person
    member.faces = person.faces
    member.seen_at = person.fingerprint.seen_at
    member.template = as_bytes(face.template)
    member.quality = face.quality
    member.best = face.best
    member.seconds = face.seconds
    member.save()


def _faces_of(
    fingerprint: Fingerprint, people: Sequence[FingerprintPerson]
) -> list[_Face]:
    try:
        seen = PackedFaces.from_bytes(bytes(fingerprint.packed.faces)).seen()
        return [_face([seen[each] for each in person.faces]) for person in people]
    except (ValueError, IndexError, TypeError, ObjectDoesNotExist):
        logger.exception("The faces of %s cannot be read", fingerprint)
        return [_UNREADABLE for _ in people]


def _face(faces: Sequence[SeenFace]) -> _Face:
    if not faces:
        return _UNREADABLE
    qualities = [face.quality for face in faces]
    template = person_template(
        np.stack([face.facenet for face in faces]),
        np.stack([face.arcface for face in faces]),
        qualities,
    )
    return _Face(
        template=template,
        quality=sum(qualities),
        best=best_face(faces),
        seconds=sorted(face.seconds for face in faces if face.seconds is not None),
    )


def best_face(faces: Sequence[SeenFace]) -> dict[str, Any]:
    """Return where the best of some faces is, as members keep it."""
    best = max(faces, key=lambda face: face.quality)
    box = best.box
    return {
        "frame": best.frame,
        "seconds": best.seconds,
        "box": [box.x, box.y, box.width, box.height],
        "quality": best.quality,
    }
