"""What the owner said of people: whose faces it is about, and who those may not be.

People are made anew by every match, so the owner's word is bound to faces. Whom the
owner named, or wants to know nothing of, is decided: their faces go past matching. For
all other faces the outcome is a set of performers whom each may not be, so no mode of
matching need know of corrections. Performers are rows of one release here.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from recognition.numeric.boxes import FaceBox
from recognition.numeric.clustering import (
    CLUSTER_THRESHOLD,
    Cluster,
    joint_vectors,
)
from recognition.numeric.fusion import Candidate
from recognition.numeric.people import OwnersName, SeenFace
from recognition.numeric.unit_vectors import unit_rows

# Two boxes of one moment that overlap by half of what they cover are one face: the
# usual bound of detectors. Two faces side by side overlap by far less.
SAME_FACE_OVERLAP = 0.5
# Half a frame at 25 a second. Times are kept in single precision, which at four hours
# is a thousandth of a second.
SAME_MOMENT_SECONDS = 0.02
# Faces that are that much like a person are put to them when people are made: a face
# that is less is somebody else to clustering, too.
MIN_LIKENESS = 1 - CLUSTER_THRESHOLD
# Of a rejection, which costs little where it is inherited wrongly: the next best name
# is shown. In 700 made scenes looked at anew (benchmarks/rejections.py, easy and hard
# world) 5 of 1,673 rejected names came back, with the bound above 11; where somebody
# else's right name was rejected, 8 of 2,425 of those lost it, above 7. Lower still, no
# fewer came back.
MIN_REJECTED_LIKENESS = 0.35
# Surer than any likeness, which is a cosine: the very face.
_THE_FACE = 2.0

Strengths = NDArray[np.float32]
NOBODY: frozenset[int] = frozenset()


class Verdict(StrEnum):
    """What the owner may say of a person."""

    REJECT = "reject"
    NAME = "name"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class FacePlace:
    """Where a face is: at that time of a video, or in that picture, and its box."""

    picture: int
    seconds: float | None
    box: FaceBox

    def is_of_moment(self, other: "FacePlace") -> bool:
        """Return whether both are in one frame or picture."""
        if self.seconds is None or other.seconds is None:
            return self.seconds is other.seconds and self.picture == other.picture
        return abs(self.seconds - other.seconds) <= SAME_MOMENT_SECONDS


@dataclass(frozen=True)
class Portrait:
    """A person as they were when the owner spoke: where, and how they looked.

    `vectors` are means of joint embeddings, theirs first, then of everybody else who
    was there; without rows where no comparison is possible.
    """

    places: Sequence[FacePlace]
    vectors: NDArray[np.floating]


@dataclass(frozen=True)
class OwnersWord:
    """A correction, by its id, and how surely each face is the person's; 0: not.

    `performers` are the rows of whom it names or rejects, one for each id by which the
    release has them; the first is by the id that the owner used, if it is there.
    """

    correction: int
    verdict: Verdict
    owners_name: OwnersName
    performers: tuple[int, ...]
    strengths: Strengths


@dataclass(frozen=True, slots=True)
class DecidedPerson:
    """A person of whom the owner said who they are; nobody, where they are ignored."""

    faces: tuple[int, ...]
    owners_name: OwnersName | None = None
    performers: tuple[int, ...] = ()

    @property
    def performer(self) -> int | None:
        """The row by which they are shown; None where the release has none."""
        return self.performers[0] if self.performers else None


@dataclass(frozen=True)
class Corrections:
    """What the owner's words come to for some faces.

    `forbidden` are for each face the performers it may not be; without any, nobody is.
    `bound` are the faces of each correction, all of them, also without a face.
    """

    decided: Sequence[DecidedPerson] = ()
    forbidden: Sequence[Set[int]] = ()
    bound: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    def one_each(self) -> "Corrections":
        """Return the same where a performer can be one person only."""
        taken = {row for person in self.decided for row in person.performers}
        return replace(self, forbidden=[faces | taken for faces in self.forbidden])

    def face_by_face(self) -> "Corrections":
        """Return the same where each face is a person of its own."""
        return replace(
            self,
            decided=[
                replace(person, faces=(face,))
                for person in self.decided
                for face in person.faces
            ],
        )


NO_CORRECTIONS = Corrections()


def portrait_of(
    person: Sequence[int],
    others: Iterable[Sequence[int]],
    *,
    faces: Sequence[SeenFace],
    places: Sequence[FacePlace],
) -> Portrait:
    """Return what tells the person's faces from those of the others, later on."""
    vectors = _vectors(faces)
    means = [
        vectors[[*positions]].mean(axis=0)
        for positions in (person, *others)
        if len(positions)
    ]
    return Portrait(
        places=[places[face] for face in person],
        vectors=unit_rows(np.stack(means)).astype(np.float16),
    )


