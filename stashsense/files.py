"""Digests, atomic writes, locks and free space: the standard library, no domain."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

CHUNK_BYTES = 1024 * 1024
# At 50 MB a second, a slow disk, whoever waits is asked again after little over a
# second, and readers of other files are not held up by gigabytes that wait to be
# written.
SYNC_BYTES = 64 * 1024 * 1024

OnBytes = Callable[[int], None]


def ignore_bytes(_byte_count: int, /) -> None:
    """Report progress to nobody."""


def sha256_of(path: Path, *, on_bytes: OnBytes = ignore_bytes) -> str:
    """Return the file's SHA-256 as 64 lower-case hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            on_bytes(len(chunk))
    return digest.hexdigest()


def copy_with_sha256(
    source: IO[bytes], target: Path, *, max_bytes: int, on_bytes: OnBytes = ignore_bytes
) -> tuple[int, str]:
    """Write `source` to the new file `target`; return its byte count and SHA-256.

    Stops with OverflowError once more than `max_bytes` came, leaving what was written.
    The file is on the disk (fsync) when this returns.
    """
    digest = hashlib.sha256()
    size_bytes = unsynced_bytes = 0
    with target.open("xb") as sink:
        while chunk := source.read(CHUNK_BYTES):
            size_bytes += len(chunk)
            if size_bytes > max_bytes:
                raise OverflowError(f"more than {max_bytes} bytes")
            sink.write(chunk)
            digest.update(chunk)
            unsynced_bytes += len(chunk)
            if unsynced_bytes >= SYNC_BYTES:
                sink.flush()
                os.fsync(sink.fileno())
                unsynced_bytes = 0
            on_bytes(len(chunk))
        sink.flush()
        os.fsync(sink.fileno())
    return size_bytes, digest.hexdigest()


def write_atomically(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace `path` by `data` so that a reader sees the old file or the new one."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as sink:
            sink.write(data)
            sink.flush()
            os.fsync(sink.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make renames and new names inside the directory durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Hold the operating system's lock on the folder; BlockingIOError if another does.

    No file of it remains, and a process that dies gives it up.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def is_folder_locked(folder: Path) -> bool:
    """Return whether a living process, this one included, holds the folder."""
    try:
        with locked_folder(folder):
            return False
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True


def free_bytes(path: Path) -> int:
    """Return the bytes an unprivileged writer can still use on the file system."""
    return shutil.disk_usage(path).free
