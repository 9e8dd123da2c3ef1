"""Which faces show one person, when good faces come first and no frame is forgotten.

Faces join groups from the best to the worst, so that a blurred face is compared with
what is known of a person by then and not the other way round. Two faces of one frame
are two people, whatever they look like. Groups that turn out to be one are joined, and
small ones absorbed, where the evidence is better than for any other group.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.numeric.clustering import Cluster
from recognition.numeric.templates import FaceVectors
from recognition.numeric.unit_vectors import unit_rows

# The mean cosine from which a face belongs to a person's template, and from which two
# templates are one person: a template of many faces is nearer to its person than a
# face is. With them 99.6 % of the faces of benchmarks/open_set.py's harder world are
# grouped with their own kind, 97 % of each person's in one group; two people's faces
# there have a mean cosine of 0.09, and one in a hundred pairs more than 0.20.
JOIN_SIMILARITY = 0.35
MERGE_SIMILARITY = 0.45
# Groups of so few faces are absorbed at a lower similarity, where it is clearly theirs.
SMALL_GROUP = 2
ABSORB_SIMILARITY = 0.33
ABSORB_MARGIN = 0.08

# Less than any cosine: two that cannot be one.
_APART = np.float32(-2)


def group_faces(
    vectors: FaceVectors,
    frames: Sequence[int],
    *,
    join_similarity: float = JOIN_SIMILARITY,
    merge_similarity: float = MERGE_SIMILARITY,
) -> list[Cluster]:
    """Return the groups of one or more faces by position, by their first faces.

    A face that is worth nothing is a group of its own.
    """
    groups = _Groups(vectors, frames)
    for face in np.argsort(-vectors.weights, kind="stable").tolist():
        group, likeness = groups.nearest_to_face(face)
        groups.add(group if likeness >= join_similarity else None, face)
    groups.merge(merge_similarity)
    groups.absorb(join_similarity)
    return groups.clusters()


def can_be_one(one: Sequence[int], other: Sequence[int], frames: Sequence[int]) -> bool:
    """Return whether no frame shows a face of each."""
    return {frames[face] for face in one}.isdisjoint(frames[face] for face in other)


class _Groups:
    """Groups of faces, the direction of each in both spaces, and its frames."""

    def __init__(self, vectors: FaceVectors, frames: Sequence[int]) -> None:
        count = len(vectors)
        self._weights = vectors.weights
        self._rows = np.stack([vectors.facenet, vectors.arcface], axis=1)
        _, self._frame_of = np.unique(np.asarray(frames), return_inverse=True)
        self._members: list[list[int]] = []
        self._sums = np.zeros(self._rows.shape, dtype=np.float64)
        self._units = np.zeros(self._rows.shape, dtype=np.float32)
        # Whether a group has a face in a frame; numbers, to be multiplied.
        self._is_in = np.zeros((count, self._frame_of.max() + 1), dtype=np.float32)

    def nearest_to_face(self, face: int) -> tuple[int, float]:
        """Return the group most like the face that has no other of its frame."""
        count = len(self._members)
        if not count or self._weights[face] == 0:
            return 0, float(_APART)
        likeness = self._likeness(self._rows[face])
        likeness[self._is_in[:count, self._frame_of[face]] > 0] = _APART
        best = int(likeness.argmax())
        return best, float(likeness[best])

    def add(self, group: int | None, face: int) -> None:
        """Put a face into the group, or into a new one."""
        if group is None:
            group = len(self._members)
            self._members.append([])
        self._members[group].append(face)
        self._is_in[group, self._frame_of[face]] = 1
        self._sums[group] += self._weights[face] * self._rows[face]
        self._units[group] = unit_rows(self._sums[group])

    def merge(self, merge_similarity: float) -> None:
        """Join groups that are one person, the most alike first."""
        count = len(self._members)
        units = self._units[:count].reshape(count, -1)
        likeness = units @ units.T / 2
        likeness[self._is_in[:count] @ self._is_in[:count].T > 0] = _APART
        everyone = np.arange(count)
        # Of each the most alike, kept up to date: looking at all pairs for every merge
        # would take minutes for a gallery of thousands.
        best = likeness.argmax(axis=1)
        while (values := likeness[everyone, best]).max() >= merge_similarity:
            one = int(values.argmax())
            source, target = max(one, int(best[one])), min(one, int(best[one]))
            self._move(source, target)
            likeness[source], likeness[:, source] = _APART, _APART
            likeness[target] = likeness[:, target] = self._allowed(target)
            is_nearer = likeness[:, target] > likeness[everyone, best]
            is_stale = (best == source) | (best == target)
            best[is_nearer] = target
            is_stale[target] = True
            best[is_stale] = likeness[is_stale].argmax(axis=1)

    def absorb(self, join_similarity: float) -> None:
        """Give small groups to the group that they clearly belong to.

        A face that came before its person's group was what it is now joins it as any
        face would; a less similar one where no other group is nearly as similar.
        """
        for group, members in enumerate(self._members):
            if not 0 < len(members) <= SMALL_GROUP:
                continue
            likeness = self._allowed(group)
            best = int(likeness.argmax())
            nearest = float(likeness[best])
            likeness[best] = _APART
            next_best = max(float(likeness.max()), 0.0)
            is_clear = nearest - next_best >= ABSORB_MARGIN
            if nearest >= (ABSORB_SIMILARITY if is_clear else join_similarity):
                self._move(group, best)

    def clusters(self) -> list[Cluster]:
        return sorted(sorted(members) for members in self._members if members)

    def _allowed(self, own: int) -> NDArray[np.float32]:
        """Return how like the group each other is that can be the same person."""
        likeness = self._likeness(self._units[own])
        frames = np.unique(self._frame_of[self._members[own]])
        is_in = self._is_in[: len(self._members)]
        likeness[is_in[:, frames].any(axis=1)] = _APART
        likeness[[not members for members in self._members]] = _APART
        likeness[own] = _APART
        return likeness

    def _likeness(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        units = self._units[: len(self._members)]
        likeness: NDArray[np.float32] = (
            units[:, 0] @ rows[0] + units[:, 1] @ rows[1]
        ) / np.float32(2)
        return likeness

    def _move(self, source: int, target: int) -> None:
        self._members[target] += self._members[source]
        self._is_in[target] += self._is_in[source]
        self._sums[target] += self._sums[source]
        self._members[source] = []
        self._is_in[source] = self._sums[source] = self._units[source] = 0
        self._units[target] = unit_rows(self._sums[target])
