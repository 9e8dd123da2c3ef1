"""HTTP requests whose caller stays free to leave, whatever the server does.

A request is made by a thread of its own, which blocks in the caller's stead: resolving
names, connecting, waiting for bytes. The caller takes what has come, is heard a few
times a second while nothing comes, and leaves at once. Nothing is judged here but
where a redirect leads.
"""

import queue
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Self, TypeAlias
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError

from stashsense.downloads.exceptions import DownloadError
from stashsense.files import CHUNK_BYTES

MAX_REDIRECTS = 5
# TLS gives 16 KiB at once, however large the memory that is made for it; connections
# that give more get up to CHUNK_BYTES.
_FIRST_READ_BYTES = 64 * 1024
# Chunks that the network may be ahead of the disk: 8 MiB.
_QUEUE_CHUNKS = 8
_WAIT_SECONDS = 0.25

# Longer numbers are nonsense, and hard on int().
_NUMBER = re.compile(r"\d{1,18}")
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")

_HEADERS = {"User-Agent": "stash-sense", "Accept-Encoding": "identity"}


class Broken(Exception):
    """A request came to nothing, or to less than all; another one may do better."""

    def __init__(
        self, message: str, *, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True)
class Answer:
    """The head of an answer, and the host that gave it."""

    host: str
    status: int
    headers: Mapping[str, str]

    @property
    def retry_after_seconds(self) -> float | None:
        """When it wants to be asked again, where it says so."""
        value = self.headers.get("Retry-After", "")
        if _NUMBER.fullmatch(value):
            return float(value)
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, TypeError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max((moment - datetime.now(UTC)).total_seconds(), 0.0)

    @property
    def extent(self) -> tuple[tuple[int, int], int | None]:
        """Start and stop of what the body has, and the size of all; None: unknown."""
        if self.status == 206:
            found = _CONTENT_RANGE.fullmatch(self.headers.get("Content-Range", ""))
            if found is None:
                return (0, 0), None
            first, last, total = (int(number) for number in found.groups())
            return (first, last + 1), total if first <= last < total else None
        length = self.headers.get("Content-Length", "")
        total_bytes = int(length) if _NUMBER.fullmatch(length) else None
        return (0, total_bytes or 0), total_bytes

    @property
    def validator(self) -> str:
        """What tells this content from another, fit for If-Range, or ""."""
        etag = self.headers.get("ETag", "")
        return etag if etag.startswith('"') else self.headers.get("Last-Modified", "")


# None is the end of the body.
_Item: TypeAlias = Answer | bytes | Exception | None


class Line:
    """What the requests for one address have in common, its open connection too."""

    def __init__(self, url: str, connect_seconds: float, stall_seconds: float) -> None:
        self.url = url
        self.host = _host(url)
        self._timeout = connect_seconds, stall_seconds
        self._session = requests.Session()
        # Otherwise passwords for the host would be looked for in a .netrc file.
        self._session.auth = _without_password

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def ask(self, headers: Mapping[str, str]) -> "Exchange":
        """Begin a request; it is to be closed."""
        return Exchange(lambda: self._get(_HEADERS | dict(headers)))

    def _get(self, headers: Mapping[str, str]) -> requests.Response:
        url = self.url
        for _ in range(MAX_REDIRECTS + 1):
            response = self._session.get(
                url,
                headers=headers,
                timeout=self._timeout,
                stream=True,
                allow_redirects=False,
            )
            if not response.is_redirect:
                return response
            response.close()
            url = redirect_target(url, response.headers["Location"])
        raise DownloadError(f"{self.host} redirects more than {MAX_REDIRECTS} times.")


class Exchange:
    """One request and its answer, head first, on their way in another thread."""

    def __init__(self, get: Callable[[], requests.Response]) -> None:
        self._get = get
        self._items: queue.Queue[_Item] = queue.Queue(_QUEUE_CHUNKS)
        self._is_left = threading.Event()
        self._response: requests.Response | None = None
        threading.Thread(target=self._run, name="download", daemon=True).start()

    def answer(self, on_wait: Callable[[], None]) -> Answer:
        """Return the head of the answer; Broken when there is none."""
        item = self._take(on_wait)
        assert isinstance(item, Answer)
        return item

    def chunks(self, on_wait: Callable[[], None]) -> Iterator[bytes]:
        """Yield the body as it comes; Broken when it breaks off."""
        while isinstance(item := self._take(on_wait), bytes):
            yield item

    def close(self) -> None:
        """Leave: what is still to come is not read, and the thread ends by itself."""
        self._is_left.set()
        if self._response is not None:
            # Wakes the thread from waiting for bytes. It may have ended already.
            with suppress(OSError, RuntimeError, ValueError):
                self._response.raw.shutdown()

    def _take(self, on_wait: Callable[[], None]) -> _Item:
        while True:
            try:
                item = self._items.get(timeout=_WAIT_SECONDS)
            except queue.Empty:
                on_wait()
                continue
            if not isinstance(item, Exception):
                return item
            if isinstance(item, ValueError):
                raise DownloadError("The file's address cannot be used.") from item
            if isinstance(item, (requests.RequestException, HTTPError, OSError)):
                raise Broken(_reason(item)) from item
            if isinstance(item, HTTPException):
                raise Broken("what it answers is no HTTP") from item
            raise item

    def _put(self, item: _Item) -> None:
        while not self._is_left.is_set():
            with suppress(queue.Full):
                self._items.put(item, timeout=_WAIT_SECONDS)
                return

    def _run(self) -> None:
        try:
            with self._get() as self._response:
                head = self._response
                self._put(Answer(_host(head.url), head.status_code, head.headers))
                # What there is, not all that was asked for: a connection that breaks
                # takes nothing with it.
                read, size = self._response.raw.read1, _FIRST_READ_BYTES
                while not self._is_left.is_set() and (
                    chunk := read(size, decode_content=False)
                ):
                    self._put(chunk)
                    if len(chunk) == size < CHUNK_BYTES:
                        size *= 2
            self._put(None)
        except Exception as exc:  # told where the caller takes it
            self._put(exc)


def redirect_target(url: str, location: str) -> str:
    """Return the address a redirect leads to; DownloadError where it must not lead."""
    target = urljoin(url, location)
    scheme = urlsplit(target).scheme
    if scheme not in ("http", "https"):
        raise DownloadError(f"{_host(url)} redirects to an address that is not HTTP.")
    if scheme == "http" and urlsplit(url).scheme == "https":
        raise DownloadError(
            f"{_host(url)} redirects to {_host(target)} without TLS; refused."
        )
    return target


def _without_password(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _host(url: str) -> str:
    with suppress(ValueError):
        return urlsplit(url).hostname or "the server"
    return "the server"


def _reason(error: Exception) -> str:
    """Return a few words for people; the error itself repeats whole addresses."""
    text = str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return "it cannot prove by TLS that it is that host"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "it did not accept a connection in time"
    if "Failed to establish" in text or "Failed to resolve" in text:
        return "there is no connection to it"
    if isinstance(error, requests.Timeout) or "timed out" in text:
        return "it sent nothing for too long"
    if "IncompleteRead" in text:
        return "it ended the connection before all had come"
    return "the connection failed or broke"
