"""HTTP to one Stash: connections, time-outs, repeating, and what its answers mean.

Threads share it. Nothing is taken from the environment (no proxy, no .netrc), no
cookie is kept, no redirect followed, and the key is in a header and nowhere else.
"""

import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NoReturn
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from stashsense.integrations.rate_limiter import RateLimiter
from stashsense.integrations.safe_fetch import trusted_tls_context
from stashsense.integrations.stash_address import StashAddress
from stashsense.integrations.stash_errors import (
    StashError,
    StashMediaTooLarge,
    StashNotConfigured,
    StashNotFound,
    StashUnauthorized,
    StashUnreachable,
)
from stashsense.integrations.stash_types import Media

logger = logging.getLogger(__name__)

# A page of a hundred scenes with dozens of performers each is under 5 MB.
MAX_ANSWER_BYTES = 64 * 1024 * 1024
# Of an answer that is an error we read enough for its message.
_MAX_ERROR_BYTES = 1024 * 1024
_CHUNK_BYTES = 64 * 1024
# As many as threads that may ask at once in an ordinary setup; more are opened, and
# closed again, where there are more threads.
_KEPT_CONNECTIONS = 32

# What proxies answer while Stash starts, and where they think we ask too often.
_PASSING_STATUSES = frozenset({429, 502, 503, 504})
_REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})
_MAX_MESSAGE_CHARS = 500
_FAILURES = (requests.RequestException, HTTPError, OSError)


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
class _Request:
    method: str
    url: str
    body: bytes | None
    headers: Mapping[str, str]
    max_bytes: int
    seconds: float
    is_limited: bool
    may_repeat: bool


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()


class _TooLarge(Exception):
    """An answer is longer than its limit."""


