"""Which people of a library are the same person, whoever that may be.

A person of a scene, image or gallery is one vector here, their *template*; a group is
the mean of its people's templates. What must not be together is told by marks: no
group has a mark that another of its people refuses. Somebody in a medium is not the
other people in it, so everybody has and refuses the mark of their medium.
"""

from collections.abc import Collection, Hashable, Sequence, Set
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recognition.numeric.arrays import Embeddings
from recognition.numeric.clustering import CLUSTER_THRESHOLD
from recognition.numeric.unit_vectors import unit_rows

# float32 [people, 1024], each of length 1, or 0 for one who resembles nobody; of
# groups, their means, which are shorter.
Templates = NDArray[np.float32]
Marks = Sequence[Set[Hashable]]

TEMPLATE_SIZE = 1024

# What the clustering of a scene's faces goes by. It serves a whole library as well, but
# only without what all people have in common; see docs/unknown-people.md.
SAME_PERSON_DISTANCE = CLUSTER_THRESHOLD
# The mean of a few people is mostly who they are. Of so many, half of it is taken off.
FEW_PEOPLE = 100

# Of a person's neighbours so many are looked at, which bounds memory where thousands
# are of one person; they are joined through nearer ones then.
MAX_NEIGHBOURS = 64
# What one product of templates may hold: 1,000 x 20,000 cosines are 80 MB.
_BLOCK_ROWS = 1000
# Rounds end when a round joins nothing. More than five were never seen.
_MAX_ROUNDS = 10
# A face that the quality says nothing good of still counts, where it is the only one.
_LEAST_WEIGHT = 1e-3


def person_template(
    facenet: Embeddings, arcface: Embeddings, qualities: Sequence[float]
) -> NDArray[np.float32]:
    """Return a person's faces as one vector: their mean by quality, of each embedder.

    A face that is zero or not finite counts for nothing; with no other the vector is
    zero. Half of a cosine is each embedder's, whatever their lengths were.
    """
    weights = np.nan_to_num(np.asarray(qualities, dtype=np.float64), nan=0.0)
    weights = np.maximum(weights, _LEAST_WEIGHT)
    halves = [weights @ unit_rows(each) for each in (facenet, arcface)]
    template: NDArray[np.float32] = unit_rows(
        unit_rows(np.stack(halves)).reshape(1, -1)
    )[0]
    return template


def shared_part(means: Templates, counts: NDArray[np.integer]) -> NDArray[np.float32]:
    """Return what the library's people have in common: their mean, less of a few.

    `counts` is of how many people each is the mean. It is taken off before anybody is
    compared: all faces look alike a little, bad ones a lot, and would draw each other.
    """
    total = counts.astype(np.float32) @ means
    shared: NDArray[np.float32] = total / np.float32(counts.sum() + FEW_PEOPLE)
    return shared


def group_people(
    means: Templates,
    counts: NDArray[np.integer],
    has: Marks,
    refuses: Marks,
    *,
    max_distance: float = SAME_PERSON_DISTANCE,
) -> list[list[int]]:
    """Return who is in each group, by position, in the order of their first ones.

    Each position is a person, or `counts` of them who are together anyhow. The nearest
    two are joined first, so the order they come in does not matter, and a group is as
    near as its mean. What was joined is compared again, until no two that may be one
    are nearer than `max_distance`.
    """
    own = _own_part(means, shared_part(means, counts)) * counts[:, np.newaxis]
    groups = [
        _Group([position], total, {*marks}, {*refused})
        for position, (total, marks, refused) in enumerate(
            zip(own.astype(np.float32), has, refuses, strict=True)
        )
    ]
    for _ in range(_MAX_ROUNDS):
        joined = _join_nearest_first(groups, max_distance=max_distance)
        if len(joined) == len(groups):
            break
        groups = joined
    return sorted(sorted(group.members) for group in groups)


@dataclass
class KnownGroups:
    """Groups that more people come to; `has` the marks that matter for those.

    `means` are of the people in them, `counts` how many these are.
    """

    means: Templates
    counts: NDArray[np.integer]
    has: dict[int, set[Hashable]] = field(default_factory=dict)


def join_groups(
    templates: Templates,
    marks: Sequence[Hashable],
    groups: KnownGroups,
    *,
    max_distance: float = SAME_PERSON_DISTANCE,
) -> list[int]:
    """Return the group that each person comes to, in their order.

    That is the nearest within `max_distance` that has not their mark, and for one with
    none a new one, numbered on. A group's mean moves with each who comes.
    """
    known = len(groups.means)
    shared = shared_part(groups.means, groups.counts)
    totals = np.zeros((known + len(templates), TEMPLATE_SIZE), dtype=np.float32)
    totals[:known] = _own_part(groups.means, shared) * groups.counts[:, np.newaxis]
    lengths = np.linalg.norm(totals, axis=1)
    has = {group: {*held} for group, held in groups.has.items()}
    joined: list[int] = []
    for own, mark in zip(_own_part(templates, shared), marks, strict=True):
        cosines = totals[:known] @ unit_rows(own[np.newaxis])[0]
        near = np.flatnonzero(cosines > (1 - max_distance) * lengths[:known])
        nearest_first = near[np.argsort(-cosines[near] / lengths[near], kind="stable")]
        free = (int(each) for each in nearest_first if mark not in has.get(each, ()))
        group = next(free, known)
        known = max(known, group + 1)
        totals[group] += own
        lengths[group] = np.linalg.norm(totals[group])
        has.setdefault(group, set()).add(mark)
        joined.append(group)
    return joined


