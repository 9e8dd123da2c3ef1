"""Faces of local performers, compared beside those of a release.

They are searched exactly: a few thousand rows take less than an index over hundreds of
thousands. Their rows, and those of their performers, follow the release's. Knows no
Django.

They lie in segments, files for processes to map and share, of some hundred performers
each, so that learning one writes little: float32 [2, faces, 512], FaceNet's and then
ArcFace's, of length one. Single precision, twice the size of what the database keeps:
distances are computed on the mapped pages then, with no copy, and a face's bits are the
same in every revision.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dbupdates.prepared import Performer, PreparedRelease
from recognition.numeric.arrays import Embeddings
from recognition.numeric.fusion import Neighbours
from recognition.runtime.embedders import EMBEDDING_SIZE
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.vector_index import VectorIndex
from stashsense.files import write_atomically

LOCAL_SOURCE = "local"

# Distances to 25,000 faces are 10 MB then.
PROBES_AT_A_TIME = 100


def local_universal_id(stash_id: int) -> str:
    """Return the universal id of a performer of the library."""
    return f"{LOCAL_SOURCE}:{stash_id}"


def local_stash_id(universal_id: str) -> str | None:
    """Return the id in Stash of a performer of the library; None for any other."""
    source, _, stash_id = universal_id.rpartition(":")
    return stash_id if source == LOCAL_SOURCE else None


Segment = NDArray[np.float32]


def write_segment(path: Path, segment: Segment) -> None:
    """Write the segment, complete or not at all; OSError if it cannot be."""
    content = io.BytesIO()
    np.save(content, segment, allow_pickle=False)
    # Biometric data: for the service's own user.
    write_atomically(path, content.getvalue(), mode=0o600)


def open_segment(path: Path, *, face_count: int) -> Segment:
    """Return the segment, mapped; OSError or ValueError if it is damaged.

    It stays readable after the file was deleted.
    """
    try:
        segment = np.load(path, mmap_mode="r", allow_pickle=False)
    except EOFError as exc:
        raise ValueError(f"{path.name} is empty") from exc
    expected = (2, face_count, EMBEDDING_SIZE)
    if segment.dtype != np.float32 or segment.shape != expected:
        raise ValueError(f"{path.name} is {segment.shape}, not {expected}")
    return np.asarray(segment)


# Arrays compare by element, and so have no digest.
@dataclass(frozen=True, eq=False)
class LocalOverlay:
    """The local performers of one revision; `owners` are rows of `performers`.

    `segments` are by the name of their content, in the order of `owners`.
    """

    revision: str
    performers: Sequence[tuple[int, str]]
    owners: NDArray[np.int32]
    segments: dict[str, Segment]


class OverlaidIndex(VectorIndex):
    """The vectors of an index, and behind them further ones that are searched exactly.

    `further` are of length one, in several arrays.
    """

    def __init__(self, index: VectorIndex, further: Sequence[Embeddings]) -> None:
        self._plain = index
        self._further = further
        self._count = sum(map(len, further))

    def __len__(self) -> int:
        return len(self._plain) + self._count

    @property
    def dimensions(self) -> int:
        return self._plain.dimensions

    def vectors(self, rows: NDArray[np.int64]) -> Embeddings:
        """Return float32 [rows, 512]: the vectors as stored, of length one."""
        found = np.empty((len(rows), self.dimensions), dtype=np.float32)
        end = len(self._plain)
        if (is_plain := rows < end).any():
            found[is_plain] = self._plain.vectors(rows[is_plain])
        for segment in self._further:
            begin, end = end, end + len(segment)
            is_here = (begin <= rows) & (rows < end)
            found[is_here] = segment[rows[is_here] - begin]
        return found

    def nearest(self, probes: Embeddings, *, k: int) -> list[Neighbours]:
        """Return for each row of `probes` its `k` nearest faces, or all there are."""
        known = self._plain.nearest(probes, k=k)
        return [
            _merge(indexed, distances, first_row=len(self._plain), k=k)
            for indexed, distances in zip(known, self._distances(probes), strict=True)
        ]

    def _distances(self, probes: Embeddings) -> Iterator[NDArray[np.float32]]:
        """Yield for each probe its distance to each further vector."""
        lengths = np.linalg.norm(probes, axis=1, keepdims=True)
        unit = probes / np.maximum(lengths, np.finfo(np.float32).tiny)
        for start in range(0, len(unit), PROBES_AT_A_TIME):
            some = unit[start : start + PROBES_AT_A_TIME]
            # This way round: the other one, OpenBLAS divides the work badly.
            near = [(segment @ some.T).T for segment in self._further]
            yield from 1 - np.concatenate(near, axis=1)


def _merge(
    known: Neighbours, distances: NDArray[np.float32], *, first_row: int, k: int
) -> Neighbours:
    """Return the `k` nearest of both; of equal ones the index's come first."""
    cut = known.distances[-1] if len(known.distances) >= k else np.inf
    # None for a probe that is no number: it is near to nobody.
    nearest = np.flatnonzero(distances <= cut)
    if len(nearest) > k:
        nearest = np.sort(nearest[np.argpartition(distances[nearest], k - 1)[:k]])
    faces = np.concatenate([known.faces, nearest + first_row])
    all_distances = np.concatenate([known.distances, distances[nearest]])
    order = np.argsort(all_distances, kind="stable")[:k]
    return Neighbours(faces[order], all_distances[order])


class OverlaidRelease(PreparedRelease):
    """The faces and performers of a release, and behind them those of an overlay."""

    def __init__(self, release: PreparedRelease, overlay: LocalOverlay) -> None:
        self._plain = release
        self._overlay = overlay
        self._face_counts = np.bincount(
            overlay.owners, minlength=len(overlay.performers)
        )
        local = overlay.owners + np.int32(release.performer_count)
        self.face_performers = np.concatenate([release.face_performers, local])

    @property
    def performer_count(self) -> int:
        return self._plain.performer_count + len(self._overlay.performers)

    def find_row(self, universal_id: str) -> int | None:
        """Return the performer's row, if release or overlay has them."""
        for place, (stash_id, _) in enumerate(self._overlay.performers):
            if local_universal_id(stash_id) == universal_id:
                return self._plain.performer_count + place
        return self._plain.find_row(universal_id)

    def performer(self, row: int) -> Performer:
        """Return the performer in the row; IndexError outside the table."""
        local_row = row - self._plain.performer_count
        if local_row < 0:
            return self._plain.performer(row)
        stash_id, name = self._overlay.performers[local_row]
        return Performer(
            universal_id=local_universal_id(stash_id),
            name=name,
            country=None,
            image_url=None,
            face_count=int(self._face_counts[local_row]),
        )


@dataclass(frozen=True)
class OverlaidDatabase(FaceDatabase):
    """A release with local performers; `version` is the release's.

    Made by `with_overlay`.
    """

    base: FaceDatabase
    overlay: LocalOverlay

    @property
    def plain(self) -> FaceDatabase:
        return self.base

    @property
    def local_revision(self) -> str:
        return self.overlay.revision


def with_overlay(database: FaceDatabase, overlay: LocalOverlay | None) -> FaceDatabase:
    """Return the release with these local performers in place of any it has now."""
    plain = database.plain
    if overlay is None or not len(overlay.owners):
        return plain
    segments = [*overlay.segments.values()]
    return OverlaidDatabase(
        version=plain.version,
        facenet=OverlaidIndex(plain.facenet, [each[0] for each in segments]),
        arcface=OverlaidIndex(plain.arcface, [each[1] for each in segments]),
        release=OverlaidRelease(plain.release, overlay),
        base=plain,
        overlay=overlay,
    )
