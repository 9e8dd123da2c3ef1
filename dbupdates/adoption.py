"""Releases that lie in the data folder and that no row knows: taken in, not copied.

The predecessor kept one release as flat files in the data folder. Its files get a
second name in staging, are verified like any others, and lose the first name once
they are installed: no byte is copied, and a crash in between loses none.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from dbupdates import store
from dbupdates.archive import FolderSource, ReleaseSource
from dbupdates.exceptions import InvalidManifest
from dbupdates.manifest import MANIFEST_NAME, MAX_MANIFEST_BYTES, parse_manifest
from dbupdates.models import DatabaseRelease, UpdateRun
from dbupdates.versions import parse_version
from stashsense.files import OnBytes, ignore_bytes, sha256_of

logger = logging.getLogger(__name__)


def find_candidates() -> list[Path]:
    """Return the folders with a release to adopt that has not been refused before.

    The newest first, of those under releases/. One that a row knows from the feed only
    is not known to be here.
    """
    data_dir = Path(settings.DATA_DIR)
    known = DatabaseRelease.objects.exclude(status=DatabaseRelease.Status.AVAILABLE)
    names = set(store.folders_on_disk()) - {*known.values_list("version", flat=True)}
    folders = [
        store.release_path(name)
        for name in sorted(filter(store.is_version, names), key=parse_version)
    ][::-1]
    return [
        folder
        for folder in (data_dir, *folders)
        if (folder / MANIFEST_NAME).is_file() and not _was_refused(folder)
    ]


def is_adoption(path: Path) -> bool:
    """Return whether a release in that folder is ours already, to be linked."""
    data_dir = Path(settings.DATA_DIR)
    return path == data_dir or path.parent == data_dir / "releases"


@contextmanager
def adopted(folder: Path) -> Iterator[ReleaseSource]:
    """Yield the release in the folder; forget its first names if all went well.

    Raises InvalidRelease for what is none; everything stays where it is then.
    """
    source = _LinkedFolderSource(folder)
    yield source
    if folder == Path(settings.DATA_DIR):
        for name in source.sizes:
            (folder / name).unlink(missing_ok=True)
        logger.info("The release in %s lies under releases/ now", folder)


class _LinkedFolderSource(FolderSource):
    """The files of a folder that its manifest lists; whatever else is there is not."""

    def __init__(self, folder: Path) -> None:
        path = folder / MANIFEST_NAME
        if path.stat().st_size > MAX_MANIFEST_BYTES:
            raise InvalidManifest(f"{path} has more than {MAX_MANIFEST_BYTES} bytes")
        self._names = {MANIFEST_NAME, *parse_manifest(path.read_bytes()).checksums}
        super().__init__(folder)

    @property
    def written_bytes(self) -> int:
        return 0

    def copy(self, name: str, target: Path, *, on_bytes: OnBytes = ignore_bytes) -> str:
        """Link the file, or copy it where there are no links; return its SHA-256."""
        path = self._folder / name
        try:
            os.link(path, target)
        except OSError as exc:
            logger.info("%s cannot be linked and is copied: %s", path, exc)
            store.require_free_space(self.sizes[name])
            return super().copy(name, target, on_bytes=on_bytes)
        return sha256_of(target, on_bytes=on_bytes)

    def _includes(self, name: str) -> bool:
        return name in self._names


def _was_refused(folder: Path) -> bool:
    """Return whether an adoption of just this manifest has failed."""
    run = UpdateRun.objects.filter(
        asked_by=UpdateRun.Asker.START, source_path=str(folder), phase="failed"
    ).first()
    if run is None or run.ended_at is None or run.error_code == "update_interrupted":
        return False
    return run.ended_at.timestamp() >= (folder / MANIFEST_NAME).stat().st_mtime
