"""Faces as bytes for a row of the database, and back.

Little-endian records, one for each face, embeddings in half precision: 2,080 bytes. A
distance changes by less than 0.001 by that (recognition/tests/numeric/test_packing.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.numeric.boxes import FaceBox
from recognition.numeric.fusion import HEALTH_NEIGHBOURS
from recognition.numeric.near_faces import NearFaces
from recognition.numeric.people import SeenFace

_FACE = np.dtype(
    [
        ("frame", "<i4"),
        ("seconds", "<f4"),
        ("box", "<i4", 4),
        ("confidence", "<f4"),
        ("quality", "<f4"),
        ("facenet", "<f2", 512),
        ("arcface", "<f2", 512),
    ]
)
_NEAR = np.dtype(
    [("probe", "<u4"), ("face", "<u8"), ("facenet", "<f4"), ("arcface", "<f4")]
)
_HEALTH = np.dtype(
    [
        ("facenet_cut", "<f4"),
        ("arcface_cut", "<f4"),
        ("facenet", "<f4", HEALTH_NEIGHBOURS),
        ("arcface", "<f4", HEALTH_NEIGHBOURS),
    ]
)


@dataclass(frozen=True)
class PackedFaces:
    """Records of faces as they lie in a row; `seen` makes them faces again."""

    records: NDArray[np.void]

    @classmethod
    def pack(cls, faces: Sequence[SeenFace]) -> "PackedFaces":
        """Return the records of the faces, in their order."""
        records = np.zeros(len(faces), dtype=_FACE)
        for record, face in zip(records, faces, strict=True):
            box = face.box
            record["frame"] = face.frame
            record["seconds"] = np.nan if face.seconds is None else face.seconds
            record["box"] = (box.x, box.y, box.width, box.height)
            record["confidence"], record["quality"] = face.confidence, face.quality
            record["facenet"], record["arcface"] = face.facenet, face.arcface
        return cls(records)

    @classmethod
    def from_bytes(cls, content: bytes) -> "PackedFaces":
        """Return the records in the bytes; ValueError if they are none."""
        return cls(np.frombuffer(content, dtype=_FACE))

    def __len__(self) -> int:
        return len(self.records)

    def as_bytes(self) -> bytes:
        """Return what `from_bytes` reads."""
        return self.records.tobytes()

    def embeddings(self, name: str) -> NDArray[np.float32]:
        """Return "facenet" or "arcface" as float32 [faces, 512]."""
        return np.asarray(self.records[name], dtype=np.float32)

    def seen(self) -> list[SeenFace]:
        """Return the faces, with embeddings of half precision."""
        facenet, arcface = self.embeddings("facenet"), self.embeddings("arcface")
        return [
            SeenFace(
                frame=int(record["frame"]),
                seconds=_seconds(record["seconds"]),
                box=FaceBox(*(int(edge) for edge in record["box"])),
                confidence=float(record["confidence"]),
                quality=float(record["quality"]),
                facenet=facenet[position],
                arcface=arcface[position],
            )
            for position, record in enumerate(self.records)
        ]


@dataclass(frozen=True)
class PackedNear:
    """What is near each of some probes, as records; faces are told by 64-bit digests.

    `near` holds a record for each near face of each probe, in the probes' order;
    `health` one for each probe.
    """

    near: NDArray[np.void]
    health: NDArray[np.void]

    @classmethod
    def pack(
        cls, probes: Sequence[NearFaces], digests: NDArray[np.uint64]
    ) -> "PackedNear":
        """Return the records; `digests` are by face row of the release."""
        near = np.zeros(sum(len(probe.faces) for probe in probes), dtype=_NEAR)
        health = np.zeros(len(probes), dtype=_HEALTH)
        health["facenet"], health["arcface"] = np.nan, np.nan
        start = 0
        for position, probe in enumerate(probes):
            records = near[start : start + len(probe.faces)]
            records["probe"] = position
            records["face"] = digests[probe.faces]
            records["facenet"] = probe.facenet_distances
            records["arcface"] = probe.arcface_distances
            start += len(probe.faces)
            health[position]["facenet_cut"] = probe.facenet_cut
            health[position]["arcface_cut"] = probe.arcface_cut
            health[position]["facenet"][: len(probe.nearest_facenet)] = (
                probe.nearest_facenet
            )
            health[position]["arcface"][: len(probe.nearest_arcface)] = (
                probe.nearest_arcface
            )
        return cls(near, health)

    @classmethod
    def from_bytes(cls, near: bytes, health: bytes) -> "PackedNear":
        """Return the records in the bytes; ValueError if they are none."""
        return cls(
            np.frombuffer(near, dtype=_NEAR), np.frombuffer(health, dtype=_HEALTH)
        )

    def as_bytes(self) -> tuple[bytes, bytes]:
        """Return what `from_bytes` reads."""
        return self.near.tobytes(), self.health.tobytes()

    def probes(self, rows: NDArray[np.int64]) -> list[NearFaces]:
        """Return what is near each probe; `rows` are the face rows of `near`."""
        positions = np.arange(len(self.health))
        starts = np.searchsorted(self.near["probe"], positions)
        ends = np.searchsorted(self.near["probe"], positions, side="right")
        return [
            NearFaces(
                faces=rows[start:end],
                facenet_distances=self.near["facenet"][start:end],
                arcface_distances=self.near["arcface"][start:end],
                nearest_facenet=_numbers(record["facenet"]),
                nearest_arcface=_numbers(record["arcface"]),
                facenet_cut=float(record["facenet_cut"]),
                arcface_cut=float(record["arcface_cut"]),
            )
            for start, end, record in zip(
                starts.tolist(), ends.tolist(), self.health, strict=True
            )
        ]


def _seconds(stored: float) -> float | None:
    return None if np.isnan(stored) else float(stored)


def _numbers(distances: NDArray[np.float32]) -> NDArray[np.float32]:
    return distances[np.isfinite(distances)]
