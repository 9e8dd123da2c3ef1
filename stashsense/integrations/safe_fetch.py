"""Fetching what a stranger's address points to, without becoming their arm.

Whoever sends an address chooses what this machine connects to, and it can reach
things they cannot. So the name is resolved once, the answer is judged, and the
connection goes to that very answer, anew for every redirect. Nothing is taken from
the environment: no proxy, no stored password.
"""

import functools
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeAlias
from urllib.parse import urljoin

import certifi
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, LocationParseError, SSLError

from stashsense.exceptions import StashSenseError
from stashsense.integrations.addresses import is_public_address

MAX_REDIRECTS = 5

_DEFAULT_PORTS = {"http": 80, "https": 443}
_REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
_CHUNK_BYTES = 64 * 1024

# Some hosts refuse requests without a name. Compression gains nothing on pictures.
_HEADERS = {"User-Agent": "stash-sense", "Accept-Encoding": "identity"}

# As `socket.getaddrinfo` answers: family, type, protocol, canonical name, address.
AddressInfo: TypeAlias = tuple[int, int, int, str, tuple[Any, ...]]


class FetchRefused(StashSenseError):
    """The address, or one it redirects to, is none we fetch; nothing was sent to it."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "address_refused"


class FetchFailed(StashSenseError):
    """The address was permitted, but its content could not be had; none is kept."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "fetch_failed"


def connect_socket(info: AddressInfo, timeout_seconds: float) -> socket.socket:
    """Return a socket connected to exactly this address."""
    family, kind, protocol, _, address = info
    sock = socket.socket(family, kind, protocol)
    try:
        sock.settimeout(timeout_seconds)
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


