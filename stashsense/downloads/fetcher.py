"""One published file over HTTP, so that nothing of it is fetched twice.

To resume is to fetch what is missing; to fetch some members of a zip is to fetch their
ranges. What the bytes are worth is for others to verify.
"""

import errno
import io
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from stashsense.downloads.exceptions import DownloadError, InsufficientDiskSpace
from stashsense.downloads.exchange import Answer, Broken, Exchange, Line
from stashsense.downloads.partial_file import Origin, PartialFile, is_full_disk

# What is present is written beside the file, under the same name with this ending.
JOURNAL_SUFFIX = ".json"
# The directory of a zip is at its end; that of today's release has under 1 KB.
TAIL_BYTES = 64 * 1024
READ_AHEAD_BYTES = 64 * 1024
# Callers cancel by raising when they are told; people want that within a second.
REPORT_SECONDS = 0.2

OnPresent = Callable[[int], None]


@dataclass(frozen=True)
class Patience:
    """Time-outs and retries.

    `attempts` is how many in a row may bring no new byte, `restarts` how often the
    server may change the file while it is fetched.
    """

    connect_seconds: float = 10
    stall_seconds: float = 30
    attempts: int = 6
    first_delay_seconds: float = 1
    longest_delay_seconds: float = 30
    restarts: int = 3


DEFAULT_PATIENCE = Patience()


class _Changed(Exception):
    """What the server has is not what we have begun to fetch."""


@contextmanager
def open_remote_file(
    url: str,
    path: Path,
    *,
    max_bytes: int,
    patience: Patience = DEFAULT_PATIENCE,
    on_present: OnPresent,
) -> Iterator["RemoteFile"]:
    """Yield the file at `url`, to lie at `path`, with what an earlier attempt left.

    `on_present` hears at least twice a second, whatever the server does, how many
    bytes are present. It may raise to end the fetching, which can then be resumed.
    """
    file = PartialFile(path, path.with_suffix(JOURNAL_SUFFIX))
    try:
        with Line(url, patience.connect_seconds, patience.stall_seconds) as line:
            remote = RemoteFile(
                line,
                file,
                max_bytes=max_bytes,
                patience=patience,
                on_present=on_present,
            )
            try:
                remote.begin()
                yield remote
            except BaseException:
                # What went wrong matters more than a journal that is a second old.
                with suppress(OSError):
                    remote.close()
                raise
            remote.close()
    except OSError as exc:
        if not is_full_disk(exc):
            raise
        raise InsufficientDiskSpace(f"The disk is full: {exc.strerror}.") from exc
    finally:
        file.close()