def nearest_pairs(
    old: Templates,
    new: Templates,
    shared: NDArray[np.float32],
    *,
    max_distance: float = SAME_PERSON_DISTANCE,
) -> list[tuple[int, int]]:
    """Return which old person is which new one, each once at most, nearest first."""
    cosines = unit_rows(_own_part(old, shared)) @ unit_rows(_own_part(new, shared)).T
    return _best_pairs(cosines, more_than=1 - max_distance)


def overlapping_pairs(
    old: Sequence[Collection[int]], new: Sequence[Collection[int]]
) -> list[tuple[int, int]]:
    """Return which old set of faces is which new one, each once at most.

    At least half of the smaller is in the larger; those that share most come first.
    """
    shares = np.zeros((len(old), len(new)))
    for row, faces in enumerate(old):
        for column, others in enumerate(new):
            common = len({*faces} & {*others})
            if common and 2 * common >= min(len(faces), len(others)):
                shares[row, column] = common / len({*faces} | {*others})
    return _best_pairs(shares, more_than=0)


def _best_pairs(
    values: NDArray[np.floating], *, more_than: float
) -> list[tuple[int, int]]:
    rows, columns = np.nonzero(values > more_than)
    order = np.argsort(-values[rows, columns], kind="stable")
    pairs: dict[int, int] = {}
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row not in pairs and column not in pairs.values():
            pairs[row] = column
    return [*pairs.items()]


@dataclass(slots=True)
class _Group:
    members: list[int]
    total: NDArray[np.float32]
    has: set[Hashable]
    refuses: set[Hashable]

    def may_take(self, other: "_Group") -> bool:
        return self.has.isdisjoint(other.refuses) and other.has.isdisjoint(self.refuses)

    def is_near(self, other: "_Group", max_distance: float) -> bool:
        lengths = np.linalg.norm(self.total) * np.linalg.norm(other.total)
        return bool(self.total @ other.total > (1 - max_distance) * lengths)

    def take(self, other: "_Group") -> None:
        self.members += other.members
        self.total += other.total
        self.has |= other.has
        self.refuses |= other.refuses


def _join_nearest_first(groups: list[_Group], *, max_distance: float) -> list[_Group]:
    totals = (
        np.stack([group.total for group in groups])
        if groups
        else np.empty((0, TEMPLATE_SIZE))
    )
    first, second = _near_pairs(unit_rows(totals), max_distance=max_distance)
    # Which group each has become part of, through those that are parts themselves.
    parts = [*range(len(groups))]

    def whole(group: int) -> int:
        while parts[group] != group:
            parts[group] = group = parts[parts[group]]
        return group

    for one, other in zip(first.tolist(), second.tolist(), strict=True):
        keeper, joiner = sorted((whole(one), whole(other)))
        if (
            keeper != joiner
            and groups[keeper].may_take(groups[joiner])
            and groups[keeper].is_near(groups[joiner], max_distance)
        ):
            groups[keeper].take(groups[joiner])
            parts[joiner] = keeper
    return [group for number, group in enumerate(groups) if parts[number] == number]


def _near_pairs(
    means: NDArray[np.float32], *, max_distance: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs nearer than that, nearest first; of each its nearest alone."""
    nothing = np.empty(0, dtype=np.int64)
    pairs = [(nothing, nothing, nothing.astype(np.float32))]
    for start in range(0, len(means), _BLOCK_ROWS):
        block = means[start : start + _BLOCK_ROWS] @ means[start:].T
        # A pair once, and nobody with themselves.
        block[np.tril_indices(len(block))] = -1
        near = block > 1 - max_distance
        for row in np.flatnonzero(near.sum(axis=1) > MAX_NEIGHBOURS):
            far = np.argpartition(block[row], -MAX_NEIGHBOURS)[:-MAX_NEIGHBOURS]
            near[row, far] = False
        rows, columns = np.nonzero(near)
        pairs.append((rows + start, columns + start, block[rows, columns]))
    first, second, cosines = (np.concatenate(each) for each in zip(*pairs, strict=True))
    order = np.lexsort((second, first, -cosines))
    return first[order], second[order]


def _own_part(templates: Templates, shared: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the templates without what all share; what there is nothing of stays so.

    Two that an embedder could not read would resemble each other without that.
    """
    halves = templates.reshape(-1, 2, TEMPLATE_SIZE // 2)
    is_there = halves.any(axis=2, keepdims=True)
    own: NDArray[np.float32] = halves - is_there * shared.reshape(1, 2, -1)
    return own.reshape(-1, TEMPLATE_SIZE)
