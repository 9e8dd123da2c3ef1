"""Data folders in which a release of production size is active.

The release is made of the cached indices and made-up performers in the published
format, imported by the service's own commands, once. A benchmark serves a scratch
copy, which shares the release and the networks with the cached folder.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks import faces
from benchmarks.cache import cache_dir, cached_folder, source_digest
from benchmarks.faces import EMBEDDERS, Crowd
from benchmarks.networks import (
    NETWORK_FILES,
    NETWORK_SET,
    network_digests,
    networks_folder,
)
from stashsense.files import sha256_of

ROOT = Path(__file__).resolve().parent.parent
VERSION = "2026.01.01"
DATABASE_NAME = "stash_sense.db"

# A published release leaves some faces unassigned.
_ONE_IN_NOBODYS = 100
_TABLES = {
    "performers": (
        "id INTEGER PRIMARY KEY, canonical_name, disambiguation, gender, country,"
        " ethnicity, birth_date, death_date, height_cm, eye_color, hair_color,"
        " career_start_year, career_end_year, scene_count, stashdb_updated_at,"
        " face_count, image_url, created_at, updated_at"
    ),
    "stashbox_ids": "performer_id, endpoint, stashbox_performer_id, created_at",
    "aliases": (
        "id INTEGER PRIMARY KEY, performer_id, alias, source_endpoint, created_at"
    ),
    "faces": (
        "id INTEGER PRIMARY KEY, performer_id, facenet_index, arcface_index, image_url,"
        " source_endpoint, quality_score, created_at, pruned, yaw"
    ),
    "tattoos": "performer_id, location, description",
    "piercings": "performer_id, location, description",
    "body_proportions": (
        "performer_id, shoulder_hip_ratio, leg_torso_ratio, arm_span_height_ratio,"
        " confidence"
    ),
    "tattoo_detections": "performer_id, has_tattoos, confidence, detections_json",
    "external_urls": "performer_id, url",
}


@contextmanager
def scratch_data_folder(crowd: Crowd) -> Iterator[Path]:
    """Yield a data folder that serves the crowd's release; gone afterwards."""
    prepared = prepared_data_folder(crowd)
    with tempfile.TemporaryDirectory(prefix="scratch-", dir=cache_dir()) as name:
        scratch = Path(name)
        for path in prepared.iterdir():
            if path.is_dir():
                (scratch / path.name).symlink_to(path)
            else:
                shutil.copy(path, scratch)
        yield scratch


def retire_release(data_dir: Path) -> None:
    """Leave the data folder without a release to serve."""
    connection = sqlite3.connect(data_dir / DATABASE_NAME)
    with connection:
        connection.execute(
            "UPDATE dbupdates_databaserelease SET status = 'retired'"
            " WHERE status = 'active'"
        )
    connection.close()


def prepared_data_folder(crowd: Crowd) -> Path:
    """Return the folder that the release was imported into, at first use."""
    digests = network_digests()
    indices = {embedder: faces.index_path(embedder, crowd) for embedder in EMBEDDERS}
    migrations = sorted(ROOT.glob("*/migrations/0*.py"))
    importing = sorted((ROOT / "dbupdates").glob("*.py"))
    recipe = {
        **asdict(crowd),
        "networks": digests,
        "indices": [path.parent.name for path in indices.values()],
        "sources": source_digest(Path(__file__), *importing, *migrations),
    }

    def build(folder: Path) -> None:
        _install_networks(folder)
        release_dir = folder / "source"
        _write_release(release_dir, crowd, indices, digests)
        _manage(folder, "migrate", "--verbosity=0")
        _manage(folder, "import_release", str(release_dir), "--activate")
        shutil.rmtree(release_dir)

    return cached_folder(f"data-{crowd.faces}", recipe=recipe, build=build)


def release_folder(data_dir: Path) -> Path:
    """Return where the imported release lies."""
    return data_dir / "releases" / VERSION


def index_bytes(data_dir: Path) -> int:
    """Return what the two indices take on disk."""
    indices = release_folder(data_dir).glob("face_*.voy")
    return sum(path.stat().st_size for path in indices)


def service_environment(data_dir: Path) -> dict[str, str]:
    """Return the environment of a process that works on the data folder."""
    ours = {"DATA_DIR": str(data_dir), "LOG_LEVEL": "warning"}
    # Tests have settings of their own in theirs; rows are read from SQLite's file.
    dropped = {"DJANGO_SETTINGS_MODULE", "DATABASE_URL", "REDIS_URL"}
    kept = {key: os.environ[key] for key in os.environ if key not in dropped}
    return {**kept, **ours, "PYTHONPATH": str(ROOT)}


def _install_networks(folder: Path) -> None:
    for name in NETWORK_FILES:
        target = folder / "models" / NETWORK_SET / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.hardlink_to(networks_folder() / name)


def _write_release(
    release_dir: Path, crowd: Crowd, indices: dict[str, Path], digests: dict[str, str]
) -> None:
    release_dir.mkdir()
    for embedder, path in indices.items():
        (release_dir / f"face_{embedder}.voy").hardlink_to(path)
    rng = np.random.default_rng(crowd.performers)
    ids = [str(uuid.UUID(bytes=rng.bytes(16))) for _ in range(crowd.performers)]
    owners = faces.face_performers(crowd)
    counts = np.bincount(owners, minlength=crowd.performers).tolist()
    performers = {
        f"stashdb.org:{performer_id}": {
            "name": f"Performer {row}",
            "country": "US",
            "image_url": f"http://images.invalid/{performer_id}",
            "face_count": counts[row],
        }
        for row, performer_id in enumerate(ids)
    }
    names = list(performers)
    face_names = [
        None if face % _ONE_IN_NOBODYS == 0 else names[owner]
        for face, owner in enumerate(owners.tolist())
    ]
    _write_performers_db(release_dir / "performers.db", ids, counts)
    (release_dir / "performers.json").write_text(json.dumps(performers))
    (release_dir / "faces.json").write_text(json.dumps(face_names))
    manifest = {
        "version": VERSION,
        "created_at": "2026-01-01T00:00:00Z",
        "performer_count": crowd.performers,
        "face_count": crowd.faces,
        "sources": ["stashdb.org"],
        "models": {"facenet_dim": 512, "arcface_dim": 512, "flip_averaging": True},
        "networks": {
            "name": NETWORK_SET,
            "files": {name: f"sha256:{digest}" for name, digest in digests.items()},
        },
        "checksums": {
            path.name: f"sha256:{sha256_of(path)}"
            for path in sorted(release_dir.iterdir())
        },
    }
    (release_dir / "manifest.json").write_text(json.dumps(manifest, indent=2))


def _write_performers_db(path: Path, ids: list[str], counts: list[int]) -> None:
    connection = sqlite3.connect(path)
    with connection:
        for table, columns in _TABLES.items():
            connection.execute(f"CREATE TABLE {table} ({columns})")
        connection.executemany(
            "INSERT INTO performers (id, canonical_name, face_count) VALUES (?, ?, ?)",
            [(row, f"Performer {row}", count) for row, count in enumerate(counts)],
        )
        connection.executemany(
            "INSERT INTO stashbox_ids (performer_id, endpoint, stashbox_performer_id)"
            " VALUES (?, 'stashdb', ?)",
            enumerate(ids),
        )
    connection.close()


def _manage(data_dir: Path, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=service_environment(data_dir),
        stdout=sys.stderr,
        check=True,
    )
