"""A published release as a source to stage: fetched, or here already.

Where the server gives parts of a file, the archive's directory and its manifest are
read first, and only the members that no installed release has are fetched; the rest
is linked, or copied where there are no links. The archive keeps its own layout on the
disk, with holes.
"""

import logging
import os
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from dbupdates import store
from dbupdates.archive import (
    MAX_FILE_BYTES,
    MAX_TOTAL_BYTES,
    ReleaseSource,
    ZipSource,
    zip_opened,
)
from dbupdates.exceptions import ChecksumMismatch, InvalidRelease
from dbupdates.manifest import MANIFEST_NAME, Manifest, parse_manifest
from dbupdates.models import DatabaseRelease, ReleaseFile
from dbupdates.progress import OnProgress, Phase, Progress
from stashsense.downloads.exceptions import DownloadError
from stashsense.downloads.fetcher import Patience, RemoteFile, open_remote_file
from stashsense.files import OnBytes, copy_with_sha256, ignore_bytes, sha256_of

logger = logging.getLogger(__name__)

_ARCHIVE_NAME = "archive.zip"
# What is left in the folder for the next attempt.
DOWNLOAD_NAMES = (_ARCHIVE_NAME, "archive.json")
# A published archive of 1,478 MB unpacks to about 1,890 MB.
UNPACKED_PER_ARCHIVE_BYTE = 1.3
# Below that share of the archive, fetching all of it is hardly longer, and then its
# own digest can be compared.
MIN_LINKED_FRACTION = 0.05

Linked = Mapping[str, tuple[Path, str]]


@dataclass(frozen=True)
class Listeners:
    """Who is told of a download: how far it is, what is worth a line, what it holds.

    `on_manifest` gets what is to come and `on_sizes` the files' sizes, before anything
    large is fetched, where they can be known; they refuse by raising. `on_fetched` gets
    the bytes that came over the network, at the end.
    """

    on_progress: OnProgress
    on_note: Callable[[str], None]
    on_manifest: Callable[[Manifest], None]
    on_sizes: Callable[[Mapping[str, int]], None]
    on_fetched: Callable[[int], None]


@contextmanager
def downloaded(
    release: DatabaseRelease,
    folder: Path,
    *,
    listeners: Listeners,
    patience: Patience | None = None,
) -> Iterator[ReleaseSource]:
    """Fetch the release's archive into the folder and yield it as a source.

    Raises DownloadError, InsufficientDiskSpace, or InvalidRelease for what was
    fetched; what has been fetched stays in the folder, for the next attempt.
    """
    present = _Present(release.archive_bytes, listeners.on_progress)
    with open_remote_file(
        release.archive_url,
        folder / _ARCHIVE_NAME,
        max_bytes=MAX_TOTAL_BYTES,
        patience=patience or Patience(),
        on_present=present,
    ) as archive:
        try:
            _require_announced_size(archive, release)
            present.total_bytes = archive.total_bytes
            linked = _fetch(archive, release, present, listeners)
            with zip_opened(_as_file(archive), archive.path.name) as members:
                yield LinkedZipSource(
                    members,
                    archive_bytes=archive.total_bytes,
                    linked=linked,
                    has_links=_has_links(linked, folder),
                    fetch=partial(_fetch_member, archive, members, present),
                )
        finally:
            listeners.on_fetched(archive.fetched_bytes)


class LinkedZipSource(ZipSource):
    """A zip some of whose members are installed already, and are taken from there.

    `linked` maps names to files and their digests. A file that is not what it was
    when it was installed is read from the archive after all, once `fetch` has had the
    member of that name fetched.
    """

    def __init__(
        self,
        archive: zipfile.ZipFile,
        *,
        archive_bytes: int,
        linked: Linked,
        has_links: bool,
        fetch: Callable[[str], None],
    ) -> None:
        super().__init__(archive, archive_bytes=archive_bytes)
        self._linked = linked
        self._has_links = has_links
        self._fetch = fetch

    @property
    def written_bytes(self) -> int:
        if not self._has_links:
            return self.total_bytes
        return self.total_bytes - sum(self.sizes[name] for name in self._linked)

    def copy(self, name: str, target: Path, *, on_bytes: OnBytes = ignore_bytes) -> str:
        """Link or write the file; return its SHA-256, read anew."""
        if name in self._linked:
            path, expected = self._linked[name]
            if self._take_installed(path, target, on_bytes) == expected:
                return expected
            logger.warning("%s has changed since it was installed", path)
            target.unlink()
            self._fetch(name)
        return super().copy(name, target, on_bytes=on_bytes)

    def _take_installed(self, path: Path, target: Path, on_bytes: OnBytes) -> str:
        if self._has_links and _link(path, target):
            return sha256_of(target, on_bytes=on_bytes)
        with path.open("rb") as content:
            _, digest = copy_with_sha256(
                content, target, max_bytes=MAX_FILE_BYTES, on_bytes=on_bytes
            )
        return digest


class _Present:
    """Turns bytes of the archive that are present into progress."""

    def __init__(self, total_bytes: int, on_progress: OnProgress) -> None:
        self.total_bytes = total_bytes
        self._on_progress = on_progress

    def __call__(self, present_bytes: int) -> None:
        total_bytes = max(self.total_bytes, present_bytes)
        self._on_progress(Progress(Phase.DOWNLOADING, present_bytes, total_bytes))


def _fetch(
    archive: RemoteFile,
    release: DatabaseRelease,
    present: _Present,
    listeners: Listeners,
) -> Linked:
    """Fetch what is missing, by parts where that can be; return what is here."""
    if not archive.has_ranges:
        return _fetch_unseen(archive, release)
    try:
        return _fetch_missing(archive, release, present, listeners)
    except DownloadError as error:
        if not archive.has_changed:
            raise
        listeners.on_note(f"{error} It is fetched from the beginning.")
    linked = _fetch_unseen(archive, release)
    _require_announced_size(archive, release)
    return linked


