"""Who is truly in an evaluated item: its tags, reviews of names, the owner's word.

What the owner said of a person counts for that person: a performer who is tagged may
still be the wrong name for somebody else there.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ObjectDoesNotExist

from dbupdates.prepared import open_prepared
from dbupdates.store import active_release
from recognition import corrections
from recognition.correction_binding import SeenMedia
from recognition.exceptions import DatabaseNotLoaded
from recognition.models import Correction, EvaluatedItem, Fingerprint, ReviewedName

Verdict = ReviewedName.Verdict

# By kind and id of the item, and the universal id.
Reviews = Mapping[tuple[str, int, str], str]
# A face of the item by its frame and box.
_FaceKey = tuple[int, tuple[int, ...]]


@dataclass(frozen=True)
class OwnersTruth:
    """What the owner said of the people of an item, by their faces.

    `decided` tells the universal ids of whoever was named, none of an ignored person.
    `released` are those by which the release knows them, so who can be found, and for
    each the person: several ids may be of one.
    """

    decided: Mapping[_FaceKey, Set[str]] = field(default_factory=dict)
    rejected: Mapping[_FaceKey, Set[str]] = field(default_factory=dict)
    released: Mapping[str, str] = field(default_factory=dict)

    def is_right(self, person: Mapping[str, Any]) -> bool | None:
        """Return whether the name proposed for a person is right; None: not said."""
        face, universal_id = _key(person["face"]), str(person["universal_id"])
        if face in self.decided:
            return universal_id in self.decided[face]
        return False if universal_id in self.rejected.get(face, ()) else None


NOTHING_SAID = OwnersTruth()


@dataclass(frozen=True)
class Truth:
    """Who is in an item as far as is known, by universal id, and what nobody knows.

    Several ids may be of one person. `refuted` are names that somebody said are wrong,
    of `undecided` nobody could tell. What the `owner` said of a person comes first.
    """

    people: Mapping[str, str]
    refuted: frozenset[str] = frozenset()
    undecided: frozenset[str] = frozenset()
    owner: OwnersTruth = NOTHING_SAID

    @property
    def person_count(self) -> int:
        return len({*self.people.values()})

    def is_right(self, person: Mapping[str, Any]) -> bool | None:
        """Return whether the name proposed for a person is; None: nobody could tell."""
        said = self.owner.is_right(person)
        if said is not None:
            return said
        universal_id = person["universal_id"]
        return None if universal_id in self.undecided else universal_id in self.people

    def is_refuted(self, person: Mapping[str, Any]) -> bool:
        """Return whether somebody who looked said that the name is wrong."""
        said = self.owner.is_right(person)
        return person["universal_id"] in self.refuted if said is None else not said


def truths_of(items: Iterable[EvaluatedItem]) -> list[Truth]:
    """Return who is in each of the items."""
    items = [*items]
    by_item: dict[tuple[str, int], dict[tuple[str, int, str], str]] = {}
    for key, verdict in reviews().items():
        by_item.setdefault(key[:2], {})[key] = verdict
    owners = owners_truths(items)
    return [
        truth_of(
            one,
            by_item.get((one.kind, one.stash_id), {}),
            owners.get((one.kind, one.stash_id), NOTHING_SAID),
        )
        for one in items
    ]


def truth_of(
    item: EvaluatedItem, reviewed: Reviews, owner: OwnersTruth = NOTHING_SAID
) -> Truth:
    """Return who is in the item: its tags, and what people said of names in it."""
    tagged = {
        universal_id: f"performer {one['performer_id']}"
        for one in item.tagged
        if one["is_known"]
        for universal_id in one["universal_ids"]
    }
    said: dict[str, set[str]] = {verdict.value: set() for verdict in Verdict}
    for (kind, stash_id, universal_id), verdict in reviewed.items():
        if (kind, stash_id) == (item.kind, item.stash_id):
            said[verdict].add(universal_id)
    missing = {one: one for one in said[Verdict.TAG_MISSING.value]}
    people = {**owner.released, **missing, **tagged}
    return Truth(
        people=people,
        refuted=frozenset(said[Verdict.NAME_WRONG.value] - people.keys()),
        undecided=frozenset(said[Verdict.CANNOT_TELL.value] - people.keys()),
        owner=owner,
    )


def reviews() -> dict[tuple[str, int, str], str]:
    """Return what people said of names that are not tagged."""
    return {
        (row.kind, row.stash_id, row.universal_id): row.verdict
        for row in ReviewedName.objects.all()
    }


def owners_truths(
    items: Sequence[EvaluatedItem],
) -> dict[tuple[str, int], OwnersTruth]:
    """Return what the owner said of those of the items of which they said anything.

    Nothing where the faces are kept no more, or no release is active.
    """
    said = {*Correction.objects.active().values_list("kind", "stash_id")}
    wanted = said & {(one.kind, one.stash_id) for one in items}
    ids = [stash_id for _, stash_id in wanted]
    rows = Fingerprint.objects.filter(stash_id__in=ids).select_related("packed")
    found = {}
    for row in rows:
        if (row.kind, row.stash_id) not in wanted:
            continue
        try:
            found[row.kind, row.stash_id] = _owners_truth(row)
        except (DatabaseNotLoaded, ValueError, ObjectDoesNotExist):
            continue
    return found


def _owners_truth(fingerprint: Fingerprint) -> OwnersTruth:
    said, faces = corrections.truth_of(fingerprint), SeenMedia.of(fingerprint).faces
    keys = [_key({"frame": face.frame, "box": [*_edges(face.box)]}) for face in faces]
    forbidden = {row for rows in said.forbidden for row in rows}
    names = _names(forbidden.union(*(person.performers for person in said.decided)))
    decided: dict[_FaceKey, Set[str]] = {}
    released: dict[str, str] = {}
    for person in said.decided:
        ids = {names[row] for row in person.performers}
        if person.owners_name is not None:
            released |= dict.fromkeys(ids, person.owners_name.universal_id)
            ids.add(person.owners_name.universal_id)
        decided |= {keys[face]: ids for face in person.faces}
    rejected = {
        keys[face]: {names[row] for row in rows}
        for face, rows in enumerate(said.forbidden)
        if rows
    }
    return OwnersTruth(decided, rejected, released)


def _names(rows: Set[int]) -> dict[int, str]:
    active = active_release()
    if active is None or not rows:
        return {}
    release = open_prepared(active.path)
    return {row: release.performer(row).universal_id for row in rows}


def _edges(box: Any) -> tuple[int, int, int, int]:
    return box.x, box.y, box.width, box.height


def _key(face: Mapping[str, Any]) -> _FaceKey:
    return face["frame"], tuple(face["box"])