@functools.cache
def trusted_tls_context() -> ssl.SSLContext:
    """Trust what browsers trust, and what the operator added to this machine."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


@dataclass(frozen=True, kw_only=True)
class Network:
    """How names are resolved and connections opened; tests bring their own."""

    resolve: Callable[..., list[Any]] = socket.getaddrinfo
    connect: Callable[[AddressInfo, float], socket.socket] = connect_socket
    tls_context: Callable[[], ssl.SSLContext] = trusted_tls_context


def fetch_public(
    url: str,
    *,
    max_bytes: int,
    timeout_seconds: float,
    allowed_hosts: Collection[str] = (),
    network: Network | None = None,
) -> bytes:
    """Return what an http or https address on the public internet answers.

    `allowed_hosts` ("host" or "host:port") may be anywhere, such as on this
    network. The time limit is for everything together, from the first name looked
    up to the last byte; the size limit counts after decompression.
    """
    with _Deadline(timeout_seconds) as deadline:
        fetch = _Fetch(deadline, max_bytes, allowed_hosts, network or Network())
        for _ in range(MAX_REDIRECTS + 1):
            target = _parse(url)
            answer = fetch.get(target)
            if isinstance(answer, bytes):
                return answer
            url = _joined(url, answer)
    raise FetchFailed(f"{target.host} redirects more than {MAX_REDIRECTS} times.")


@dataclass(frozen=True)
class _Target:
    """What of an address matters for a request; no credentials among it."""

    scheme: str
    host: str  # as in the address, brackets removed
    port: int
    path_and_query: str


@dataclass(frozen=True)
class _Redirect:
    location: str


def _parse(url: str) -> _Target:
    try:
        parsed = urllib3.util.parse_url(url)
    except (LocationParseError, UnicodeError):
        # Without the cause, whose message would repeat the address.
        raise FetchRefused("The address is not a valid URL.") from None
    if parsed.scheme not in _DEFAULT_PORTS:
        raise FetchRefused("Only http and https addresses are fetched.")
    if parsed.auth is not None:
        raise FetchRefused("Addresses with a user name or password are not fetched.")
    if not parsed.host:
        raise FetchRefused("The address names no host.")
    return _Target(
        scheme=parsed.scheme,
        host=parsed.host.strip("[]"),
        port=_DEFAULT_PORTS[parsed.scheme] if parsed.port is None else parsed.port,
        path_and_query=parsed.request_uri,
    )


def _joined(url: str, redirect: _Redirect) -> str:
    # Headers arrive as Latin-1, whatever the server meant; most mean UTF-8.
    location = redirect.location.encode("latin-1").decode(errors="replace")
    try:
        return urljoin(url, location)
    except ValueError:
        raise FetchRefused("The address redirects to what is no valid URL.") from None


class _Deadline:
    """The moment at which every connection of one fetch is cut off.

    Socket timeouts begin anew with every byte, so a server that sends one now and
    then would hold a thread for ever.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends_at = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._cut_off)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()

    @property
    def has_passed(self) -> bool:
        return time.monotonic() >= self._ends_at

    def error(self, host: str) -> FetchFailed:
        return FetchFailed(f"{host} did not answer within {self._seconds:g} seconds.")

    def seconds_left(self, host: str) -> float:
        """Return a positive number of seconds; raises FetchFailed when none is left."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise self.error(host)
        return left

    def watch(self, sock: socket.socket) -> None:
        with self._lock:
            self._sockets.append(sock)
        if self.has_passed:
            self._cut_off()

    def _cut_off(self) -> None:
        with self._lock:
            for sock in self._sockets:
                # The plain socket's method: TLS's own would drop the encryption
                # under a reader that is still at work.
                with suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _Fetch:
    """One `fetch_public`: requests under one deadline, one after the other."""

    def __init__(
        self,
        deadline: _Deadline,
        max_bytes: int,
        allowed_hosts: Collection[str],
        network: Network,
    ) -> None:
        self._deadline = deadline
        self._max_bytes = max_bytes
        self._allowed_hosts = {host.strip().lower() for host in allowed_hosts}
        self._network = network

    def get(self, target: _Target) -> bytes | _Redirect:
        """Return the content, or where it is said to be."""
        pool = self._pool(target, self._permitted_addresses(target))
        try:
            with pool.urlopen(
                "GET",
                target.path_and_query,
                headers=_HEADERS,
                redirect=False,
                retries=False,
                preload_content=False,
            ) as response:
                answer = self._read(response, target)
        except (HTTPError, OSError) as exc:
            if self._deadline.has_passed:
                raise self._deadline.error(target.host) from exc
            raise _failure(exc, target) from exc
        finally:
            pool.close()
        # A body that ends with the connection looks complete when it is cut off.
        if self._deadline.has_passed:
            raise self._deadline.error(target.host)
        return answer

    def _permitted_addresses(self, target: _Target) -> list[AddressInfo]:
        """Return where the host is; raises FetchRefused if any of it is not public."""
        addresses = self._addresses(target)
        if not addresses:
            raise FetchFailed(f"{target.host} has no address.")
        if not self._is_allowed(target):
            for *_, address in addresses:
                if not is_public_address(address[0]):
                    raise FetchRefused(
                        f"{target.host} is at {address[0]}, which is not a public "
                        "address; its host must be allowed first."
                    )
        return addresses

    def _addresses(self, target: _Target) -> list[AddressInfo]:
        answer: Future[list[Any]] = Future()

        def look_up() -> None:
            try:
                answer.set_result(
                    self._network.resolve(
                        target.host, target.port, type=socket.SOCK_STREAM
                    )
                )
            except (OSError, UnicodeError) as exc:
                answer.set_exception(exc)

        # In a thread of its own, for a name server can take longer than we have.
        threading.Thread(target=look_up, daemon=True).start()
        try:
            found = answer.result(self._deadline.seconds_left(target.host))
        except TimeoutError as exc:
            raise self._deadline.error(target.host) from exc
        except (OSError, UnicodeError) as exc:
            raise FetchFailed(f"{target.host} could not be found.") from exc
        return [info for info in found if info[0] in (socket.AF_INET, socket.AF_INET6)]

    def _is_allowed(self, target: _Target) -> bool:
        host = target.host.lower().rstrip(".")
        spellings = (host, f"[{host}]")
        return not self._allowed_hosts.isdisjoint(
            {*spellings, *(f"{spelling}:{target.port}" for spelling in spellings)}
        )

    def _pool(
        self, target: _Target, addresses: list[AddressInfo]
    ) -> urllib3.HTTPConnectionPool:
        seconds = self._deadline.seconds_left(target.host)
        options: dict[str, Any] = {
            "timeout": urllib3.Timeout(connect=seconds, read=seconds),
            "dial": functools.partial(self._dial, target, addresses),
            "on_connected": self._deadline.watch,
        }
        if target.scheme == "http":
            return _PinnedHTTPPool(target.host, target.port, **options)
        context = self._network.tls_context()
        return _PinnedHTTPSPool(
            target.host, target.port, ssl_context=context, **options
        )

    def _dial(self, target: _Target, addresses: list[AddressInfo]) -> socket.socket:
        """Return a connection to the first address that accepts one."""
        error = OSError(f"{target.host} has no address")
        for tried, info in enumerate(addresses):
            # A fair share each, lest one that never answers takes it all.
            share = self._deadline.seconds_left(target.host) / (len(addresses) - tried)
            try:
                sock = self._network.connect(info, share)
            except OSError as exc:
                error = exc
                continue
            sock.settimeout(self._deadline.seconds_left(target.host))
            return sock
        raise error

    def _read(
        self, response: urllib3.BaseHTTPResponse, target: _Target
    ) -> bytes | _Redirect:
        if response.status in _REDIRECT_STATUSES:
            location = response.headers.get("Location")
            if not location:
                raise FetchFailed(f"{target.host} redirects to nowhere.")
            return _Redirect(location)
        if response.status != 200:
            raise FetchFailed(f"{target.host} answered with status {response.status}.")
        too_large = FetchFailed(
            f"What {target.host} sends is larger than {self._max_bytes:,} bytes."
        )
        if _declared_bytes(response) > self._max_bytes:
            raise too_large
        body = bytearray()
        while chunk := response.read(_CHUNK_BYTES):
            body += chunk
            if max(len(body), response.tell()) > self._max_bytes:
                raise too_large
        return bytes(body)


def _declared_bytes(response: urllib3.BaseHTTPResponse) -> int:
    """Return what the server says it sends, 0 where it says nothing sensible."""
    try:
        return int(response.headers.get("Content-Length", "0"))
    except ValueError:
        return 0


def _failure(error: Exception, target: _Target) -> FetchFailed:
    if isinstance(error, SSLError):
        return FetchFailed(f"{target.host} cannot prove by TLS that it is that host.")
    return FetchFailed(f"The connection to {target.host} failed.")


class _Pinned(HTTPConnection):
    """A connection that does not look up its host again."""

    def __init__(
        self,
        *args: Any,
        dial: Callable[[], socket.socket],
        on_connected: Callable[[socket.socket], None],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._dial = dial
        self._on_connected = on_connected

    def _new_conn(self) -> socket.socket:
        return self._dial()

    def connect(self) -> None:
        super().connect()
        self._on_connected(self.sock)


class _PinnedHTTPS(_Pinned, HTTPSConnection):
    """The same under TLS, where certificate and server name are still the host's."""


class _PinnedHTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Pinned


class _PinnedHTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _PinnedHTTPS
