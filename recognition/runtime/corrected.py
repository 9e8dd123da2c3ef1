"""People as their owner has corrected them, however the other faces are matched."""

from collections.abc import Callable, Sequence, Set
from dataclasses import replace
from typing import TypeAlias

from dbupdates.prepared import PreparedRelease
from recognition.numeric.corrections import Corrections, DecidedPerson
from recognition.numeric.near_faces import NearFaces
from recognition.numeric.people import (
    NOT_RELEASED,
    Decision,
    PersonCandidate,
    SeenFace,
    SeenPerson,
)
from recognition.numeric.scene_matching import ClusteredFaces, gather_supports
from recognition.runtime.candidates import candidates_among

# Makes people of faces and of what is near each; performers may be forbidden to some.
Matching: TypeAlias = Callable[
    [Sequence[SeenFace], Sequence[NearFaces], Sequence[Set[int]]], list[SeenPerson]
]

_ORDER = (Decision.KNOWN, Decision.UNCERTAIN, Decision.UNKNOWN, Decision.IGNORED)


def corrected_people(
    match: Matching,
    release: PreparedRelease,
    faces: Sequence[SeenFace],
    near: Sequence[NearFaces],
    corrections: Corrections,
    *,
    max_distance: float,
) -> list[SeenPerson]:
    """Return the people whom the owner decided on, and those of all other faces."""
    if not corrections.decided:
        return match(faces, near, corrections.forbidden)
    decided = {face for person in corrections.decided for face in person.faces}
    undecided = [face for face in range(len(faces)) if face not in decided]
    found = match(
        [faces[face] for face in undecided],
        [near[face] for face in undecided],
        [corrections.forbidden[face] for face in undecided],
    )
    people = [
        _as_seen(person, release, faces, near, max_distance)
        for person in corrections.decided
    ]
    for person in found:
        positions = tuple(undecided[position] for position in person.faces)
        people.append(replace(person, faces=positions))
    people.sort(key=lambda person: (_ORDER.index(person.decision), -person.frame_count))
    return people


def _as_seen(
    person: DecidedPerson,
    release: PreparedRelease,
    faces: Sequence[SeenFace],
    near: Sequence[NearFaces],
    max_distance: float,
) -> SeenPerson:
    """Return somebody of whom the owner said who they are, with what is near them."""
    frame_count = len({faces[face].frame for face in person.faces})
    if person.owners_name is None:
        return SeenPerson(person.faces, frame_count, (), is_ignored=True)
    candidates = candidates_among(
        [near[face] for face in person.faces],
        release,
        max_candidates=None,
        max_distance=max_distance,
    )
    supports = gather_supports(
        ClusteredFaces([faces[face].frame for face in person.faces], candidates, ()),
        range(len(person.faces)),
        max_distance=max_distance,
    )
    candidate = PersonCandidate(
        performer=NOT_RELEASED if person.performer is None else person.performer,
        distance=None,
        facenet_distance=None,
        arcface_distance=None,
        # It is the owner who says so.
        confidence=1.0,
        frame_count=frame_count,
    )
    own = next((each for each in supports if each.performer == person.performer), None)
    if own is not None:
        candidate = replace(
            candidate,
            distance=own.distance,
            facenet_distance=own.facenet_distance,
            arcface_distance=own.arcface_distance,
            nearest_distance=own.nearest,
        )
    return SeenPerson(
        person.faces, frame_count, (candidate,), owners_name=person.owners_name
    )
