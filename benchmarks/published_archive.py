"""Archives like published ones, 1.5 GB of them, made once and kept in the cache."""

import json
import os
import shutil
import sqlite3
import zipfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cache import cached_folder
from benchmarks.data_folder import (
    VERSION,
    prepared_data_folder,
    release_folder,
)
from benchmarks.faces import Crowd
from stashsense.files import sha256_of

NEXT_VERSION = "2026.01.02"
_BLOB_BYTES = 1_000_000
# Deflate as most tools do by default.
_LEVEL = 6


@dataclass(frozen=True)
class Archives:
    """A release's zip, and that of the next, in which one small file changed."""

    first: Path
    following: Path


def published_archives(crowd: Crowd, *, padding_bytes: int) -> Archives:
    """Return two zips of the crowd's release; making large ones takes minutes.

    `padding_bytes` of what does not compress are added to performers.db, as published
    ones are larger than the crowd's.
    """
    recipe = {
        "crowd": crowd.faces,
        "padding": padding_bytes,
        "release": sha256_of(
            release_folder(prepared_data_folder(crowd)) / "faces.json"
        ),
        "level": _LEVEL,
    }

    def build(folder: Path) -> None:
        source = release_folder(prepared_data_folder(crowd))
        work = folder / "work"
        work.mkdir()
        manifest = json.loads((source / "manifest.json").read_bytes())
        for name in manifest["checksums"]:
            shutil.copyfile(source / name, work / name)
        _pad(work / "performers.db", padding_bytes)
        _write_zip(work, manifest, folder / "first.zip", version=VERSION)
        performers = json.loads((work / "performers.json").read_bytes())
        next(iter(performers.values()))["name"] = "Somebody Else"
        (work / "performers.json").write_text(json.dumps(performers))
        _write_zip(work, manifest, folder / "next.zip", version=NEXT_VERSION)
        shutil.rmtree(work)

    folder = cached_folder(f"archives-{crowd.faces}", recipe=recipe, build=build)
    return Archives(folder / "first.zip", folder / "next.zip")


def _pad(database: Path, padding_bytes: int) -> None:
    connection = sqlite3.connect(database)
    with connection:
        connection.execute("CREATE TABLE padding (content BLOB)")
        for _ in range(padding_bytes // _BLOB_BYTES):
            connection.execute(
                "INSERT INTO padding VALUES (?)", [os.urandom(_BLOB_BYTES)]
            )
    connection.close()


def _write_zip(
    work: Path, manifest: dict[str, object], target: Path, *, version: str
) -> None:
    paths = sorted(work.iterdir())
    content = manifest | {
        "version": version,
        "checksums": {path.name: f"sha256:{sha256_of(path)}" for path in paths},
    }
    with zipfile.ZipFile(
        target, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL
    ) as archive:
        for path in paths:
            archive.write(path, path.name)
        archive.writestr("manifest.json", json.dumps(content))
