"""Re-ranking: a person's candidates in a new order by evidence other than the face.

    score = face score x body multiplier x tattoo multiplier, the greatest first

Distances stay those of the face. So does confidence, but that nobody's is above that
of whoever stands before them: evidence can take a lead away, and never makes a face
look nearer than it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class FaceCandidate:
    """What matching by face says of one performer; None where nothing was compared."""

    universal_id: str
    distance: float | None
    confidence: float


@dataclass(frozen=True, slots=True)
class Multipliers:
    """What evidence says of one candidate; 1 says nothing."""

    body: float = 1.0
    tattoo: float = 1.0


@dataclass(frozen=True, slots=True)
class RankedCandidate:
    """A candidate's new place: `position` is where it stood before."""

    position: int
    score: float
    confidence: float
    multipliers: Multipliers


@dataclass(frozen=True, slots=True)
class EvidencedPerson:
    """A person's candidates, likeliest first by face, and the evidence on each."""

    candidates: Sequence[FaceCandidate]
    multipliers: Sequence[Multipliers]


def rerank(person: EvidencedPerson) -> list[RankedCandidate]:
    """Return the person's candidates by score: all of them, and nobody else.

    The order given is what matching made of the faces, votes and tags included: a
    candidate's face score is at most that of the one before, though its distance may be
    smaller. So evidence that says the same of all leaves the order alone.
    """
    distances = [candidate.distance for candidate in person.candidates]
    face_scores = _descending([1 / (1 + max(0.0, one or 0.0)) for one in distances])
    scores = [
        face_score * multipliers.body * multipliers.tattoo
        for face_score, multipliers in zip(face_scores, person.multipliers, strict=True)
    ]
    order = sorted(range(len(scores)), key=lambda position: -scores[position])
    return _ranked(person, scores, order)


def rerank_people(people: Sequence[EvidencedPerson]) -> list[list[RankedCandidate]]:
    """Return each person's ranking, where evidence makes nobody two people.

    A person who was somebody by face leaves them only for a performer who is nobody
    else at that moment; people given first choose first.
    """
    rankings = [rerank(person) for person in people]
    best = [
        person.candidates[0].universal_id if person.candidates else None
        for person in people
    ]
    for number, (person, ranking) in enumerate(zip(people, rankings, strict=True)):
        others = {*best[:number], *best[number + 1 :]}
        for ranked in ranking:
            performer = person.candidates[ranked.position].universal_id
            # Whom the face alone gave them is theirs, so this ends at the latest there.
            if ranked.position == 0 or performer not in others:
                best[number] = performer
                rankings[number] = _with_first(person, ranking, ranked.position)
                break
    return rankings


def _with_first(
    person: EvidencedPerson, ranking: list[RankedCandidate], first: int
) -> list[RankedCandidate]:
    """Return the ranking with the candidate at that position before all others."""
    scores = {ranked.position: ranked.score for ranked in ranking}
    rest = [ranked.position for ranked in ranking if ranked.position != first]
    return _ranked(person, scores, [first, *rest])


def _ranked(
    person: EvidencedPerson,
    scores: Mapping[int, float] | Sequence[float],
    order: Sequence[int],
) -> list[RankedCandidate]:
    confidences = _descending([person.candidates[one].confidence for one in order])
    return [
        RankedCandidate(
            position, scores[position], confidence, person.multipliers[position]
        )
        for position, confidence in zip(order, confidences, strict=True)
    ]


def _descending(values: Sequence[float]) -> list[float]:
    """Return the values, each cut down to the smallest before it."""
    return list(accumulate(values, min))
