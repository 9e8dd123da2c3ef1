"""Which face of one release is which of another, told by its vectors alone.

A release numbers its faces anew. Published vectors are made once and carried over, so
equal vectors are the same face; a 64-bit sum over both embedders' tells a few hundred
thousand of them apart.
"""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recognition.numeric.arrays import Embeddings
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.vector_index import VectorIndex
from stashsense.files import write_atomically

# Rows of an index read at a time: Python stands still for some milliseconds.
ROWS_AT_A_TIME = 2000
NOBODY = np.uint64(0)

Digests = NDArray[np.uint64]


@dataclass(frozen=True)
class FaceIdentities:
    """For each face row of a release a 64-bit digest of what it is and whose.

    A face that becomes somebody else's is another face by that. `order` sorts
    `digests`, so that a face can be found by its digest.
    """

    digests: Digests
    order: NDArray[np.int64]

    @classmethod
    def of(cls, database: FaceDatabase) -> Self:
        """Return those of a loaded release; takes seconds for 250,000 faces."""
        return cls._sorted(_face_digests(database, 0))

    @classmethod
    def of_local(cls, database: FaceDatabase) -> Self:
        """Return those of its local performers, whose rows follow the release's."""
        return cls._sorted(_face_digests(database, database.plain.release.face_count))

    def and_local(self, local: Self) -> Self:
        """Return these, followed by those of local performers."""
        return self._sorted(np.concatenate([self.digests, local.digests]))

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """Return those in the file; None if there is none, or it cannot be read."""
        try:
            digests = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        is_ours = digests.ndim == 1 and digests.dtype == np.uint64
        return cls._sorted(digests) if is_ours else None

    @classmethod
    def _sorted(cls, digests: Digests) -> Self:
        return cls(digests, np.argsort(digests, kind="stable"))

    def save(self, path: Path) -> None:
        """Write them to the file, all or nothing."""
        file = io.BytesIO()
        np.save(file, self.digests)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, file.getvalue())

    def rows_of(self, digests: Digests) -> NDArray[np.int64]:
        """Return the row of each face, -1 where this release does not have it."""
        if not len(self.digests):
            return np.full(len(digests), -1, dtype=np.int64)
        ranks = np.searchsorted(self.digests, digests, sorter=self.order)
        rows = self.order[np.minimum(ranks, len(self.order) - 1)]
        return np.where(self.digests[rows] == digests, rows, -1)


@dataclass(frozen=True)
class ReleaseChange:
    """How a release differs from an earlier one, in the faces somebody may be near.

    `gone` are sorted digests of the faces that were removed or now are somebody
    else's; `new_rows` are the rows of the later release that the earlier one has not.
    """

    gone: Digests
    new_rows: NDArray[np.int64]

    @classmethod
    def between(cls, old: FaceIdentities, new: FaceIdentities) -> Self:
        """Return what to do to results of `old` so that they are results of `new`."""
        return cls(
            gone=np.unique(old.digests[new.rows_of(old.digests) < 0]),
            new_rows=np.flatnonzero(old.rows_of(new.digests) < 0).astype(np.int64),
        )

    def is_gone(self, digests: Digests) -> NDArray[np.bool_]:
        """Return for each face whether it was removed."""
        if not len(self.gone):
            return np.zeros(len(digests), dtype=bool)
        ranks = np.searchsorted(self.gone, digests)
        gone: NDArray[np.bool_] = (
            self.gone[np.minimum(ranks, len(self.gone) - 1)] == digests
        )
        return gone


def _face_digests(database: FaceDatabase, first_row: int) -> Digests:
    """Return a digest of each face from that row on."""
    count = database.release.face_count
    digests = _digests(database.facenet, first_row, count, seed=1)
    digests *= np.uint64(3)
    digests ^= _digests(database.arcface, first_row, count, seed=2)
    digests += _performer_digests(database, first_row)
    return digests


def _digests(index: VectorIndex, first_row: int, end_row: int, *, seed: int) -> Digests:
    """Return a digest of each vector's bits, by a fixed random linear form."""
    generator = np.random.default_rng(seed)
    factors = np.empty(0, dtype=np.uint64)
    found = np.empty(end_row - first_row, dtype=np.uint64)
    for start in range(first_row, end_row, ROWS_AT_A_TIME):
        rows = np.arange(start, min(start + ROWS_AT_A_TIME, end_row))
        bits = _bits(index.vectors(rows))
        if not len(factors):
            factors = np.bitwise_or(
                generator.integers(1, 2**63, size=bits.shape[1], dtype=np.uint64),
                np.uint64(1),
            )
        found[rows - first_row] = bits @ factors
    return found


def _bits(vectors: Embeddings) -> Digests:
    return (
        np.ascontiguousarray(vectors, dtype=np.float32)
        .view(np.uint32)
        .astype(np.uint64)
    )


def _performer_digests(database: FaceDatabase, first_row: int) -> Digests:
    release = database.release
    owners, positions = np.unique(
        release.face_performers[first_row:], return_inverse=True
    )
    by_owner = np.array(
        [
            NOBODY if row < 0 else _text_digest(release.performer(row).universal_id)
            for row in owners.tolist()
        ],
        dtype=np.uint64,
    )
    digests: Digests = by_owner[positions]
    return digests


def _text_digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
