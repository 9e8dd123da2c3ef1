"""One bounded HTTP request: in time, in size, straight to the address and no further.

Neither redirects nor the environment's proxies are followed: a signature or a session
is for one server alone.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading

CONNECT_SECONDS = 4.0
_CHUNK_BYTES = 64 * 1024


class Unreachable(Exception):
    """No connection came about: nothing was sent."""


class BrokenOff(Exception):
    """The connection ended after something was sent, before the answer was there."""


class TooSlow(Exception):
    """The answer was not complete in time."""


class TooLarge(Exception):
    """The answer is larger than anything that is asked for."""


class Answer:
    """What a server answered: headers by their names in lower case."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Address:
    """Where a server is: scheme, host, port, and the path everything lies under."""

    def __init__(self, scheme: str, host: str, port: int, prefix: str = "") -> None:
        self.scheme = scheme
        self.host = host
        self.port = port
        self.prefix = prefix

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.prefix}"


def exchange(
    address: Address,
    method: str,
    target: str,
    headers: dict[str, str],
    body: bytes | None,
    seconds: float,
    max_bytes: int,
    tls: ssl.SSLContext | None = None,
) -> Answer:
    """Return the answer; raises Unreachable, BrokenOff, TooSlow or TooLarge.

    It takes `seconds` at most, whatever part of it is slow: resolving a name has no
    time-out of its own, and a server may send a byte a second. So it is done beside,
    and left alone when the time is up.
    """
    outcome: list[Answer | Exception] = []

    def ask() -> None:
        try:
            outcome.append(
                _ask(address, method, target, headers, body, seconds, max_bytes, tls)
            )
        except (Unreachable, BrokenOff, TooSlow, TooLarge) as reason:
            outcome.append(reason)
        except socket.timeout:
            outcome.append(TooSlow("no answer in time"))
        except (OSError, http.client.HTTPException) as reason:
            outcome.append(BrokenOff(_shown(reason)))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(seconds)
    if not outcome:
        raise TooSlow("no answer in time")
    if isinstance(outcome[0], Answer):
        return outcome[0]
    raise outcome[0]


def _ask(
    address: Address,
    method: str,
    target: str,
    headers: dict[str, str],
    body: bytes | None,
    seconds: float,
    max_bytes: int,
    tls: ssl.SSLContext | None,
) -> Answer:
    connection = _connection(address, seconds, tls)
    try:
        _connect(connection)
        assert connection.sock is not None
        connection.sock.settimeout(seconds)
        connection.request(method, address.prefix + target, body, headers)
        response = connection.getresponse()
        # One byte more than is allowed tells that there is more.
        parts, left = [], max_bytes + 1
        while left > 0:
            part = response.read(min(_CHUNK_BYTES, left))
            if not part:
                break
            parts.append(part)
            left -= len(part)
        if left <= 0:
            raise TooLarge(f"more than {max_bytes} bytes")
        named = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, named, b"".join(parts))
    finally:
        connection.close()


def _connection(
    address: Address, seconds: float, tls: ssl.SSLContext | None
) -> http.client.HTTPConnection:
    bound = min(CONNECT_SECONDS, seconds)
    if address.scheme == "https":
        return http.client.HTTPSConnection(
            address.host,
            address.port,
            timeout=bound,
            context=tls or ssl.create_default_context(),
        )
    return http.client.HTTPConnection(address.host, address.port, timeout=bound)


def _connect(connection: http.client.HTTPConnection) -> None:
    try:
        connection.connect()
    except ssl.SSLCertVerificationError as reason:
        text = f"its certificate is not trusted: {reason.verify_message}"
        raise Unreachable(text) from reason
    except socket.timeout as reason:
        raise Unreachable("no connection in time") from reason
    except (OSError, http.client.HTTPException, UnicodeError) as reason:
        raise Unreachable(_shown(reason)) from reason


def _shown(reason: Exception) -> str:
    """Return why, in words that name no header and no body."""
    if isinstance(reason, socket.gaierror):
        return "there is no server of this name"
    if isinstance(reason, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(reason, http.client.RemoteDisconnected):
        return "the server hung up"
    return (
        reason.strerror
        if isinstance(reason, OSError) and reason.strerror
        else (type(reason).__name__)
    )