def recognise(
    portrait: Portrait,
    faces: Sequence[SeenFace],
    places: Sequence[FacePlace],
    *,
    min_likeness: float = MIN_LIKENESS,
) -> Strengths:
    """Return how surely each face is the person's, by where it is or how it looks.

    A face is theirs by its looks if it is that much like them, and less like anybody
    else who was there. One that is nothing to its embedders is theirs by its place
    alone.
    """
    strengths = np.zeros(len(faces), dtype=np.float32)
    if len(portrait.vectors) and len(faces):
        known = unit_rows(portrait.vectors)
        likeness = _vectors(faces) @ known.T
        is_theirs = likeness.argmax(axis=1) == 0
        is_alike = likeness[:, 0] > min_likeness
        strengths = np.where(is_theirs & is_alike, likeness[:, 0], 0.0)
    for position, place in enumerate(places):
        if any(_is_one_face(place, known) for known in portrait.places):
            strengths[position] = _THE_FACE
    return strengths.astype(np.float32)


def the_very(positions: Iterable[int], face_count: int) -> Strengths:
    """Return the strengths where the faces themselves are known by position."""
    strengths = np.zeros(face_count, dtype=np.float32)
    strengths[[face for face in positions if face < face_count]] = _THE_FACE
    return strengths


def settle(words: Sequence[OwnersWord], *, face_count: int) -> Corrections:
    """Return what the owner's words, the earliest first, come to.

    A face that two people might have, who were named or ignored, goes to the one it is
    more surely of, or whom the owner spoke of later. All whom one performer's name was
    given are one person.
    """
    deciding = [word for word in words if word.verdict is not Verdict.REJECT]
    owners = _surest(deciding, face_count)
    bound = {word.correction: _positions(word.strengths > 0) for word in words}
    people: dict[object, tuple[OwnersWord, list[int]]] = {}
    for number, word in enumerate(deciding):
        bound[word.correction] = _positions(owners == number)
        key: object = word.correction
        if word.verdict is Verdict.NAME:
            key = word.owners_name.universal_id
        people.setdefault(key, (word, []))[1].extend(bound[word.correction])
    forbidden = [
        frozenset(
            row
            for word in words
            if word.verdict is Verdict.REJECT and word.strengths[face] > 0
            for row in word.performers
        )
        for face in range(face_count)
    ]
    decided = [
        _decided(word, sorted(faces)) for word, faces in people.values() if faces
    ]
    return Corrections(decided, forbidden, bound)


def shared(
    forbidden: Sequence[Set[int]], clusters: Iterable[Cluster]
) -> Sequence[Set[int]]:
    """Return for each face whom nobody of its cluster may be.

    Whoever has a face that is not a performer's is not that performer.
    """
    if not any(forbidden):
        return forbidden
    result: list[Set[int]] = [*forbidden]
    for cluster in clusters:
        together = NOBODY.union(*(forbidden[face] for face in cluster))
        for face in cluster:
            result[face] = together
    return result


def permitted(
    candidates: Sequence[Sequence[Candidate]], forbidden: Sequence[Set[int]]
) -> Sequence[Sequence[Candidate]]:
    """Return each face's candidates without those it may not be."""
    if not any(forbidden):
        return candidates
    return [
        [each for each in found if each.performer not in barred]
        for found, barred in zip(candidates, forbidden, strict=True)
    ]


def _surest(words: Sequence[OwnersWord], face_count: int) -> NDArray[np.int64]:
    """Return which of the words each face is bound to, the later of equals; or -1."""
    owners = np.full(face_count, -1)
    best = np.zeros(face_count, dtype=np.float32)
    for number, word in enumerate(words):
        is_surer = (word.strengths > 0) & (word.strengths >= best)
        owners[is_surer] = number
        best[is_surer] = word.strengths[is_surer]
    return owners


def _decided(word: OwnersWord, faces: Sequence[int]) -> DecidedPerson:
    if word.verdict is Verdict.IGNORE:
        return DecidedPerson(tuple(faces))
    return DecidedPerson(tuple(faces), word.owners_name, word.performers)


def _vectors(faces: Sequence[SeenFace]) -> NDArray[np.float32]:
    return joint_vectors(
        np.stack([face.facenet for face in faces]),
        np.stack([face.arcface for face in faces]),
    )


def _positions(is_bound: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(np.flatnonzero(is_bound).tolist())


def _is_one_face(one: FacePlace, other: FacePlace) -> bool:
    return one.is_of_moment(other) and _overlap(one.box, other.box) >= SAME_FACE_OVERLAP


def _overlap(one: FaceBox, other: FaceBox) -> float:
    """Return the common share of what both boxes cover."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    common = max(width, 0) * max(height, 0)
    covered = one.width * one.height + other.width * other.height - common
    return common / covered if covered > 0 else 0.0
