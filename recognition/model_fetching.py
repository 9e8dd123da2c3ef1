"""Getting one model file into its place: fetched, verified, and then renamed.

What is incomplete lies under a name of its own in a folder of its own, from where a
later attempt goes on. No rows here.
"""

import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from recognition.exceptions import InvalidModelFile
from recognition.model_files import PublishedFile
from stashsense import zips
from stashsense.downloads.exceptions import DownloadError, InsufficientDiskSpace
from stashsense.downloads.fetcher import Patience, RemoteFile, open_remote_file
from stashsense.files import copy_with_sha256, free_bytes, sync_directory

# Room for what else is written meanwhile, and for blocks that are not full.
_SPARE_FRACTION = 0.05
_FILE_MODE = 0o644
_FETCHED_NAME = "fetched.part"
_MEMBER_NAME = "member.part"
# A pack of InsightFace has two members.
_MAX_MEMBER_COUNT = 64

# Every ONNX file begins with the number of its format, field 1 of its protobuf. It
# tells a network from the web page of a captive portal, where no digest is known.
_ONNX_BEGINNING = b"\x08"
_ZIP_BEGINNING = b"PK\x03\x04"
_BEGINNINGS = {".onnx": _ONNX_BEGINNING, ".task": _ZIP_BEGINNING}

OnBytes = Callable[[int, int], None]


@dataclass(frozen=True)
class Listeners:
    """Who is told: of bytes done and all bytes; that what came is being verified.

    Both may raise to end the fetching, which can then be resumed.
    """

    on_bytes: OnBytes
    on_validating: Callable[[], None]


def fetch_model_file(
    published: PublishedFile,
    folder: Path,
    *,
    expected_sha256: str,
    listeners: Listeners,
    patience: Patience,
) -> str:
    """Put the file into its place and return its SHA-256.

    Raises DownloadError or InsufficientDiskSpace, after which the folder keeps what was
    fetched; or InvalidModelFile, after which it keeps nothing. The place is untouched
    by any of them: what was there before still is.
    """
    try:
        part, actual = _fetch(published, folder, listeners, patience)
        listeners.on_validating()
        _require_kind(published, part)
        if expected_sha256 and actual != expected_sha256:
            raise InvalidModelFile(
                f"{published.path}: expected sha256 {expected_sha256}, got {actual}."
            )
    except InvalidModelFile:
        # Kept, it would be found complete and refused again.
        forget_fetched(folder)
        raise
    _put_in_place(part, published.installed_path)
    forget_fetched(folder)
    return actual


def forget_fetched(folder: Path) -> None:
    """Delete what was fetched; the folder itself stays, for it carries the lock."""
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def require_free_space(needed_bytes: int, folder: Path) -> None:
    """Raise InsufficientDiskSpace unless that much fits, and a twentieth more."""
    needed_bytes += int(needed_bytes * _SPARE_FRACTION)
    available_bytes = free_bytes(folder)
    if available_bytes < needed_bytes:
        raise InsufficientDiskSpace(
            f"{folder} has {available_bytes / 1e6:,.1f} MB free; "
            f"{needed_bytes / 1e6:,.1f} MB are needed."
        )


def _fetch(
    published: PublishedFile, folder: Path, listeners: Listeners, patience: Patience
) -> tuple[Path, str]:
    """Return where the file lies and its SHA-256; the place it lies is temporary."""
    total_bytes = published.typical_bytes

    def tell(present_bytes: int) -> None:
        listeners.on_bytes(present_bytes, max(total_bytes, present_bytes))

    with open_remote_file(
        published.url,
        folder / _FETCHED_NAME,
        max_bytes=published.max_bytes,
        patience=patience,
        on_present=tell,
    ) as remote:
        announced, published_bytes = remote.total_bytes, published.size_bytes
        if published_bytes and announced != published_bytes:
            raise DownloadError(
                f"{published.path} has {announced:,} bytes at its source, where "
                f"{published_bytes:,} are expected."
            )
        if published.members:
            if not remote.has_ranges:
                total_bytes = announced
            return _fetch_member(remote, published, folder)
        total_bytes = announced
        require_free_space(remote.missing_bytes(0, announced), folder)
        digest = remote.fetch_all(sha256=True)
    assert digest is not None
    return folder / _FETCHED_NAME, digest