class StashTransport:
    """Asks one Stash; every error it raises is a StashError."""

    def __init__(
        self,
        address: StashAddress,
        api_key: str,
        *,
        patience: Patience,
        limiter: RateLimiter,
    ) -> None:
        if not re.fullmatch(r"[\x21-\x7e]*", api_key):
            raise StashNotConfigured(
                "STASH_API_KEY has characters that no key of Stash has."
            )
        self._address = address
        self._api_key = api_key
        self._patience = patience
        self._limiter = limiter
        # Stash refuses a key that it has none to compare with, so none is "".
        self._own_headers = {"ApiKey": api_key} if api_key else {}
        if address.authorization:
            self._own_headers["Authorization"] = address.authorization
        self._session = _session()

    @property
    def own_headers(self) -> dict[str, str]:
        """Return the headers by which Stash knows us; they hold the key."""
        return dict(self._own_headers)

    def close(self) -> None:
        self._session.close()

    def ask(
        self,
        document: str,
        variables: Mapping[str, object],
        *,
        name: str,
        may_repeat: bool,
    ) -> dict[str, Any]:
        """Return the data that a GraphQL operation is answered with."""
        body = {"operationName": name, "query": document, "variables": variables}
        request = _Request(
            method="POST",
            url=self._address.graphql_url,
            body=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            max_bytes=MAX_ANSWER_BYTES,
            seconds=self._patience.answer_seconds,
            is_limited=True,
            may_repeat=may_repeat,
        )
        try:
            answer = self._exchange(request)
        except _TooLarge:
            raise StashError(
                f"Stash's answer to {name} is larger than {MAX_ANSWER_BYTES:,} bytes."
            ) from None
        return self._data(answer, name)

    def fetch(self, url: str, *, max_bytes: int, timeout_seconds: float) -> Media:
        """Return the file at an address of Stash's, as it is reached from here."""
        url = self._address.rebased(url)
        request = _Request(
            method="GET",
            url=url,
            body=None,
            headers={"Accept": "*/*"},
            max_bytes=max_bytes,
            seconds=timeout_seconds,
            is_limited=False,
            may_repeat=True,
        )
        path = self._scrubbed(urlsplit(url).path)
        try:
            answer = self._exchange(request)
        except _TooLarge:
            raise StashMediaTooLarge(
                f"What Stash has at {path} is larger than {max_bytes:,} bytes."
            ) from None
        if answer.status in (404, 410):
            raise StashNotFound(f"Stash has nothing at {path}.")
        self._require_access(answer)
        if answer.status != 200:
            raise StashError(f"Stash answered {path} with status {answer.status}.")
        if not answer.body:
            raise StashError(f"What Stash has at {path} is empty.")
        if answer.content_type in ("text/html", "application/xhtml+xml"):
            raise StashError(
                f"{self._host} answered {path} with a web page, not with a file: "
                "check that STASH_URL is the address of Stash."
            )
        return Media(answer.content_type or "application/octet-stream", answer.body)

    @property
    def _host(self) -> str:
        return self._address.host

    def _exchange(self, request: _Request) -> _Answer:
        """Return the answer, of the last attempt if it took several."""
        patience = self._patience
        attempts = patience.attempts if request.may_repeat else 1
        seconds_left = request.seconds
        for attempt in range(1, attempts + 1):
            delay = patience.first_delay_seconds * 2 ** (attempt - 1)
            if request.is_limited:
                self._limiter.wait()
            began_at = time.monotonic()
            try:
                answer = self._attempt(request, seconds_left)
                if answer.status not in _PASSING_STATUSES:
                    return answer
                delay = max(delay, _asked_for_delay(answer))
                reason = f"answered with status {answer.status}"
                cause: Exception | None = None
            except _FAILURES as exc:
                reason, cause = _reason(exc), exc
                if not _may_pass(exc):
                    attempts = attempt
            seconds_left -= time.monotonic() - began_at + delay
            if (
                attempt >= attempts
                or delay > patience.longest_delay_seconds
                or seconds_left <= 0
            ):
                raise StashUnreachable(
                    f"Stash at {self._host} cannot be reached: it {reason}. Check that "
                    "it runs and that STASH_URL leads to it from this machine."
                ) from cause
            logger.info("Stash %s; asking again in %.1f s", reason, delay)
            time.sleep(delay)
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, request: _Request, seconds: float) -> _Answer:
        patience = self._patience
        ends_at = time.monotonic() + seconds
        try:
            response = self._session.request(
                request.method,
                request.url,
                data=request.body,
                headers={**self._own_headers, **request.headers},
                timeout=(
                    min(patience.connect_seconds, seconds),
                    min(patience.stall_seconds, seconds),
                ),
                stream=True,
                allow_redirects=False,
            )
        except (requests.exceptions.InvalidURL, UnicodeError):
            raise StashNotConfigured("STASH_URL is no valid address.") from None
        with response:
            body = _body(response, request, ends_at)
        return _Answer(response.status_code, response.headers, body)

    def _data(self, answer: _Answer, name: str) -> dict[str, Any]:
        self._require_access(answer)
        if answer.status in (404, 405):
            self._raise_no_stash(f"answered {answer.status} at /graphql")
        content = _parsed(answer.body)
        if isinstance(content, dict) and content.get("errors"):
            raise StashError(
                f"Stash refused {name}: {self._messages(content['errors'])}"
            )
        if answer.status == 500 and self._api_key:
            raise StashError(
                "Stash answered with status 500. Versions before 0.26 do that for a "
                "wrong key: check STASH_API_KEY, then Stash's log."
            )
        if answer.status != 200:
            raise StashError(f"Stash answered {name} with status {answer.status}.")
        if not isinstance(content, dict):
            self._raise_no_stash("answered with something else than Stash's data")
        data = content.get("data")
        if not isinstance(data, dict):
            raise StashError(
                f"Stash answered {name} without data and without a reason."
            )
        return data

    def _require_access(self, answer: _Answer) -> None:
        if answer.status in _REDIRECT_STATUSES:
            location = answer.headers.get("Location", "")
            if not _is_login(location):
                raise StashError(
                    f"{self._host} redirects elsewhere: set STASH_URL to the address "
                    "that Stash has in a browser."
                )
        elif answer.status == 403:
            raise StashUnauthorized(
                f"Stash at {self._host} refuses every request (403): check "
                "STASH_API_KEY; a Stash without a password that was reached from the "
                "internet refuses until its config.yml is corrected, as its log says."
            )
        elif answer.status != 401:
            return
        found = "is wrong" if self._api_key else "is not set, but Stash wants a key"
        raise StashUnauthorized(
            f"Stash at {self._host} does not let us in: STASH_API_KEY {found}. Copy "
            "the key from Stash's Settings > Security."
        )

    def _raise_no_stash(self, observed: str) -> NoReturn:
        raise StashError(
            f"{self._host} {observed}: check that STASH_URL is the address of Stash."
        )

    def _messages(self, errors: object) -> str:
        found = [
            str(error["message"])
            for error in (errors if isinstance(errors, list) else [])
            if isinstance(error, dict) and isinstance(error.get("message"), str)
        ]
        return self._scrubbed("; ".join(found[:3]) or "it does not say why")

    def _scrubbed(self, text: str) -> str:
        """Return Stash's words, short, printable and without our key."""
        if self._api_key:
            text = text.replace(self._api_key, "[key]")
        text = " ".join(text.encode(errors="replace").decode().split())
        text = "".join(char if char.isprintable() else "?" for char in text)
        is_long = len(text) > _MAX_MESSAGE_CHARS
        return f"{text[:_MAX_MESSAGE_CHARS]} ..." if is_long else text


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        # Certificates that the operator added to this machine count too.
        super().init_poolmanager(*args, ssl_context=trusted_tls_context(), **kwargs)


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = "stash-sense"
    session.headers["Accept-Encoding"] = "identity"
    adapter = _Adapter(pool_connections=1, pool_maxsize=_KEPT_CONNECTIONS)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _body(response: requests.Response, request: _Request, ends_at: float) -> bytes:
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
            raise _TooLarge
        if time.monotonic() > ends_at:
            raise requests.ReadTimeout("the answer took too long")
    return bytes(body)


def _parsed(body: bytes) -> object:
    """Return what the JSON says, None where it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _is_login(location: str) -> bool:
    try:
        return urlsplit(location).path.rstrip("/").endswith("/login")
    except ValueError:
        return False


def _asked_for_delay(answer: _Answer) -> float:
    """Return the seconds after which the server wants to be asked again."""
    value = answer.headers.get("Retry-After", "")
    try:
        return max(Retry().parse_retry_after(value), 0) if value else 0
    except (HTTPError, ValueError, OverflowError):
        return 0


def _may_pass(error: Exception) -> bool:
    """Whether asking again soon may do better; after a time-out we waited already."""
    if isinstance(error, requests.Timeout | requests.exceptions.SSLError):
        return False
    return "timed out" not in str(error)


def _reason(error: Exception) -> str:
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
