"""Small real releases that can be broken: real indices, a real performers.db."""

import hashlib
import json
import sqlite3
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import voyager

from dbupdates.contents import REQUIRED_COLUMNS

NETWORK_FILES = {
    "facenet512.onnx": b"a FaceNet",
    "arcface.onnx": b"an ArcFace",
    "detector/det.onnx": b"a detector",
}
NETWORKS = {
    "name": "test-1",
    "files": {
        name: f"sha256:{hashlib.sha256(content).hexdigest()}"
        for name, content in NETWORK_FILES.items()
    },
}

# Where numbers stand in a Voyager file.
MAX_ELEMENTS_AT = 27
COUNT_AT = 35
ELEMENT_BYTES_AT = 43
ENTRY_POINT_AT = 71
LABEL_OFFSET_AT = 51
ELEMENTS_AT = 115


def element_bytes(index: bytes) -> int:
    (size,) = struct.unpack_from("<Q", index, ELEMENT_BYTES_AT)
    return int(size)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def index_bytes(
    count: int,
    *,
    dimensions: int = 512,
    space: voyager.Space = voyager.Space.Cosine,
    storage: voyager.StorageDataType = voyager.StorageDataType.Float32,
    seed: int = 0,
    ids: list[int] | None = None,
    max_elements: int = 1,
) -> bytes:
    vectors = np.random.default_rng(seed).normal(size=(count, dimensions))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = voyager.Index(
        space, dimensions, storage_data_type=storage, max_elements=max_elements
    )
    if count:
        index.add_items(vectors.astype(np.float32), ids=ids, num_threads=1)
    return bytes(index.as_bytes())


def performers_db_bytes(**columns: str) -> bytes:
    """Return a database with the required tables; `columns` replaces those of some."""
    with sqlite3.connect(":memory:") as connection:
        for table, names in {**REQUIRED_COLUMNS, **columns}.items():
            if names:
                connection.execute(f"CREATE TABLE {table} ({', '.join(names.split())})")
        content = connection.serialize()
    connection.close()
    return content


class ReleaseBuilder:
    """A release in memory: change `files` and `manifest`, then write it.

    `checksums` and counts of the manifest follow the files unless they are set.
    """

    def __init__(
        self, version: str = "2026.02.18", *, performers: int = 12, seed: int = 0
    ) -> None:
        ids = [f"stashdb.org:00000000-{seed:04}-{n:012}" for n in range(performers)]
        # Two faces each, and one of nobody.
        faces = [*ids, None, *ids]
        self.files = {
            "performers.db": performers_db_bytes(),
            "faces.json": json.dumps(faces).encode(),
            "performers.json": json.dumps(
                {
                    universal_id: {
                        "name": f"Person {n}",
                        "country": "NL" if n % 2 else None,
                        "image_url": f"https://example.org/{n}.jpg",
                        "face_count": 2,
                    }
                    for n, universal_id in enumerate(ids)
                }
            ).encode(),
            "face_facenet.voy": index_bytes(len(faces), seed=2 * seed),
            "face_arcface.voy": index_bytes(len(faces), seed=2 * seed + 1),
        }
        self.manifest: dict[str, Any] = {
            "version": version,
            "created_at": "2026-02-18T12:00:00+00:00",
            "performer_count": performers,
            "face_count": len(faces),
            "sources": ["stashdb.org"],
            "networks": NETWORKS,
        }
        self.checksums: dict[str, str] = {}
        self.left_out: set[str] = set()
        self.unlisted: dict[str, bytes] = {}

    def change(self, name: str, at: int, format_: str, value: Any) -> None:
        """Overwrite a number inside a file; its digest follows."""
        content = bytearray(self.files[name])
        struct.pack_into(format_, content, at, value)
        self.files[name] = bytes(content)

    def manifest_bytes(self) -> bytes:
        listed = {name: f"sha256:{sha256(data)}" for name, data in self.files.items()}
        manifest = {"checksums": {**listed, **self.checksums}, **self.manifest}
        return json.dumps(manifest).encode()

    def members(self) -> dict[str, bytes]:
        members = {
            **self.files,
            **self.unlisted,
            "manifest.json": self.manifest_bytes(),
        }
        return {
            name: data for name, data in members.items() if name not in self.left_out
        }

    def write_folder(self, parent: Path) -> Path:
        folder = parent / f"release-{self.manifest['version']}"
        folder.mkdir(parents=True)
        for name, content in self.members().items():
            (folder / name).write_bytes(content)
        return folder

    def write_zip(self, parent: Path) -> Path:
        path = parent / f"release-{self.manifest['version']}.zip"
        with zipfile.ZipFile(
            path, "w", zipfile.ZIP_DEFLATED, compresslevel=1
        ) as target:
            for name, content in self.members().items():
                target.writestr(name, content)
        return path
