"""From clustered faces to people with names: the three matching modes of a scene.

A cluster is a person. The modes differ in how they rank the performers near a
person's faces; what they share is told at `match_scene`. Distances are compared, never
embeddings.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

from recognition.numeric.clustering import Cluster
from recognition.numeric.fusion import Candidate
from recognition.numeric.people import MatchingMode, PersonCandidate, SeenPerson

# A performer whose nearest face leaves less confidence than this is nobody's match.
# The predecessor's bound; it counts only where more than 0.65 of distance is allowed.
MIN_CONFIDENCE = 0.35

# Of the predecessor: each further frame is worth a tenth of the nearest face, and a
# performer whom the library already names in the scene gets ahead of an equal.
FRAME_BONUS = 0.1
TAG_BONUS = 0.03

# Hybrid wants a performer near a person in two frames, and trusts one more whom the
# scene as a whole and the person's own faces agree upon.
HYBRID_MIN_FRAMES = 2
HYBRID_FRAME_BONUS = 0.05
HYBRID_AGREEMENT_BONUS = 0.25

# How many people hybrid names for each candidate asked for, two at least, and how many
# performers the scene votes for in each of their places.
HYBRID_NAMED_PER_TOP_K = 2
HYBRID_VOTES_PER_NAMED = 3


@dataclass(frozen=True, slots=True)
class ClusteredFaces:
    """The faces of a scene or gallery by position: frames, candidates, clusters.

    The candidates of a face are nearest first, one for each performer.
    """

    frames: Sequence[int]
    candidates: Sequence[Sequence[Candidate]]
    clusters: Sequence[Cluster]


@dataclass(frozen=True, slots=True)
class Support:
    """What speaks for one performer among some faces; distances are means.

    `nearest` is the smallest of the distances whose mean is `distance`.
    """

    performer: int
    nearest: float
    distance: float
    facenet_distance: float | None
    arcface_distance: float | None
    face_count: int
    frame_count: int

    @property
    def confidence(self) -> float:
        """The nearest distance turned round and clipped: 0…1, larger is better."""
        return min(max(1.0 - self.nearest, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class _Person:
    faces: Cluster
    frame_count: int
    supports: list[Support]


def match_scene(
    faces: ClusteredFaces,
    *,
    mode: MatchingMode,
    top_k: int,
    max_distance: float,
    tagged: Set[int] = frozenset(),
    kept_count: int = 0,
) -> list[SeenPerson]:
    """Return every person, the named ones first, then by the number of frames.

    The first candidate of a person is who they are taken for, and no two people are
    taken for one performer; a person who is left without anybody has no candidates.
    `tagged` performers get a little ahead of the others. `kept_count` candidates stay
    where that is more than `top_k`; it changes nobody's place.

    A candidate's distance is the mean over the person's faces near them. Confidence
    is that of the nearest face, which is what was accepted, and no larger than the
    confidence of the candidate before, for the order also weighs how often.
    """
    people = [
        _Person(
            faces=cluster,
            frame_count=len({faces.frames[face] for face in cluster}),
            supports=_accepted(faces, cluster, max_distance),
        )
        for cluster in faces.clusters
        if cluster
    ]
    # Of two of one size the one with the nearer performer, whichever came first.
    people.sort(key=lambda person: (-len(person.faces), _nearest(person)))
    match mode:
        case MatchingMode.FREQUENCY:
            ranked = _by_frequency(people, tagged=tagged)
        case MatchingMode.CLUSTER:
            ranked = _by_cluster(people, tagged=tagged)
        case MatchingMode.HYBRID:
            everybody = _accepted(faces, range(len(faces.frames)), max_distance)
            ranked = _by_both(people, everybody, top_k=top_k, tagged=tagged)
        case MatchingMode.TEMPLATE:
            raise ValueError("Mode template does not judge faces one by one.")
    seen = [
        SeenPerson(
            faces=tuple(person.faces),
            frame_count=person.frame_count,
            candidates=_shown(supports[: max(top_k, kept_count)]),
        )
        for person, supports in zip(people, ranked, strict=True)
    ]
    return sorted(seen, key=lambda person: (not person.candidates, -person.frame_count))


def gather_supports(
    faces: ClusteredFaces, among: Iterable[int], *, max_distance: float
) -> list[Support]:
    """Return the support of every performer within the distance of these faces."""
    near: dict[int, list[tuple[int, Candidate]]] = {}
    for face in among:
        for candidate in faces.candidates[face]:
            if candidate.distance <= max_distance:
                near.setdefault(candidate.performer, []).append(
                    (faces.frames[face], candidate)
                )
    return [
        Support(
            performer=performer,
            nearest=min(candidate.distance for _, candidate in seen),
            distance=_mean([candidate.distance for _, candidate in seen]),
            facenet_distance=_mean_known([c.facenet_distance for _, c in seen]),
            arcface_distance=_mean_known([c.arcface_distance for _, c in seen]),
            face_count=len(seen),
            frame_count=len({frame for frame, _ in seen}),
        )
        for performer, seen in near.items()
    ]


def frequency_score(support: Support, *, tagged: Set[int]) -> float:
    """Return how likely the performer is: how near at best, and in how many frames."""
    frames = 1 + FRAME_BONUS * (support.frame_count - 1)
    return (1 - support.nearest) * frames + _tag_bonus(support, tagged)


def _by_frequency(people: list[_Person], *, tagged: Set[int]) -> list[list[Support]]:
    """Return each person's performers by frequency score; the largest choose first.

    Who was chosen by another person may still follow as an alternative, for a human
    may know better.
    """
    used: set[int] = set()
    chosen: list[list[Support]] = []
    for person in people:
        ranked = _ranked(
            person.supports, lambda one: frequency_score(one, tagged=tagged)
        )
        free = next((one for one in ranked if one.performer not in used), None)
        if free is None:
            chosen.append([])
            continue
        used.add(free.performer)
        chosen.append([free, *(one for one in ranked if one is not free)])
    return chosen


def _by_cluster(people: list[_Person], *, tagged: Set[int]) -> list[list[Support]]:
    """Return each person's performers by how near and how near how many of the faces.

    The largest choose first, and who was chosen is nobody else's from then on.
    """
    used: set[int] = set()
    chosen = []
    for person in people:
        ranked = _by_aggregate(person, tagged=tagged)
        free = [one for one in ranked if one.performer not in used]
        used |= {one.performer for one in free[:1]}
        chosen.append(free)
    return chosen


def _by_both(
    people: list[_Person],
    everybody: list[Support],
    *,
    top_k: int,
    tagged: Set[int],
) -> list[list[Support]]:
    """Return at most one performer a person, by the votes of scene and person both.

    The scene votes for the performers near faces in several frames, a person for the
    one who is best by its own faces. Pairs are made from the best downwards. Evidence
    counts for the person it was seen on: being near in many frames of somebody else
    names nobody.
    """
    most_named = HYBRID_NAMED_PER_TOP_K * max(top_k, 1)
    voted = _voted(everybody, count=HYBRID_VOTES_PER_NAMED * most_named, tagged=tagged)
    pairs = [
        (-score, support.nearest, support.performer, index, support)
        for index, person in enumerate(people)
        for score, support in _scored_pairs(person, voted, tagged=tagged)
    ]
    chosen: list[list[Support]] = [[] for _ in people]
    used: set[int] = set()
    for _, _, performer, index, support in sorted(pairs, key=lambda pair: pair[:4]):
        if len(used) < most_named and performer not in used and not chosen[index]:
            used.add(performer)
            chosen[index] = [support]
    return chosen


def _scored_pairs(
    person: _Person, voted: dict[int, Support], *, tagged: Set[int]
) -> Iterator[tuple[float, Support]]:
    """Yield whom the person may be, with what speaks for it.

    Agreed upon is who was voted for and is also the best by the person's own faces.
    """
    for place, own in enumerate(_by_aggregate(person, tagged=tagged)):
        distances = [_aggregate(person, own)] if place == 0 else []
        if own.performer in voted:
            distances.append(voted[own.performer].distance)
        if own.frame_count < HYBRID_MIN_FRAMES or not distances:
            continue
        confidence = 1 - min(distances)
        if confidence < MIN_CONFIDENCE:
            continue
        if len(distances) == 2:
            confidence = min(1.0, confidence + HYBRID_AGREEMENT_BONUS)
        frames = 1 + HYBRID_FRAME_BONUS * (own.frame_count - 1)
        yield confidence * frames + _tag_bonus(own, tagged), own


def _voted(
    everybody: list[Support], *, count: int, tagged: Set[int]
) -> dict[int, Support]:
    """Return the performers whom the scene as a whole speaks for most."""
    often = [one for one in everybody if one.frame_count >= HYBRID_MIN_FRAMES]
    often = _ranked(often, lambda one: frequency_score(one, tagged=tagged))
    return {one.performer: one for one in often[:count]}


def _by_aggregate(person: _Person, *, tagged: Set[int]) -> list[Support]:
    return _ranked(
        person.supports,
        lambda one: _tag_bonus(one, tagged) - _aggregate(person, one),
    )


def _aggregate(person: _Person, support: Support) -> float:
    """Return the mean distance, larger the fewer of the person's faces are near."""
    return support.distance / math.sqrt(support.face_count / len(person.faces))


