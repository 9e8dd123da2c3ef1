"""The HTTP of the release simulator: a feed, its archives, and what goes wrong."""

import hashlib
import json
import re
import select
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from demo.http_host import LoopbackHandler, LoopbackHost
from demo.publication import Archive, Publication
from stashsense.files import CHUNK_BYTES

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
# How often a slow answer gets its next bytes.
_SLOW_STEPS_PER_SECOND = 20


@dataclass(frozen=True)
class Request:
    """A request that was answered, or is being answered. Header names are lower-case.

    `sent_bytes` is of the body, and never less than what has left.
    """

    method: str
    path: str
    headers: dict[str, str]
    status: int
    sent_bytes: int


@dataclass
class Faults:
    """What goes wrong. Lists are used up from the front, one entry for each request.

    `feed_drips` sends it byte by byte, without end. `drop_after_bytes` cuts the
    connection after so many bytes of a body; an entry that is larger than the body cuts
    nothing. `stall_after_bytes` keeps it open, in silence.
    `redirect_archives_to` is an address, or "self" for another one of this server.
    """

    feed_status: int | None = None
    feed_headers: dict[str, str] = field(default_factory=dict)
    feed_body: bytes | None = None
    feed_drips: bool = False
    archive_statuses: list[int] = field(default_factory=list)
    archive_status_headers: dict[str, str] = field(default_factory=dict)
    drop_after_bytes: list[int] = field(default_factory=list)
    truncate: bool = False
    ignore_range: bool = False
    no_validators: bool = False
    weak_etag: bool = False
    etag_suffix: str = ""
    redirect_archives_to: str | None = None
    bytes_per_second: int | None = None
    stall_after_bytes: int | None = None


@dataclass
class _Exchange:
    """A request while it is being answered."""

    method: str
    path: str
    headers: dict[str, str]
    status: int = 0
    sent_bytes: int = 0


class ReleaseHost(LoopbackHost):
    """The server: publications, newest last, and faults are its owner's to edit."""

    def __init__(self, port: int) -> None:
        self.faults = Faults()
        # For what is edited while answers are under way.
        self.lock = threading.RLock()
        self.publications: dict[str, Publication] = {}
        # By their path below /files, for what no feed lists.
        self.files: dict[str, Publication] = {}
        self._exchanges: list[_Exchange] = []
        super().__init__(port, _Handler)

    def requests(self) -> list[Request]:
        """Return what was asked, oldest first."""
        with self.lock:
            return [Request(**vars(exchange)) for exchange in self._exchanges]

    def record(self, exchange: "_Exchange") -> None:
        with self.lock:
            self._exchanges.append(exchange)

    def find_publication(self, version: str) -> Publication | None:
        with self.lock:
            return self.publications.get(version)

    def find_file(self, path: str) -> Publication | None:
        with self.lock:
            return self.files.get(path)

    def feed(self) -> list[dict[str, Any]]:
        """Return the releases as the feed lists them, newest published first."""
        with self.lock:
            publications = list(self.publications.values())
        publications.sort(key=lambda p: (p.entry["published_at"], p.serial))
        return [publication.feed_entry() for publication in reversed(publications)]


