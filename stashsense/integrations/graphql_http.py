"""HTTP under GraphQL: one attempt at a question, and what a failed one means.

Threads share a session. Nothing is taken from the environment (no proxy, no .netrc), no
cookie is kept, no redirect followed. Who is asked, how often and what an answer says is
for the modules that use this one.
"""

import json
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from stashsense.integrations.safe_fetch import trusted_tls_context
from stashsense.integrations.shared_rate_limiter import POLL_SECONDS, CheckStop, go_on

# Of an answer that is an error we read enough for its message.
_MAX_ERROR_BYTES = 1024 * 1024
_CHUNK_BYTES = 64 * 1024
# As many as threads that may ask at once in an ordinary setup; more are opened, and
# closed again, where there are more threads.
_KEPT_CONNECTIONS = 32
_MAX_MESSAGE_CHARS = 500

REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
FAILURES = (requests.RequestException, HTTPError, OSError)


@dataclass(frozen=True)
class Patience:
    """Time-outs and repeating; only what changes nothing is asked more than once.

    `answer_seconds` is from the first question to the last byte of the answer, without
    waiting for the limiter; one stall may exceed it.
    """

    connect_seconds: float = 5
    stall_seconds: float = 30
    answer_seconds: float = 60
    attempts: int = 3
    first_delay_seconds: float = 0.5
    longest_delay_seconds: float = 5


DEFAULT_PATIENCE = Patience()


@dataclass(frozen=True)
class HttpRequest:
    """A request; its headers may hold a key, so they are not shown."""

    method: str
    url: str
    body: bytes | None
    headers: Mapping[str, str] = field(repr=False)
    max_bytes: int


@dataclass(frozen=True)
class HttpAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()


class AnswerTooLarge(Exception):
    """An answer is longer than its limit."""


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        # Certificates that the operator added to this machine count too.
        super().init_poolmanager(*args, ssl_context=trusted_tls_context(), **kwargs)


def open_session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = "stash-sense"
    session.headers["Accept-Encoding"] = "identity"
    adapter = _Adapter(pool_connections=1, pool_maxsize=_KEPT_CONNECTIONS)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


class BadAddress(Exception):
    """What was to be asked has no valid address; nothing was sent."""


def send(
    session: requests.Session, request: HttpRequest, patience: Patience, seconds: float
) -> HttpAnswer:
    """Return the answer to one attempt that may take so long; raises FAILURES.

    And AnswerTooLarge, and BadAddress.
    """
    ends_at = time.monotonic() + seconds
    try:
        response = session.request(
            request.method,
            request.url,
            data=request.body,
            headers=dict(request.headers),
            timeout=(
                min(patience.connect_seconds, seconds),
                min(patience.stall_seconds, seconds),
            ),
            stream=True,
            allow_redirects=False,
        )
    except (requests.exceptions.InvalidURL, UnicodeError):
        raise BadAddress from None
    with response:
        body = _body(response, request, ends_at)
    return HttpAnswer(response.status_code, response.headers, body)


def send_unless_stopped(
    session: requests.Session,
    request: HttpRequest,
    patience: Patience,
    seconds: float,
    stop: CheckStop,
) -> HttpAnswer:
    """Return what `send` does; what `stop` raises meanwhile breaks the waiting off."""
    if stop is go_on:
        return send(session, request, patience, seconds)
    sent: Future[HttpAnswer] = Future()

    def run() -> None:
        try:
            sent.set_result(send(session, request, patience, seconds))
        except Exception as exc:
            # The thread's edge: whoever waits gets it.
            sent.set_exception(exc)

    # A daemon: when nobody waits any more it ends with its time-outs or with us.
    threading.Thread(target=run, name="request", daemon=True).start()
    while not wait([sent], timeout=POLL_SECONDS).done:
        stop()
    return sent.result()


def _body(response: requests.Response, request: HttpRequest, ends_at: float) -> bytes:
    """Return the body; of an error its beginning, of a redirect nothing."""
    is_error = response.status_code >= 400
    if 300 <= response.status_code < 400:
        return b""
    max_bytes = _MAX_ERROR_BYTES if is_error else request.max_bytes
    body = bytearray()
    # What there is rather than all of a chunk: a drip would go on for ever.
    while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        body += chunk
        if len(body) > max_bytes:
            if is_error:
                break
            raise AnswerTooLarge
        if time.monotonic() > ends_at:
            raise requests.ReadTimeout("the answer took too long")
    return bytes(body)


def parsed_json(body: bytes) -> object:
    """Return what the JSON says, None where it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def asked_for_delay(answer: HttpAnswer) -> float:
    """Return the seconds after which the server wants to be asked again."""
    value = answer.headers.get("Retry-After", "")
    try:
        return max(Retry().parse_retry_after(value), 0) if value else 0
    except (HTTPError, ValueError, OverflowError):
        return 0


def may_pass(error: Exception) -> bool:
    """Whether asking again soon may do better; after a time-out we waited already."""
    if isinstance(error, requests.Timeout | requests.exceptions.SSLError):
        return False
    return "timed out" not in str(error)


def failure_reason(error: Exception) -> str:
    """Return a few words for people; the error itself repeats whole addresses."""
    text = str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return "cannot prove by TLS that it is that host"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "did not accept a connection in time"
    if isinstance(error, requests.Timeout) or "timed out" in text:
        return "did not answer in time"
    if "NameResolutionError" in text or "getaddrinfo" in text:
        return "has a name that is not known here"
    if "refused" in text:
        return "refused the connection"
    return "broke the connection off"


def printable(text: str, secret: str) -> str:
    """Return another's words, short, printable and without our secret."""
    if secret:
        text = text.replace(secret, "[key]")
    text = " ".join(text.encode(errors="replace").decode().split())
    text = "".join(char if char.isprintable() else "?" for char in text)
    is_long = len(text) > _MAX_MESSAGE_CHARS
    return f"{text[:_MAX_MESSAGE_CHARS]} ..." if is_long else text


def error_messages(errors: object) -> list[str]:
    """Return the messages of GraphQL's errors, whatever else stands there."""
    return [
        error["message"]
        for error in (errors if isinstance(errors, list) else [])
        if isinstance(error, dict) and isinstance(error.get("message"), str)
    ]