def _fetch_missing(
    archive: RemoteFile,
    release: DatabaseRelease,
    present: _Present,
    listeners: Listeners,
) -> Linked:
    """Fetch what no installed release has; return the rest by name."""
    with zip_opened(_as_file(archive), archive.path.name) as members:
        source = ZipSource(members, archive_bytes=archive.total_bytes)
        listeners.on_sizes(source.sizes)
        manifest = _manifest(source, release)
        listeners.on_manifest(manifest)
        linked = _installed_files(manifest, source.sizes)
        has_links = _has_links(linked, archive.path.parent)
        ranges = _member_ranges(members, without=linked)
    wanted_bytes = sum(archive.missing_bytes(*each) for each in ranges)
    if wanted_bytes > (1 - MIN_LINKED_FRACTION) * archive.total_bytes:
        linked = {}
    missing_bytes = wanted_bytes
    if not linked:
        missing_bytes = archive.missing_bytes(0, archive.total_bytes)
    unpacked_bytes = sum(
        size
        for name, size in source.sizes.items()
        if name not in linked or not has_links
    )
    store.require_free_space(missing_bytes + unpacked_bytes)
    if not linked:
        _fetch_all(archive, release)
        return linked
    taken = "linked" if has_links else "copied"
    listeners.on_note(
        f"{len(linked)} of {len(source.sizes)} files are here already and are {taken}; "
        f"{missing_bytes / 1e6:,.1f} of {archive.total_bytes / 1e6:,.1f} MB are fetched"
    )
    present.total_bytes = archive.present_bytes + missing_bytes
    for start, stop in ranges:
        archive.fetch(start, stop)
    return linked


def _fetch_unseen(archive: RemoteFile, release: DatabaseRelease) -> Linked:
    """Fetch the whole from a server that gives no parts."""
    unpacked_bytes = int(archive.total_bytes * UNPACKED_PER_ARCHIVE_BYTE)
    missing_bytes = archive.missing_bytes(0, archive.total_bytes)
    store.require_free_space(missing_bytes + unpacked_bytes)
    _fetch_all(archive, release)
    return {}


def _fetch_all(archive: RemoteFile, release: DatabaseRelease) -> None:
    expected = release.archive_sha256
    actual = archive.fetch_all(sha256=bool(expected))
    if expected and actual != expected:
        raise ChecksumMismatch(
            f"the archive: expected sha256 {expected}, as the feed says, got {actual}"
        )


def _require_announced_size(archive: RemoteFile, release: DatabaseRelease) -> None:
    announced_bytes = release.archive_bytes
    if announced_bytes and archive.total_bytes != announced_bytes:
        raise DownloadError(
            f"The archive has {archive.total_bytes:,} bytes, where the feed announced "
            f"{announced_bytes:,}; it may be about to change. Check again later."
        )


def _manifest(source: ReleaseSource, release: DatabaseRelease) -> Manifest:
    manifest = parse_manifest(source.read_manifest())
    if manifest.version != release.version:
        raise InvalidRelease(
            f"{MANIFEST_NAME} is of version {manifest.version}, where the feed "
            f"announced {release.version}"
        )
    return manifest


def _installed_files(manifest: Manifest, sizes: Mapping[str, int]) -> Linked:
    """Return the manifest's files that an installed release has, by name."""
    rows = ReleaseFile.objects.filter(
        release__in=DatabaseRelease.objects.installed(),
        sha256__in=manifest.checksums.values(),
    ).select_related("release")
    paths = {
        row.sha256: path
        for row in rows
        if (path := store.release_path(row.release.version) / row.name).is_file()
        and path.stat().st_size == row.size_bytes
    }
    return {
        name: (paths[digest], digest)
        for name, digest in manifest.checksums.items()
        if digest in paths and sizes.get(name) == paths[digest].stat().st_size
    }


def _member_ranges(
    members: zipfile.ZipFile, *, without: Collection[str]
) -> list[tuple[int, int]]:
    """Return where the members but those lie in the archive, neighbours joined."""
    entries = sorted(members.infolist(), key=lambda member: member.header_offset)
    ends = [*(entry.header_offset for entry in entries[1:]), members.start_dir]
    ranges: list[tuple[int, int]] = []
    for entry, stop in zip(entries, ends, strict=True):
        if entry.filename in without:
            continue
        start = entry.header_offset
        if ranges and ranges[-1][1] == start:
            start = ranges.pop()[0]
        ranges.append((start, stop))
    return ranges


def _fetch_member(
    archive: RemoteFile, members: zipfile.ZipFile, present: _Present, name: str
) -> None:
    """Fetch a member in one piece; read bit by bit, each bit would be a request."""
    others = {each for each in members.namelist() if each != name}
    for start, stop in _member_ranges(members, without=others):
        present.total_bytes = archive.present_bytes + archive.missing_bytes(start, stop)
        archive.fetch(start, stop)


def _has_links(linked: Linked, folder: Path) -> bool:
    """Return whether installed files can get a second name in the folder."""
    probe = folder / "link"
    for path, _ in linked.values():
        probe.unlink(missing_ok=True)
        has_links = _link(path, probe)
        probe.unlink(missing_ok=True)
        return has_links
    return True


def _link(path: Path, target: Path) -> bool:
    """Give the file a second name; False where the file system has no such thing."""
    try:
        os.link(path, target)
    except OSError as exc:
        logger.info("%s cannot be linked: %s", path.name, exc)
        return False
    return True


def _as_file(archive: RemoteFile) -> IO[bytes]:
    return archive.reader()