def _accepted(
    faces: ClusteredFaces, among: Iterable[int], max_distance: float
) -> list[Support]:
    return [
        support
        for support in gather_supports(faces, among, max_distance=max_distance)
        if 1 - support.nearest >= MIN_CONFIDENCE
    ]


def _ranked(
    supports: list[Support], score: Callable[[Support], float]
) -> list[Support]:
    """Return the supports, the largest score first; of equals the nearer one."""
    return sorted(supports, key=lambda one: (-score(one), one.nearest, one.performer))


def _shown(supports: list[Support]) -> tuple[PersonCandidate, ...]:
    confidence = 1.0
    shown = []
    for support in supports:
        confidence = min(confidence, support.confidence)
        shown.append(
            PersonCandidate(
                performer=support.performer,
                distance=support.distance,
                facenet_distance=support.facenet_distance,
                arcface_distance=support.arcface_distance,
                confidence=confidence,
                frame_count=support.frame_count,
            )
        )
    return tuple(shown)


def _nearest(person: _Person) -> float:
    return min((support.nearest for support in person.supports), default=math.inf)


def _tag_bonus(support: Support, tagged: Set[int]) -> float:
    return TAG_BONUS if support.performer in tagged else 0.0


def _mean(distances: list[float]) -> float:
    # Exact sums: the order of the frames must not show in the last digit.
    return math.fsum(distances) / len(distances)


def _mean_known(distances: list[float | None]) -> float | None:
    known = [distance for distance in distances if distance is not None]
    return _mean(known) if known else None