class _Handler(LoopbackHandler):
    server: ReleaseHost

    def do_GET(self) -> None:
        self.exchange = _Exchange(self.command, self.path, self.lower_headers())
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        is_file = len(parts) == 3 and parts[0] in ("archives", "moved")
        publication = self.server.find_publication(parts[1]) if is_file else None
        if parts[0] == "files":
            publication = self.server.find_file("/".join(parts[1:]))
        if parts in (["releases"], ["releases", "latest"]):
            self._answer_feed(is_latest=len(parts) == 2)
        elif publication and publication.archive:
            self._answer_archive(publication, publication.archive)
        else:
            self._answer(404, b'{"message": "Not Found"}')

    def _answer_feed(self, *, is_latest: bool) -> None:
        faults = self.server.faults
        entries: Any = self.server.feed()
        status = 200
        if is_latest:
            stable = [e for e in entries if not (e["draft"] or e["prerelease"])]
            status = 200 if stable else 404
            entries = stable[0] if stable else {"message": "Not Found"}
        body = json.dumps(entries).encode() if faults.feed_body is None else b""
        body = body or faults.feed_body or b""
        etag = f'"{hashlib.sha256(body).hexdigest()}"'
        if status == 200 and self.headers.get("If-None-Match") == etag:
            status, body = 304, b""
        headers = {"ETag": etag, "Content-Type": "application/json"}
        if faults.feed_drips:
            self._drip()
            return
        self._answer(faults.feed_status or status, body, headers | faults.feed_headers)

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        self.exchange.sent_bytes = len(body)
        self._send_head(status, {"Content-Length": str(len(body)), **(headers or {})})
        self.wfile.write(body)

    def _send_head(self, status: int, headers: dict[str, str]) -> None:
        self.exchange.status = status
        self.server.record(self.exchange)
        self.send_head(status, headers)

    def _answer_archive(self, publication: Publication, archive: Archive) -> None:
        faults = self.server.faults
        target = faults.redirect_archives_to
        if target and not self.path.startswith("/moved"):
            if target == "self":
                target = f"{self.path.replace('/archives', '/moved', 1)}?token=secret"
            self._answer(302, b"", {"Location": target})
            return
        with self.server.lock:
            status = faults.archive_statuses.pop(0) if faults.archive_statuses else None
        if status is not None:
            self._answer(status, b"no", faults.archive_status_headers)
            return
        headers = self._validators(publication)
        size_bytes = archive.size_bytes
        asked = None if faults.ignore_range else self._asked_range(headers, size_bytes)
        if asked is not None and asked[0] >= asked[1]:
            self._answer(416, b"", {"Content-Range": f"bytes */{size_bytes}"})
            return
        start, stop = asked or (0, size_bytes)
        headers |= {
            "Content-Type": "application/zip",
            "Content-Length": str(stop - start),
        }
        if not faults.ignore_range:
            headers["Accept-Ranges"] = "bytes"
        if asked:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size_bytes}"
        self._send_head(206 if asked else 200, headers)
        self._send_body(archive, start, stop)

    def _validators(self, publication: Publication) -> dict[str, str]:
        faults = self.server.faults
        if faults.no_validators:
            return {}
        etag = f'"{publication.version}-{publication.serial}{faults.etag_suffix}"'
        return {
            "ETag": f"W/{etag}" if faults.weak_etag else etag,
            "Last-Modified": publication.modified,
        }

    def _asked_range(
        self, validators: dict[str, str], size_bytes: int
    ) -> tuple[int, int] | None:
        """Return start and stop, empty where unsatisfiable; None for all of it."""
        found = _RANGE.fullmatch(self.headers.get("Range", ""))
        if found is None or found[0] == "bytes=-":
            return None
        condition = self.headers.get("If-Range")
        if condition is not None and (
            condition.startswith("W/") or condition not in validators.values()
        ):
            return None
        if not found[1]:
            return max(0, size_bytes - int(found[2])), size_bytes
        start, last = int(found[1]), int(found[2]) if found[2] else size_bytes
        if found[2] and last < start:
            return None
        return start, min(last + 1, size_bytes)

    def _send_body(self, archive: Archive, start: int, stop: int) -> None:
        faults = self.server.faults
        # What comes first ends the body: the end, a cut, the half, or silence.
        ends = [stop]
        with self.server.lock:
            if faults.drop_after_bytes:
                ends.append(start + faults.drop_after_bytes.pop(0))
        if faults.truncate:
            ends.append(start + (stop - start) // 2)
        if faults.stall_after_bytes is not None:
            ends.append(start + faults.stall_after_bytes)
        end = min(ends)
        with archive.open() as file:
            while start < end and not self.server.stopping.is_set():
                step = CHUNK_BYTES
                if faults.bytes_per_second:
                    step = max(1, faults.bytes_per_second // _SLOW_STEPS_PER_SECOND)
                    self.server.stopping.wait(1 / _SLOW_STEPS_PER_SECOND)
                step = min(step, end - start)
                # Counted first: a client that has the bytes finds them counted.
                self.exchange.sent_bytes += step
                archive.send(self.connection, file, start, start + step)
                start += step
        if faults.stall_after_bytes is not None and end == ends[-1] < stop:
            self.keep_silent()
        if start < stop:
            self.hang_up()

    def _drip(self) -> None:
        """Send a byte now and then, until the client leaves or the server stops."""
        self._send_head(200, {"Content-Length": "1000000"})
        while not self.server.stopping.wait(1 / _SLOW_STEPS_PER_SECOND):
            if select.select([self.connection], [], [], 0)[0]:
                break
            self.wfile.write(b" ")
        self.close_connection = True
