"""A file of known size that is filled in any order, and remembers how far it is.

The file has its full size from the beginning, with holes. The journal beside it says
whose bytes they are and which of them are present; it is never ahead of what has been
written to the disk, so that neither a killed process nor a lost power lets it lie.
"""

import errno
import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeGuard

from stashsense.downloads.exceptions import DownloadError
from stashsense.files import CHUNK_BYTES, SYNC_BYTES, write_atomically

# What a killed process may have to fetch again, whichever is less. Before each note
# the bytes go to the disk, for little over half a second at 50 MB a second.
JOURNAL_SECONDS = 3.0
JOURNAL_BYTES = SYNC_BYTES // 2


@dataclass(frozen=True)
class Origin:
    """What the bytes are of; without a `validator` nobody can tell it from another."""

    url: str
    validator: str
    total_bytes: int


class ByteRanges:
    """Which bytes are present: ranges that do not touch, in order."""

    def __init__(self) -> None:
        self.spans: list[tuple[int, int]] = []

    @property
    def total_bytes(self) -> int:
        return sum(stop - start for start, stop in self.spans)

    def add(self, start: int, stop: int) -> None:
        apart = []
        for span in self.spans:
            if span[1] < start or span[0] > stop:
                apart.append(span)
            else:
                start, stop = min(start, span[0]), max(stop, span[1])
        self.spans = sorted([*apart, (start, stop)])

    def missing(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Return what of the range is absent, in order."""
        gaps = []
        for first, last in self.spans:
            if start < min(first, stop):
                gaps.append((start, min(first, stop)))
            start = max(start, last)
        return [*gaps, (start, stop)] if start < stop else gaps


class PartialFile:
    """The file, open for filling; empty until it adopts an origin."""

    def __init__(self, path: Path, journal_path: Path) -> None:
        self.path = path
        self.present = ByteRanges()
        self.origin = Origin("", "", 0)
        self._journal_path = journal_path
        self._digest = hashlib.sha256()
        # How far the digest has got; None while nobody wants one.
        self._hashed_bytes: int | None = None
        self._journaled_at = time.monotonic()
        self._unsaved_bytes = 0
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o600)

    def close(self) -> None:
        os.close(self._descriptor)

    def adopt(self, origin: Origin) -> None:
        """Be a file of this origin; what is present stays only if it is of the same."""
        spans = self._journaled_spans(origin)
        if spans is None:
            self.reset()
            os.ftruncate(self._descriptor, origin.total_bytes)
            spans = []
        self.origin, self.present = origin, ByteRanges()
        for start, stop in spans:
            self.present.add(start, stop)

    def reset(self) -> None:
        """Forget what is present."""
        # In this order: a journal never speaks of bytes that are gone.
        self._journal_path.unlink(missing_ok=True)
        self.present = ByteRanges()
        os.ftruncate(self._descriptor, 0)

    def write(self, offset: int, chunk: bytes) -> None:
        stop, written = offset + len(chunk), 0
        with memoryview(chunk) as view:
            while written < len(chunk):
                with view[written:] as rest:
                    written += os.pwrite(self._descriptor, rest, offset + written)
            hashed = self._hashed_bytes
            if hashed is not None and offset <= hashed < stop:
                self._digest.update(view[hashed - offset :])
                self._hashed_bytes = stop
        self.present.add(offset, stop)
        self._unsaved_bytes += len(chunk)

    def read_into(self, buffer: memoryview, offset: int) -> int:
        return os.preadv(self._descriptor, [buffer], offset)

    def begin_digest(self) -> None:
        """Hash from the beginning what is written in order from now on."""
        self._digest = hashlib.sha256()
        self._hashed_bytes = 0

    def hash_up_to(self, stop: int, *, on_chunk: Callable[[], None]) -> None:
        """Read back, and hash, what was not written in order."""
        while self._hashed_bytes is not None and self._hashed_bytes < stop:
            size = min(CHUNK_BYTES, stop - self._hashed_bytes)
            chunk = os.pread(self._descriptor, size, self._hashed_bytes)
            if not chunk:
                raise DownloadError(f"{self.path.name} became shorter than it was.")
            self._digest.update(chunk)
            self._hashed_bytes += len(chunk)
            on_chunk()

    def end_digest(self) -> str:
        self._hashed_bytes = None
        return self._digest.hexdigest()

    def save_now_and_then(self) -> None:
        is_due = time.monotonic() - self._journaled_at >= JOURNAL_SECONDS
        if is_due or self._unsaved_bytes >= JOURNAL_BYTES:
            self.save()

    def save(self) -> None:
        if self.present.spans:
            # First: a journal never speaks of bytes that could still be lost.
            if self._unsaved_bytes:
                os.fsync(self._descriptor)
            journal = asdict(self.origin) | {"present": self.present.spans}
            data = json.dumps(journal).encode()
            # Addresses can hold secrets.
            write_atomically(self._journal_path, data, mode=0o600)
        self._journaled_at = time.monotonic()
        self._unsaved_bytes = 0

    def _journaled_spans(self, origin: Origin) -> list[list[int]] | None:
        """Return what is present of this origin; None when nothing can be trusted."""
        journal: Any = None
        with suppress(OSError, ValueError, RecursionError):
            journal = json.loads(self._journal_path.read_bytes())
        if not isinstance(journal, dict) or not origin.validator:
            return None
        spans = journal.pop("present", None)
        if journal != asdict(origin):
            return None
        if os.fstat(self._descriptor).st_size != origin.total_bytes:
            return None
        return spans if _are_spans(spans, origin.total_bytes) else None


def is_full_disk(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def _are_spans(value: Any, total_bytes: int) -> TypeGuard[list[list[int]]]:
    return isinstance(value, list) and all(
        isinstance(span, list)
        and len(span) == 2
        and all(type(edge) is int for edge in span)
        and 0 <= span[0] < span[1] <= total_bytes
        for span in value
    )