class RemoteFile:
    """A file of which any part can be made present; see `open_remote_file`.

    `fetched_bytes` came over the network in this process, repeats included.
    """

    def __init__(
        self,
        line: Line,
        file: PartialFile,
        *,
        max_bytes: int,
        patience: Patience,
        on_present: OnPresent,
    ) -> None:
        self.path = file.path
        self.fetched_bytes = 0
        self.has_ranges = False
        self.has_changed = False
        self._line = line
        self._file = file
        self._max_bytes = max_bytes
        self._patience = patience
        self._on_present = on_present
        # An answer with the whole file that nobody has read yet.
        self._unread: tuple[Exchange, Answer] | None = None
        self._restart_count = 0
        self._reported_at = time.monotonic()

    @property
    def total_bytes(self) -> int:
        return self._file.origin.total_bytes

    @property
    def present_bytes(self) -> int:
        return self._file.present.total_bytes

    def missing_bytes(self, start: int, stop: int) -> int:
        """Return how many bytes of the range `fetch` would have to fetch."""
        gaps = self._file.present.missing(start, stop)
        return sum(last - first for first, last in gaps)

    def begin(self) -> None:
        """Learn what the server has, and take over what is present of that."""
        self._persist(self._probe)

    def close(self) -> None:
        if self._unread is not None:
            self._unread[0].close()
        self._file.save()

    def fetch(self, start: int, stop: int) -> None:
        """Make the range present; all of the file, where there are no ranges.

        When the server has changed it, nothing is present any more; DownloadError is
        raised, `has_changed` says why, and `fetch_all` fetches what there is now.
        """
        try:
            self._fetch_missing(start, stop)
        except _Changed as exc:
            self._file.reset()
            self.has_changed = True
            raise DownloadError(f"{self._line.host}: {exc}.") from exc

    def fetch_all(self, *, sha256: bool) -> str | None:
        """Make all of it present; return its SHA-256 if that is wanted.

        When the server has changed the file, it is fetched from the beginning.
        """
        while True:
            try:
                digest = self._fetch_in_order(sha256=sha256)
            except _Changed as exc:
                self._start_over(str(exc))
            else:
                self._on_present(self.present_bytes)
                return digest

    def reader(self) -> IO[bytes]:
        """Return a file for `zipfile`: what is read is fetched first."""
        return cast("IO[bytes]", _Reader(self))

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill the buffer from the file, as far as that goes; return the count."""
        stop = min(offset + len(buffer), self.total_bytes)
        if offset >= stop:
            return 0
        if self._file.present.missing(offset, stop):
            ahead = max(stop, offset + READ_AHEAD_BYTES)
            self.fetch(offset, min(ahead, self.total_bytes))
        return self._file.read_into(buffer[: stop - offset], offset)

    def _fetch_in_order(self, *, sha256: bool) -> str | None:
        file = self._file
        if sha256:
            file.begin_digest()
        for start, stop in file.present.missing(0, self.total_bytes):
            if sha256:
                file.hash_up_to(start, on_chunk=self._report)
            self._fetch_missing(start, stop)
        if not sha256:
            return None
        file.hash_up_to(self.total_bytes, on_chunk=self._report)
        return file.end_digest()

    def _fetch_missing(self, start: int, stop: int) -> None:
        def attempt() -> None:
            while gaps := self._file.present.missing(start, stop):
                self._transfer(*gaps[0])

        self._persist(attempt)

    def _probe(self) -> None:
        exchange, answer = self._ask({"Range": f"bytes=-{TAIL_BYTES}"})
        if answer.status == 416:
            # Some servers refuse to give more than there is.
            exchange.close()
            exchange, answer = self._ask({})
        try:
            (start, stop), total_bytes = self._expected_extent(answer)
            self._file.adopt(Origin(self._line.url, answer.validator, total_bytes))
        except BaseException:
            exchange.close()
            raise
        self.has_ranges = answer.status == 206
        if not self.has_ranges:
            self._unread = exchange, answer
            return
        with suppress(Broken):  # what is missing of the tail comes with the rest
            self._receive(exchange, start, stop)

    def _expected_extent(self, answer: Answer) -> tuple[tuple[int, int], int]:
        span, total_bytes = answer.extent
        if total_bytes is None or answer.status == 416:
            raise DownloadError(f"{answer.host} does not say how large the file is.")
        if total_bytes > self._max_bytes:
            raise DownloadError(
                f"{answer.host} announces a file of {total_bytes} bytes; "
                f"at most {self._max_bytes} were expected."
            )
        return span, total_bytes

    def _start_over(self, reason: str) -> None:
        self._restart_count += 1
        before = self._file.origin
        self._file.reset()
        if self._restart_count > self._patience.restarts:
            raise DownloadError(
                f"{self._line.host}: {reason}, {self._restart_count} times by now."
            )
        self._persist(self._probe)
        if self._file.origin == before:
            # It is no other file, so it is ranges that this server cannot do.
            self.has_ranges = False

    def _ask(self, headers: Mapping[str, str]) -> tuple[Exchange, Answer]:
        exchange = self._line.ask(headers)
        try:
            answer = exchange.answer(self._report)
            _require_content(answer)
        except BaseException:
            exchange.close()
            raise
        return exchange, answer

    def _transfer(self, start: int, stop: int) -> None:
        """Fetch the range, or as much of it as one answer brings."""
        if self._unread is not None:
            (exchange, answer), self._unread = self._unread, None
        else:
            exchange, answer = self._ask(self._range_headers(start, stop))
        span, total_bytes = answer.extent
        is_asked_for = not self.has_ranges or (span[0] == start and span[1] <= stop)
        if (
            answer.status != (206 if self.has_ranges else 200)
            or not is_asked_for
            or total_bytes != self.total_bytes
            or _contradicts(answer.headers, self._file.origin.validator)
        ):
            exchange.close()
            raise _Changed("the file changed on the server while it was fetched")
        self._receive(exchange, *span)

    def _range_headers(self, start: int, stop: int) -> dict[str, str]:
        if not self.has_ranges:
            return {}
        validator = self._file.origin.validator
        condition = {"If-Range": validator} if validator else {}
        return {"Range": f"bytes={start}-{stop - 1}"} | condition

    def _receive(self, exchange: Exchange, start: int, stop: int) -> None:
        offset = start
        try:
            for chunk in exchange.chunks(self._report):
                self.fetched_bytes += len(chunk)
                if offset + len(chunk) > stop:
                    raise DownloadError(
                        f"{self._line.host} sent more than the {stop - start} bytes "
                        "that it announced."
                    )
                self._file.write(offset, chunk)
                offset += len(chunk)
                self._report()
        finally:
            exchange.close()
        if offset < stop:
            raise Broken(f"only {offset - start} of {stop - start} bytes came")

    def _report(self) -> None:
        self._file.save_now_and_then()
        now = time.monotonic()
        if now - self._reported_at >= REPORT_SECONDS:
            self._reported_at = now
            self._on_present(self.present_bytes)

    def _persist(self, attempt: Callable[[], None]) -> None:
        """Repeat the attempt while the connection breaks, with pauses that grow."""
        patience, in_vain_count = self._patience, 0
        while True:
            before = self.present_bytes
            try:
                return attempt()
            except Broken as exc:
                is_in_vain = self.present_bytes == before
                in_vain_count = in_vain_count + 1 if is_in_vain else 0
                if in_vain_count >= patience.attempts:
                    raise DownloadError(
                        f"{self._line.host}: {exc}. Gave up after {in_vain_count} "
                        f"attempts with {before} of {self.total_bytes or '?'} bytes."
                    ) from exc
                delay = patience.first_delay_seconds * 2 ** max(in_vain_count - 1, 0)
                self._pause(exc, min(delay, patience.longest_delay_seconds))

    def _pause(self, reason: Broken, delay_seconds: float) -> None:
        longest = self._patience.longest_delay_seconds * 4
        if reason.retry_after_seconds is not None:
            delay_seconds = reason.retry_after_seconds
        if delay_seconds > longest:
            raise DownloadError(
                f"{self._line.host}: {reason}. It wants to be asked again in "
                f"{delay_seconds:.0f} s; we wait for {longest:.0f} s at most."
            ) from reason
        until = time.monotonic() + delay_seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, REPORT_SECONDS))
            self._report()


class _Reader(io.RawIOBase):
    """The remote file as one with a position, fetched as far as it is read."""

    def __init__(self, remote: RemoteFile) -> None:
        self._remote = remote
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        bases = {os.SEEK_CUR: self._position, os.SEEK_END: self._remote.total_bytes}
        position = bases.get(whence, 0) + offset
        if position < 0:
            raise OSError(errno.EINVAL, "a position before the beginning")
        self._position = position
        return position

    def readinto(self, buffer: Any) -> int:
        count = self._remote.read_into(memoryview(buffer).cast("B"), self._position)
        self._position += count
        return count


def _require_content(answer: Answer) -> None:
    """Refuse an answer without a file: as Broken where asking again may help."""
    status = answer.status
    if status in (408, 429) or status >= 500:
        raise Broken(
            f"it answered with status {status}",
            retry_after_seconds=answer.retry_after_seconds,
        )
    if status not in (200, 206, 416):
        raise DownloadError(f"{answer.host} answered with status {status}.")
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise DownloadError(f"{answer.host} sends the file compressed.")


def _contradicts(headers: Mapping[str, str], validator: str) -> bool:
    name = "ETag" if validator.startswith('"') else "Last-Modified"
    return validator != "" and headers.get(name, validator) != validator
