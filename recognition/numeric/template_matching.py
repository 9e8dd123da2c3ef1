"""Who people are, all of a scene, gallery or picture together: an open-set decision.

Every person may be anybody of the release or nobody. Pairs of person and performer are
chosen so that the sum of what speaks for them is largest, each person and each
performer once; then a calibrated score decides what the owner is told.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from recognition.numeric.calibration import Calibration
from recognition.numeric.clustering import Cluster
from recognition.numeric.people import PersonCandidate, SeenPerson
from recognition.numeric.template_scoring import PerformerScores

# A performer whom the library names in the scene gets ahead of an equal: by as much as
# an embedder's noise moves a score from one frame to the next.
TAG_BONUS = 0.5


@dataclass(frozen=True)
class ScoredPerson:
    """A person's faces by position, in how many frames, and who it may be."""

    faces: Cluster
    frame_count: int
    scores: PerformerScores


def decide(
    people: Sequence[ScoredPerson],
    calibration: Calibration,
    *,
    top_k: int,
    tagged: Set[int] = frozenset(),
    kept_count: int = 0,
) -> list[SeenPerson]:
    """Return the people, the named ones first, then by the number of frames.

    Named is who scores at least `known_score`; from `uncertain_score` on performers
    are proposed; below, the person is somebody the release does not know. A performer
    who is named for one person is no other's first candidate; who is left with another
    than the likeliest for it is uncertain, as somebody in a mirror is. Confidence is
    the calibrated probability that a candidate is right; all together are at most 1.
    `tagged` and `kept_count` are those of `match_scene`.
    """
    chosen = _assign(people, calibration.uncertain_score, tagged=tagged)
    seen = [
        _seen_person(person, place, calibration, limit=max(top_k, kept_count))
        for person, place in zip(people, chosen, strict=True)
    ]
    return sorted(
        seen, key=lambda one: (not one.named, not one.candidates, -one.frame_count)
    )


def _assign(
    people: Sequence[ScoredPerson], least_score: float, *, tagged: Set[int]
) -> list[int | None]:
    """Return the place of each person's performer among their scores, or None."""
    columns = {
        performer: column
        for column, performer in enumerate(
            sorted({int(row) for each in people for row in each.scores.performers})
        )
    }
    gains = np.zeros((len(people), len(columns)))
    for row, person in enumerate(people):
        for performer, score in zip(
            person.scores.performers.tolist(), person.scores.scores, strict=True
        ):
            if score >= least_score:
                # The smallest gain, too, is better than nobody.
                bonus = TAG_BONUS if performer in tagged else 0.0
                gains[row, columns[performer]] = score - least_score + bonus + 1e-6
    chosen: list[int | None] = [None] * len(people)
    performers = [*columns]
    pairs = linear_sum_assignment(gains, maximize=True)
    for row, column in np.column_stack(pairs).tolist():
        if gains[row, column] > 0:
            rows = people[row].scores.performers
            chosen[row] = int(np.flatnonzero(rows == performers[column])[0])
    return chosen


def _seen_person(
    person: ScoredPerson, place: int | None, calibration: Calibration, *, limit: int
) -> SeenPerson:
    scores = person.scores
    if place is None:
        return SeenPerson(tuple(person.faces), person.frame_count, ())
    others = [
        other
        for other in range(len(scores))
        if other != place and scores.scores[other] >= calibration.uncertain_score
    ]
    candidates = []
    confidence, left = 1.0, 1.0
    for one in [place, *others][:limit]:
        score = float(scores.scores[one])
        confidence = min(confidence, calibration.probability(score), left)
        left -= confidence
        candidates.append(
            PersonCandidate(
                performer=int(scores.performers[one]),
                distance=float(scores.distances[one]),
                facenet_distance=float(scores.facenet_distances[one]),
                arcface_distance=float(scores.arcface_distances[one]),
                confidence=confidence,
                frame_count=person.frame_count,
                nearest_distance=float(scores.distances[one]),
                score=score,
                margin=scores.margin(one),
            )
        )
    return SeenPerson(
        faces=tuple(person.faces),
        frame_count=person.frame_count,
        candidates=tuple(candidates),
        is_uncertain=(
            float(scores.scores[place]) < calibration.known_score
            or scores.scores[place] < scores.scores.max() - TAG_BONUS
        ),
    )
