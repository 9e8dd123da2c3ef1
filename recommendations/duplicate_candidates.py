"""Which pairs of scenes are worth scoring: near linear in the number of scenes.

Four sources. (A) The same id at a stash-box. (B) pHashes within ten bits. (C) One
studio and cast on one day; and where faces were seen in both, one studio and performer
within a week or of one duration. (D) The same people seen, on one day or of one
duration. All but (B) sort the scenes of a block and pair each with the few that follow
it, so that a studio with thousands of scenes of one performer costs no more than
others; what a block leaves out for that is counted.

(C) is no wider because it need not be: without near pHashes, an id or faces a pair
reaches MIN_CONFIDENCE only by one day, one studio and the same cast.

Such a pair, which the metadata alone speak for, is told only where nothing speaks
against it: neither pictures that have nothing in common nor other lengths. A studio
that publishes two scenes of one performer on a day has as many of these as days, and
the recorded scores, which know no evidence against, tell of each.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntFlag
from itertools import count

import numpy as np
from numpy.typing import NDArray

from recommendations.phash_pairs import (
    Positions,
    find_phash_pairs,
    ignore_check,
    is_telling,
)
from recommendations.scoring import (
    MAX_PHASH_DISTANCE,
    MIN_CONFIDENCE,
    UNKNOWN_PERFORMER,
    FaceCounts,
    PairScore,
    SceneFacts,
    day_number,
    score_pair,
)

MAX_DAYS_APART = 7
# Copies of a recording differ by how their encoders end them.
MAX_SECONDS_APART = 2.0
# Of two pHashes of different pictures one pair in five hundred is that near.
MIN_OTHER_PICTURES_DISTANCE = 21
# Of the longer scene. An opening or a studio's title is cut off copies, and no more.
MAX_LENGTH_DIFFERENCE = 0.1
# In a block a scene is paired with so many of those that follow it. More than these of
# one week, or of one length, are a studio's habit.
MAX_FOLLOWERS = 30
# People who were seen in a scene less often than this of all faces are passers-by.
MIN_FACE_PROPORTION = 0.05
_PAIRS_BETWEEN_CHECKS = 5_000
_ALL_BITS = 2**64 - 1

Faces = Mapping[str, FaceCounts]


class Source(IntFlag):
    """What made a pair a candidate; several may."""

    STASH_ID = 1
    PHASH = 2
    METADATA = 4
    FACES = 8


@dataclass(frozen=True)
class Candidates:
    """Pairs of positions in the scenes, `first` < `second`, in their order, each once.

    `sources` are of `Source`. `cut_counts` tells by source how many scenes were not
    paired with all of their block; for PHASH how many hashes are in a crowd.
    """

    first: Positions
    second: Positions
    sources: NDArray[np.uint8]
    cut_counts: Mapping[Source, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class ScoredPair:
    """Two scenes that are likely the same, the one that came first being `a`."""

    a: SceneFacts
    b: SceneFacts
    score: PairScore
    sources: Source


def find_candidates(
    scenes: Sequence[SceneFacts],
    *,
    faces: Faces | None = None,
    check: Callable[[], None] = ignore_check,
) -> Candidates:
    """Return the pairs worth scoring; `faces` are by scene id.

    `check` is called about every second, more often by long work, and may raise, to
    stop.
    """
    days = [day_number(scene.date) for scene in scenes]
    check()
    found = [
        _by_stash_id(scenes),
        _by_phash(scenes, check),
        _by_metadata(scenes, days, faces or {}),
        _by_faces(scenes, days, faces or {}),
    ]
    check()
    first = np.concatenate([pairs.first for pairs in found])
    second = np.concatenate([pairs.second for pairs in found])
    sources = np.concatenate(
        [np.full(len(pairs.first), pairs.source, dtype=np.uint8) for pairs in found]
    )
    keys = first * max(len(scenes), 1) + second
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    merged = np.bitwise_or.reduceat(sources[order], starts) if len(starts) else sources
    return Candidates(
        first=first[order][starts],
        second=second[order][starts],
        sources=merged,
        cut_counts={pairs.source: pairs.cut_count for pairs in found},
    )


def iter_duplicates(
    scenes: Sequence[SceneFacts],
    candidates: Candidates,
    *,
    faces: Faces | None = None,
    min_confidence: float = MIN_CONFIDENCE,
    check: Callable[[], None] = ignore_check,
) -> Iterator[ScoredPair]:
    """Yield the candidates that score high enough, in their order.

    Without those that the metadata speak for and pictures or lengths against.
    """
    people = faces or {}
    phashes, has_phash = _phashes_of(scenes)
    both = has_phash[candidates.first] & has_phash[candidates.second]
    distances = np.bitwise_count(
        phashes[candidates.first] ^ phashes[candidates.second]
    ).astype(np.int16)
    distances[~both] = -1
    rows = zip(
        candidates.first.tolist(),
        candidates.second.tolist(),
        candidates.sources.tolist(),
        distances.tolist(),
        strict=True,
    )
    for number, (first, second, sources, distance) in enumerate(rows):
        if number % _PAIRS_BETWEEN_CHECKS == 0:
            check()
        a, b = scenes[first], scenes[second]
        score = score_pair(
            a,
            b,
            phash_distance=None if distance < 0 else distance,
            faces_a=people.get(a.scene_id),
            faces_b=people.get(b.scene_id),
        )
        if score.confidence >= min_confidence and not is_contradicted(a, b, score):
            yield ScoredPair(a, b, score, Source(sources))


def is_contradicted(a: SceneFacts, b: SceneFacts, score: PairScore) -> bool:
    """Return whether the metadata alone speak for a pair, and something against it."""
    distance = score.phash_distance
    if score.stash_box_endpoint is not None or score.faces.score:
        return False
    if distance is not None and distance <= MAX_PHASH_DISTANCE:
        return False
    if distance is not None and distance >= MIN_OTHER_PICTURES_DISTANCE:
        return True
    if not (a.duration_seconds and b.duration_seconds):
        return False
    shorter, longer = sorted((a.duration_seconds, b.duration_seconds))
    return longer - shorter > MAX_LENGTH_DIFFERENCE * longer


@dataclass(frozen=True)
class _Found:
    source: Source
    first: Positions
    second: Positions
    cut_count: int


def _by_stash_id(scenes: Sequence[SceneFacts]) -> _Found:
    blocks = _Blocks()
    for position, scene in enumerate(scenes):
        for stash_id in scene.stash_ids:
            blocks.add(stash_id, position, 0.0)
    return _found(Source.STASH_ID, [blocks.pairs(within=0.0)])


def _by_phash(scenes: Sequence[SceneFacts], check: Callable[[], None]) -> _Found:
    phashes, has_phash = _phashes_of(scenes)
    positions = np.flatnonzero(has_phash)
    pairs = find_phash_pairs(phashes[positions], check=check)
    return _Found(
        Source.PHASH,
        positions[pairs.first],
        positions[pairs.second],
        pairs.crowded_count,
    )


def _by_metadata(
    scenes: Sequence[SceneFacts], days: Sequence[int | None], faces: Faces
) -> _Found:
    by_cast, by_day, by_length = _Blocks(), _Blocks(), _Blocks()
    for position, (scene, day) in enumerate(zip(scenes, days, strict=True)):
        if scene.studio_id is None or not scene.performer_ids:
            continue
        if day is not None:
            by_cast.add((scene.studio_id, scene.performer_ids), position, day)
        if not faces.get(scene.scene_id):
            continue
        for performer in sorted(scene.performer_ids):
            block = (scene.studio_id, performer)
            if day is not None:
                by_day.add(block, position, day)
            if scene.duration_seconds:
                by_length.add(block, position, scene.duration_seconds)
    return _found(
        Source.METADATA,
        [
            by_cast.pairs(within=0.0),
            by_day.pairs(within=MAX_DAYS_APART),
            by_length.pairs(within=MAX_SECONDS_APART),
        ],
    )


def _by_faces(
    scenes: Sequence[SceneFacts], days: Sequence[int | None], faces: Faces
) -> _Found:
    by_day, by_length = _Blocks(), _Blocks()
    for position, (scene, day) in enumerate(zip(scenes, days, strict=True)):
        people = _people(faces.get(scene.scene_id, {}))
        if not people:
            continue
        if day is not None:
            by_day.add(people, position, day)
        if scene.duration_seconds:
            by_length.add(people, position, scene.duration_seconds)
    return _found(
        Source.FACES,
        [by_day.pairs(within=0.0), by_length.pairs(within=MAX_SECONDS_APART)],
    )


def _people(faces: FaceCounts) -> frozenset[str]:
    """Return who was seen in a scene, but for passers-by and people without a name."""
    total = sum(faces.values())
    return frozenset(
        performer
        for performer, seen in faces.items()
        if performer != UNKNOWN_PERFORMER and seen >= MIN_FACE_PROPORTION * total
    )


class _Blocks:
    """Scenes by what they share, each with a number that near ones are near in."""

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}
        self._blocks: list[int] = []
        self._positions: list[int] = []
        self._values: list[float] = []

    def add(self, block: object, position: int, value: float) -> None:
        """Put a scene into the block that `block` names."""
        number = self._numbers.setdefault(block, len(self._numbers))
        self._blocks.append(number)
        self._positions.append(position)
        self._values.append(value)

    def pairs(self, *, within: float) -> tuple[Positions, Positions, int]:
        """Return pairs of one block whose values differ by `within` at most.

        Also how many scenes have more than MAX_FOLLOWERS such, of which the nearest
        are taken.
        """
        blocks = np.array(self._blocks, dtype=np.int64)
        positions = np.array(self._positions, dtype=np.int64)
        values = np.array(self._values, dtype=np.float64)
        order = np.lexsort((positions, values, blocks))
        blocks, positions, values = blocks[order], positions[order], values[order]
        lefts, rights = [positions[:0]], [positions[:0]]
        places = np.arange(len(order) - 1 if len(order) else 0)
        for offset in count(1):
            # Values are in order: who has no near one here has none further on.
            places = places[places + offset < len(order)]
            is_near = (blocks[places] == blocks[places + offset]) & (
                values[places + offset] - values[places] <= within
            )
            places = places[is_near]
            if not len(places) or offset > MAX_FOLLOWERS:
                break
            lefts.append(positions[places])
            rights.append(positions[places + offset])
        return np.concatenate(lefts), np.concatenate(rights), len(places)


def _found(source: Source, parts: Iterable[tuple[Positions, Positions, int]]) -> _Found:
    lefts, rights, cut_counts = zip(*parts, strict=True)
    left, right = np.concatenate(lefts), np.concatenate(rights)
    return _Found(
        source, np.minimum(left, right), np.maximum(left, right), sum(cut_counts)
    )


def _phashes_of(
    scenes: Sequence[SceneFacts],
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return the pHashes, 0 where there is none, and which say something."""
    # Stash's database has them with a sign.
    unsigned = ((scene.phash or 0) & _ALL_BITS for scene in scenes)
    phashes = np.fromiter(unsigned, dtype=np.uint64, count=len(scenes))
    return phashes, is_telling(phashes)