def _fetch_member(
    remote: RemoteFile, published: PublishedFile, folder: Path
) -> tuple[Path, str]:
    """Fetch what of the zip the one member takes, and unpack that.

    Neither names nor sizes in the zip decide where or how much is written.
    """
    path = folder / _MEMBER_NAME
    path.unlink(missing_ok=True)
    try:
        file = cast("IO[bytes]", zips.BoundedReads(remote.reader()))
        with zipfile.ZipFile(file) as archive:
            entry = _find_entry(archive, published)
            start, stop = _extent(archive, entry)
            missing_bytes = remote.missing_bytes(start, stop)
            require_free_space(missing_bytes + entry.file_size, folder)
            remote.fetch(start, stop)
            with archive.open(entry) as source:
                _, digest = copy_with_sha256(
                    source, path, max_bytes=published.max_bytes
                )
    except (*zips.BROKEN, OverflowError) as exc:
        raise InvalidModelFile(f"{published.path} cannot be read: {exc}.") from exc
    return path, digest


def _find_entry(archive: zipfile.ZipFile, published: PublishedFile) -> zipfile.ZipInfo:
    entries = archive.infolist()
    found = [each for each in entries if each.orig_filename in published.members]
    if len(entries) > _MAX_MEMBER_COUNT or len(found) != 1:
        raise InvalidModelFile(
            f"{published.path} has {len(entries)} members, of which {len(found)} are "
            f"{published.members[0]}; one is expected."
        )
    (entry,) = found
    if entry.file_size > published.max_bytes:
        raise InvalidModelFile(
            f"{published.path}: {entry.filename} unpacks to {entry.file_size:,} bytes; "
            f"the limit is {published.max_bytes:,}."
        )
    if (
        entry.flag_bits & zips.ENCRYPTED_FLAGS
        or entry.compress_type not in zips.COMPRESSIONS
    ):
        raise InvalidModelFile(
            f"{published.path}: {entry.filename} is packed in an unsupported way."
        )
    return entry


def _extent(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> tuple[int, int]:
    """Return where the member lies in the zip: up to whatever comes next."""
    start = entry.header_offset
    later = [e.header_offset for e in archive.infolist() if e.header_offset > start]
    return start, min([*later, archive.start_dir])


def _require_kind(published: PublishedFile, path: Path) -> None:
    beginning = _BEGINNINGS[Path(published.file).suffix]
    with path.open("rb") as file:
        found = file.read(len(beginning))
    if found != beginning:
        raise InvalidModelFile(
            f"{published.path} is no {Path(published.file).suffix} file: it begins "
            f"with {found!r} instead of {beginning!r}."
        )
    if beginning == _ZIP_BEGINNING:
        _require_intact_zip(published, path)


def _require_intact_zip(published: PublishedFile, path: Path) -> None:
    """Compare the members with their own sums: better than nothing."""
    try:
        with (
            path.open("rb") as file,
            zipfile.ZipFile(cast("IO[bytes]", zips.BoundedReads(file))) as archive,
        ):
            unpacked_bytes = sum(entry.file_size for entry in archive.infolist())
            if unpacked_bytes > published.max_bytes:
                raise InvalidModelFile(
                    f"{published.path} unpacks to {unpacked_bytes:,} bytes; the limit "
                    f"is {published.max_bytes:,}."
                )
            broken = archive.testzip()
    except zips.BROKEN as exc:
        raise InvalidModelFile(f"{published.path} cannot be read: {exc}.") from exc
    if broken is not None:
        raise InvalidModelFile(f"{published.path}: {broken[:80]!r} is damaged.")


def _put_in_place(part: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part.chmod(_FILE_MODE)
    descriptor = os.open(part, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    part.replace(target)
    sync_directory(target.parent)
