"""What a matching mode makes of made scenes and galleries, told in NIST's terms.

A trial is a person: somebody known, to be named rightly, or a stranger, to be left
without a name. FNIR is the share of the known who are not named rightly at a
threshold, FPIR the share of strangers who get a name at it.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.open_set_world import NOBODY, Medium, Vectors, World
from recognition.numeric.fusion import Neighbours
from recognition.numeric.people import Decision, SeenPerson

if TYPE_CHECKING:
    from recognition.runtime.face_database import FaceDatabase

Score = Callable[[SeenPerson], float]

_PROBES_AT_ONCE = 256


class ExactIndex:
    """All vectors compared with a probe, by the interface of a vector index."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def __len__(self) -> int:
        return len(self._vectors)

    def vectors(self, rows: np.ndarray) -> Vectors:
        """Return the vectors in the rows."""
        found: Vectors = self._vectors[rows]
        return found

    def nearest(self, probes: Vectors, *, k: int) -> list[Neighbours]:
        """Return for each row of `probes` its `k` nearest faces, or all there are."""
        k = min(k, len(self))
        found = []
        for start in range(0, len(probes), _PROBES_AT_ONCE):
            chunk = probes[start : start + _PROBES_AT_ONCE]
            lengths = np.maximum(np.linalg.norm(chunk, axis=1, keepdims=True), 1e-9)
            distances = 1 - (chunk / lengths) @ self._vectors.T
            for row in distances:
                near = np.argpartition(row, k - 1)[:k]
                near = near[np.argsort(row[near], kind="stable")]
                found.append(Neighbours(near, row[near]))
        return found


@dataclass(frozen=True, eq=False)
class MadeRelease:
    """Who each reference face of a world shows."""

    face_performers: np.ndarray


def made_database(world: World) -> "FaceDatabase":
    """Return a world's references as a loaded release with exact indices."""
    from recognition.runtime.face_database import FaceDatabase

    return FaceDatabase(
        version="made",
        facenet=ExactIndex(world.facenet_references),  # type: ignore[arg-type]
        arcface=ExactIndex(world.arcface_references),  # type: ignore[arg-type]
        release=MadeRelease(world.face_performers),  # type: ignore[arg-type]
    )


@dataclass
class Trials:
    """The scores of right names, of strangers' names, and how many of each there were.

    `wrong` are the scores of other names: given to somebody known who is somebody else,
    or to what is no face.
    """

    known_count: int = 0
    stranger_count: int = 0
    right: list[float] = field(default_factory=list)
    strangers: list[float] = field(default_factory=list)
    wrong: list[float] = field(default_factory=list)

    def add(self, medium: Medium, people: Iterable[SeenPerson], score: Score) -> None:
        """Count what was made of one scene; an unknown person has no score."""
        known = {each for each in medium.people if each < medium.known_below}
        strangers = set(medium.people) - known
        self.known_count += len(known)
        self.stranger_count += len(strangers)
        right: dict[int, float] = {}
        named: dict[int, float] = {}
        for person in people:
            if not person.candidates:
                continue
            value, performer = score(person), person.candidates[0].performer
            owner = owner_of(medium, person)
            if performer in known:
                right[performer] = max(value, right.get(performer, -math.inf))
            elif owner in strangers:
                named[owner] = max(value, named.get(owner, -math.inf))
            else:
                self.wrong.append(value)
        self.right += right.values()
        self.strangers += named.values()

    def threshold_at(self, fpir: float) -> float:
        """Return the score above which no more than this share of strangers is."""
        allowed = math.floor(fpir * self.stranger_count)
        ranked = sorted(self.strangers, reverse=True)
        return ranked[allowed] if allowed < len(ranked) else -math.inf

    def fnir_at(self, fpir: float) -> float:
        """Return the share of the known who are not named above that threshold."""
        threshold = self.threshold_at(fpir)
        named = sum(score > threshold for score in self.right)
        return 1 - named / max(self.known_count, 1)


def owner_of(medium: Medium, person: SeenPerson) -> int:
    """Return whom most of the person's faces show."""
    owners = Counter(medium.owners[face] for face in person.faces)
    return owners.most_common(1)[0][0]


def is_right(medium: Medium, person: SeenPerson) -> bool:
    """Return whether the first candidate is whom most of the faces show."""
    return person.candidates[0].performer == owner_of(medium, person) != NOBODY


@dataclass
class Names:
    """Names given to a gallery's people: how many, how many rightly, of how many."""

    known_count: int = 0
    named_count: int = 0
    right_count: int = 0

    def add(self, medium: Medium, named: Iterable[int]) -> None:
        """Count the performers that were named in one gallery, each once."""
        known = {each for each in medium.people if each < medium.known_below}
        performers = set(named)
        self.known_count += len(known)
        self.named_count += len(performers)
        self.right_count += len(performers & known)

    @property
    def precision(self) -> float:
        return self.right_count / max(self.named_count, 1)

    @property
    def recall(self) -> float:
        return self.right_count / max(self.known_count, 1)


def names_at_recall(
    galleries: Sequence[tuple[Medium, list[SeenPerson]]], score: Score, *, recall: float
) -> Names:
    """Return the names above the highest threshold that gives this recall, or all."""
    scored = sorted(
        (
            (score(person), number, person.candidates[0].performer)
            for number, (_, people) in enumerate(galleries)
            for person in people
            if person.candidates
        ),
        reverse=True,
    )
    names = Names()
    for medium, _ in galleries:
        names.add(medium, ())
    given: set[tuple[int, int]] = set()
    for _, number, performer in scored:
        if names.recall >= recall:
            break
        if (number, performer) in given:
            continue
        given.add((number, performer))
        names.named_count += 1
        names.right_count += performer in galleries[number][0].people
    return names


def count_uncertain_names(people: Iterable[SeenPerson]) -> int:
    """Return how many who are uncertain have a name nevertheless: none, ever."""
    return sum(
        person.named is not None
        for person in people
        if person.decision is Decision.UNCERTAIN
    )
