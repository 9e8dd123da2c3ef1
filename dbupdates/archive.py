"""Reading a release out of a zip or a folder that somebody else made.

Nothing is believed: names, kinds, sizes and counts are judged before a byte is
written, and sizes again while writing. Both sources are flat: files, no folders.
"""

import errno
import os
import stat
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, cast

from dbupdates.exceptions import InvalidManifest, UnsafeArchive
from dbupdates.manifest import (
    MANIFEST_NAME,
    MAX_MANIFEST_BYTES,
    PREPARED_NAME,
    is_flat_name,
)
from stashsense import zips
from stashsense.files import OnBytes, copy_with_sha256, ignore_bytes

# Nine files are known today.
MAX_FILE_COUNT = 64
# Today's largest file is an index of 0.8 GB and a whole release 2 GB; ten times the
# performers would still pass.
MAX_FILE_BYTES = 16 * 1024**3
MAX_TOTAL_BYTES = 32 * 1024**3
# Deflate reaches 1,032 on a run of one byte. JSON and SQLite stay below 20; small
# files of blanks may reach anything.
MAX_COMPRESSION_RATIO = 200
RATIO_EXEMPT_BYTES = 1024 * 1024


class ReleaseSource(ABC):
    """The files of a release to be staged, wherever they come from.

    `sizes` maps the name of each file to its bytes; names are safe and unique.
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self.sizes = sizes

    @property
    def total_bytes(self) -> int:
        return sum(self.sizes.values())

    @property
    def written_bytes(self) -> int:
        """What copying all of it takes on the disk."""
        return self.total_bytes

    def read_manifest(self) -> bytes:
        """Return the bytes of manifest.json; InvalidManifest without a sane one."""
        if MANIFEST_NAME not in self.sizes:
            raise InvalidManifest(f"there is no {MANIFEST_NAME}")
        if self.sizes[MANIFEST_NAME] > MAX_MANIFEST_BYTES:
            raise InvalidManifest(
                f"{MANIFEST_NAME} has more than {MAX_MANIFEST_BYTES} bytes"
            )
        with self._opened(MANIFEST_NAME) as content:
            return content.read(MAX_MANIFEST_BYTES + 1)

    def copy(self, name: str, target: Path, *, on_bytes: OnBytes = ignore_bytes) -> str:
        """Write the file to the new path `target`, durably; return its SHA-256."""
        expected_bytes = self.sizes[name]
        with self._opened(name) as content:
            try:
                written_bytes, digest = copy_with_sha256(
                    content, target, max_bytes=expected_bytes, on_bytes=on_bytes
                )
            except OverflowError as exc:
                raise UnsafeArchive(
                    f"{name} has more than the {expected_bytes} bytes it declares"
                ) from exc
        if written_bytes != expected_bytes:
            raise UnsafeArchive(
                f"{name} has {written_bytes} of the {expected_bytes} bytes it declares"
            )
        return digest

    @abstractmethod
    def _opened(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """Give the file's bytes; UnsafeArchive when they cannot be had."""


@contextmanager
def open_source(path: Path) -> Iterator[ReleaseSource]:
    """Yield the release in a zip or folder; UnsafeArchive unless safe to read."""
    if path.is_dir():
        yield FolderSource(path)
        return
    if not path.is_file():
        raise UnsafeArchive(f"{path} is neither a zip nor a folder")
    with path.open("rb") as file, zip_opened(file, path.name) as archive:
        yield ZipSource(archive, archive_bytes=path.stat().st_size)


@contextmanager
def zip_opened(file: IO[bytes], name: str) -> Iterator[zipfile.ZipFile]:
    """Yield the zip in a file that can be sought; UnsafeArchive if it is none."""
    with _broken_means_unsafe(name):
        archive = zipfile.ZipFile(zips.BoundedReads(file))
    with archive:
        yield archive


class ZipSource(ReleaseSource):
    """The members of a zip that is open for reading."""

    def __init__(self, archive: zipfile.ZipFile, *, archive_bytes: int) -> None:
        members = archive.infolist()
        for member in members:
            _refuse_unsafe_member(member)
        super().__init__(_checked_sizes((m.filename, m.file_size) for m in members))
        # Members that share their bytes make a small archive unpack without end.
        if sum(member.compress_size for member in members) > archive_bytes:
            raise UnsafeArchive("the archive's members overlap")
        self._archive = archive

    @contextmanager
    def _opened(self, name: str) -> Iterator[IO[bytes]]:
        with _broken_means_unsafe(name):
            content = self._archive.open(name)
        with content:
            yield cast("IO[bytes]", _MemberReads(content, name))


