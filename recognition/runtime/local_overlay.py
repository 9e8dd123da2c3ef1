"""Faces of local performers, compared beside those of a release.

They lie in files that map, for processes to share, and are searched exactly: a few
thousand rows take less than an index over hundreds of thousands. Their rows, and those
of their performers, follow the release's. Knows no Django.

    facenet.npy  arcface.npy    float32[F, 512]  of length one
    owners.npy                  int32[F]         row of each face's performer
    performers.json             [[id in Stash, name], ...]

Single precision, twice the size of what the database keeps: distances are computed on
the mapped pages then, with no copy, and a face's bits are the same in every revision.
"""

import io
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbupdates.prepared import Performer, PreparedRelease
from recognition.numeric.arrays import Embeddings
from recognition.numeric.fusion import Neighbours
from recognition.runtime.embedders import EMBEDDING_SIZE
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.vector_index import VectorIndex
from stashsense.files import sync_directory, write_atomically

LOCAL_SOURCE = "local"

_FACENET, _ARCFACE = "facenet.npy", "arcface.npy"
_OWNERS, _PERFORMERS = "owners.npy", "performers.json"

# Distances to 25,000 faces are 5 MB then.
PROBES_AT_A_TIME = 50


def local_universal_id(stash_id: int) -> str:
    """Return the universal id of a performer of the library."""
    return f"{LOCAL_SOURCE}:{stash_id}"


def local_stash_id(universal_id: str) -> str | None:
    """Return the id in Stash of a performer of the library; None for any other."""
    source, _, stash_id = universal_id.rpartition(":")
    return stash_id if source == LOCAL_SOURCE else None


# Arrays compare by element, and so have no digest.
@dataclass(frozen=True, eq=False)
class LocalOverlay:
    """The local performers of one revision; `owners` are rows of `performers`."""

    revision: str
    performers: Sequence[tuple[int, str]]
    owners: NDArray[np.int32]
    facenet: Embeddings
    arcface: Embeddings

    def write(self, folder: Path) -> None:
        """Write it to the new folder, complete or not at all; OSError if it cannot."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".staging-"))
        try:
            # Biometric data: for the service's own user.
            staging.chmod(0o700)
            names = json.dumps([*self.performers]).encode("ascii")
            write_atomically(staging / _PERFORMERS, names, mode=0o600)
            for name, array in (
                (_OWNERS, self.owners), (_FACENET, self.facenet),
                (_ARCFACE, self.arcface),
            ):  # fmt: skip
                content = io.BytesIO()
                np.save(content, array, allow_pickle=False)
                write_atomically(staging / name, content.getvalue(), mode=0o600)
            staging.rename(folder)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        sync_directory(folder.parent)

    @classmethod
    def open(cls, folder: Path) -> "LocalOverlay":
        """Return what lies in the folder, mapped; OSError or ValueError if damaged.

        It stays readable after the folder was deleted.
        """
        performers = json.loads((folder / _PERFORMERS).read_bytes())
        owners = _loaded(folder / _OWNERS, np.dtype(np.int32))
        facenet, arcface = (
            _loaded(folder / name, np.dtype(np.float32))
            for name in (_FACENET, _ARCFACE)
        )
        shape = len(owners), EMBEDDING_SIZE
        if owners.ndim != 1 or facenet.shape != shape or arcface.shape != shape:
            raise ValueError(f"The arrays in {folder.name} do not fit together")
        if len(owners) and not 0 <= owners.min() <= owners.max() < len(performers):
            raise ValueError(f"{_OWNERS} names a performer that is not there")
        return cls(
            revision=folder.name,
            performers=[(int(stash_id), str(name)) for stash_id, name in performers],
            owners=owners,
            facenet=facenet,
            arcface=arcface,
        )


class OverlaidIndex(VectorIndex):
    """The vectors of an index, and behind them further ones that are searched exactly.

    `further` are of length one.
    """

    def __init__(self, index: VectorIndex, further: Embeddings) -> None:
        self._plain = index
        self._further = further

    def __len__(self) -> int:
        return len(self._plain) + len(self._further)

    @property
    def dimensions(self) -> int:
        return self._plain.dimensions

    def vectors(self, rows: NDArray[np.int64]) -> Embeddings:
        """Return float32 [rows, 512]: the vectors as stored, of length one."""
        begin = len(self._plain)
        is_further = rows >= begin
        found = np.empty((len(rows), self.dimensions), dtype=np.float32)
        if not is_further.all():
            found[~is_further] = self._plain.vectors(rows[~is_further])
        found[is_further] = self._further[rows[is_further] - begin]
        return found

    def nearest(self, probes: Embeddings, *, k: int) -> list[Neighbours]:
        """Return for each row of `probes` its `k` nearest faces, or all there are."""
        indexed = self._plain.nearest(probes, k=k)
        found: list[Neighbours] = []
        for start in range(0, len(probes), PROBES_AT_A_TIME):
            stop = start + PROBES_AT_A_TIME
            found += self._merged(indexed[start:stop], probes[start:stop], k)
        return found

    def _merged(
        self, indexed: list[Neighbours], probes: Embeddings, k: int
    ) -> list[Neighbours]:
        lengths = np.linalg.norm(probes, axis=1, keepdims=True)
        unit = probes / np.maximum(lengths, np.finfo(np.float32).tiny)
        # [faces, probes]: the other way round OpenBLAS divides the work badly.
        distances = (1 - self._further @ unit.T).T
        return [
            _merge(known, row, first_row=len(self._plain), k=k)
            for known, row in zip(indexed, distances, strict=True)
        ]


def _merge(
    known: Neighbours, distances: NDArray[np.float32], *, first_row: int, k: int
) -> Neighbours:
    """Return the `k` nearest of both; of equal ones the index's come first."""
    nearest = np.argpartition(distances, min(k, len(distances)) - 1)[:k]
    # A probe that is no number is near to nobody.
    nearest = np.sort(nearest[np.isfinite(distances[nearest])])
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
    return OverlaidDatabase(
        version=plain.version,
        facenet=OverlaidIndex(plain.facenet, overlay.facenet),
        arcface=OverlaidIndex(plain.arcface, overlay.arcface),
        release=OverlaidRelease(plain.release, overlay),
        base=plain,
        overlay=overlay,
    )


def _loaded(path: Path, dtype: np.dtype[Any]) -> NDArray[Any]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except EOFError as exc:
        raise ValueError(f"{path.name} is empty") from exc
    if array.dtype != dtype:
        raise ValueError(f"{path.name} holds {array.dtype}, not {dtype}")
    return np.asarray(array)
