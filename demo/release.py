"""Builds a release in the published format out of a world's reference drawings.

The same world, version and networks give the same files. A release says in its
manifest which networks made its vectors, and of which world it is.
"""

import hashlib
import json
import re
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import voyager
from numpy.typing import NDArray

from demo.camera import decode_jpeg
from demo.embedding import (
    NETWORK_SET_NAME,
    REFERENCE_DETECTION_SIZE_PX,
    EmbeddedFace,
    embed_reference,
    network_digests,
    open_demo_networks,
)
from demo.identity import sample_identity
from demo.performers_db import FaceRow, write_performers_db
from demo.scenes import draw_reference
from demo.seeds import Namespace, generator
from demo.world import World
from recognition.runtime.networks import Networks
from stashsense.files import sha256_of

ARCHIVE_NAME = "stash-sense-data-{version}.zip"
EMBEDDING_DIM = 512
# Published releases have some faces whose performer was deleted: one in this many.
PEOPLE_PER_FACE_OF_NOBODY = 30
# Zip members need a time; the oldest that the format can say.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)

OnProgress = Callable[[int, int], None]


def ignore_progress(_done: int, _total: int, /) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True)
class BuiltRelease:
    folder: Path
    archive: Path
    performer_count: int
    face_count: int


@dataclass(frozen=True)
class _Face:
    person: int | None
    embedded: EmbeddedFace


def build_release(
    world: World,
    *,
    version: str,
    out_dir: Path,
    on_progress: OnProgress = ignore_progress,
) -> BuiltRelease:
    """Write `out_dir/<version>/` and the zip beside it; replaces what is there."""
    folder = out_dir / version
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    faces = list(_iter_faces(world, on_progress))
    created_at = created_at_of(version)
    _write_index(folder / "face_facenet.voy", [f.embedded.facenet for f in faces])
    _write_index(folder / "face_arcface.voy", [f.embedded.arcface for f in faces])
    _write_json(folder / "faces.json", _face_ids(world, faces))
    _write_json(folder / "performers.json", _performers(world, faces))
    write_performers_db(
        folder / "performers.db",
        world.people,
        [FaceRow(index, face.person) for index, face in enumerate(faces)],
        seed=world.seed,
        created_at=created_at,
    )
    _write_manifest(folder, world, version, created_at, face_count=len(faces))
    archive = out_dir / ARCHIVE_NAME.format(version=version)
    _write_archive(folder, archive)
    return BuiltRelease(folder, archive, world.people_count, len(faces))


def created_at_of(version: str) -> str:
    """Return noon of the day a version names, or of a day made up from its text."""
    named = re.match(r"v?(\d{4})\.(\d{1,2})\.(\d{1,2})(?:\D|$)", version)
    if named:
        year, month, day = map(int, named.groups())
        with suppress(ValueError):
            return datetime(year, month, day, 12, tzinfo=UTC).isoformat()
    digest = hashlib.sha256(version.encode()).digest()
    moment = datetime(2026, 1, 1 + digest[0] % 28, 12, tzinfo=UTC)
    return moment.isoformat()


def _iter_faces(world: World, on_progress: OnProgress) -> Iterator[_Face]:
    networks = open_demo_networks(detection_size_px=REFERENCE_DETECTION_SIZE_PX)
    for index, person in enumerate(world.people):
        on_progress(index, world.people_count)
        found = 0
        for scene in world.iter_references(index):
            embedded = _embed(networks, scene.jpeg)
            if embedded is not None:
                yield _Face(index, embedded)
                found += 1
            if found == person.drawing_count:
                break
        if index % PEOPLE_PER_FACE_OF_NOBODY == 0:
            yield from _face_of_nobody(networks, world.seed, index)
    on_progress(world.people_count, world.people_count)


def _face_of_nobody(networks: Networks, seed: int, index: int) -> Iterator[_Face]:
    rng = generator(Namespace.NOBODY, seed, index)
    embedded = _embed(networks, draw_reference(sample_identity(rng), rng).jpeg)
    if embedded is not None:
        yield _Face(None, embedded)


def _embed(networks: Networks, jpeg: bytes) -> EmbeddedFace | None:
    return embed_reference(networks, decode_jpeg(jpeg))


def _face_ids(world: World, faces: list[_Face]) -> list[str | None]:
    return [
        None if face.person is None else world.people[face.person].universal_id
        for face in faces
    ]


def _performers(world: World, faces: list[_Face]) -> dict[str, dict[str, object]]:
    face_counts = Counter(face.person for face in faces)
    return {
        person.universal_id: {
            "name": person.name,
            "country": person.country,
            "image_url": person.image_url,
            "face_count": face_counts[index],
        }
        for index, person in enumerate(world.people)
    }


def _write_index(path: Path, vectors: list[NDArray[np.float32]]) -> None:
    index = voyager.Index(
        voyager.Space.Cosine,
        num_dimensions=EMBEDDING_DIM,
        storage_data_type=voyager.StorageDataType.Float32,
    )
    # One thread: with more, the links depend on who was first.
    index.add_items(np.stack(vectors), num_threads=1)
    index.save(str(path))


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def _write_manifest(
    folder: Path, world: World, version: str, created_at: str, *, face_count: int
) -> None:
    files = sorted(path.name for path in folder.iterdir())
    manifest = {
        "version": version,
        "created_at": created_at,
        "performer_count": world.people_count,
        "face_count": face_count,
        "sources": sorted({person.domain for person in world.people}),
        "models": {
            "detector": "demo_scrfd",
            "alignment": "insightface_norm_crop_5point",
            "facenet_dim": EMBEDDING_DIM,
            "arcface_dim": EMBEDDING_DIM,
            "flip_averaging": True,
        },
        "networks": {
            "name": NETWORK_SET_NAME,
            "files": {
                name: f"sha256:{digest}" for name, digest in network_digests().items()
            },
        },
        "demo": {"seed": world.seed, "people": world.people_count},
        "checksums": {name: f"sha256:{sha256_of(folder / name)}" for name in files},
    }
    _write_json(folder / "manifest.json", manifest)


def _write_archive(folder: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for path in sorted(folder.iterdir()):
            member = zipfile.ZipInfo(path.name, date_time=_ZIP_TIME)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            target.writestr(member, path.read_bytes())