class FolderSource(ReleaseSource):
    """The files of a folder. Copied, not linked: who gave it may edit it later."""

    def __init__(self, folder: Path) -> None:
        sizes = []
        for path in sorted(folder.iterdir()):
            if not self._includes(path.name):
                continue
            status = path.lstat()
            # What staging writes beside the files of an installed release.
            if stat.S_ISDIR(status.st_mode) and path.name == PREPARED_NAME:
                continue
            if not stat.S_ISREG(status.st_mode):
                raise UnsafeArchive(f"{path.name[:120]!r} is not a regular file")
            sizes.append((path.name, status.st_size))
        super().__init__(_checked_sizes(sizes))
        self._folder = folder

    def _includes(self, name: str) -> bool:
        """Return whether what has this name belongs to the release."""
        return True

    @contextmanager
    def _opened(self, name: str) -> Iterator[IO[bytes]]:
        try:
            descriptor = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError as exc:
            if exc.errno != errno.ELOOP:
                raise
            raise UnsafeArchive(f"{name} is not a regular file") from exc
        with os.fdopen(descriptor, "rb") as content:
            yield content


class _MemberReads:
    """A member's bytes; a broken one is an UnsafeArchive at the read that finds it."""

    def __init__(self, content: IO[bytes], name: str) -> None:
        self._content = content
        self._name = name

    def read(self, size: int = -1) -> bytes:
        with _broken_means_unsafe(self._name):
            return self._content.read(size)


@contextmanager
def _broken_means_unsafe(name: str) -> Iterator[None]:
    try:
        yield
    except zips.BROKEN as exc:
        raise UnsafeArchive(f"{name} cannot be read: {exc}") from exc


def _refuse_unsafe_member(member: zipfile.ZipInfo) -> None:
    """Raise UnsafeArchive for what unpacking must not even begin with."""
    # zipfile cuts names at a zero byte and turns separators; we judge what is written.
    name = member.orig_filename
    if name != member.filename or not is_flat_name(name):
        raise UnsafeArchive(
            f"{name[:120]!r} is not the name of a file at the top of the archive"
        )
    if member.flag_bits & zips.ENCRYPTED_FLAGS:
        raise UnsafeArchive(f"{name} is encrypted")
    if member.compress_type not in zips.COMPRESSIONS:
        raise UnsafeArchive(f"{name} is compressed in an unsupported way")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise UnsafeArchive(f"{name} is not a regular file")
    ratio = member.file_size / max(member.compress_size, 1)
    if member.file_size > RATIO_EXEMPT_BYTES and ratio > MAX_COMPRESSION_RATIO:
        raise UnsafeArchive(
            f"{name} unpacks to {ratio:.0f} times its size; "
            f"the limit is {MAX_COMPRESSION_RATIO}"
        )


def _checked_sizes(entries: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Return the sizes by name once names, count and sizes are within the limits."""
    sizes: dict[str, int] = {}
    seen: set[str] = set()
    for name, size_bytes in entries:
        if not is_flat_name(name):
            raise UnsafeArchive(f"{name[:120]!r} is not a file name of a release")
        # Two names that differ by case are one file on other systems.
        if name.lower() in seen:
            raise UnsafeArchive(f"{name} is there twice")
        if size_bytes > MAX_FILE_BYTES:
            raise UnsafeArchive(
                f"{name} has {size_bytes} bytes; the limit is {MAX_FILE_BYTES}"
            )
        seen.add(name.lower())
        sizes[name] = size_bytes
        if len(sizes) > MAX_FILE_COUNT:
            raise UnsafeArchive(f"there are more than {MAX_FILE_COUNT} files")
    if sum(sizes.values()) > MAX_TOTAL_BYTES:
        raise UnsafeArchive(
            f"the files have {sum(sizes.values())} bytes together; "
            f"the limit is {MAX_TOTAL_BYTES}"
        )
    return sizes
