"""HTTP to one Stash: connections, time-outs, repeating, and what its answers mean.

Threads share it. The key is in a header and nowhere else.
"""

import json
import logging
import re
import time
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

from stashsense.integrations.graphql_http import (
    DEFAULT_PATIENCE,
    FAILURES,
    REDIRECT_STATUSES,
    AnswerTooLarge,
    BadAddress,
    HttpAnswer,
    HttpRequest,
    Patience,
    asked_for_delay,
    error_messages,
    failure_reason,
    may_pass,
    open_session,
    parsed_json,
    printable,
    send_unless_stopped,
)
from stashsense.integrations.rate_limiter import RateLimiter
from stashsense.integrations.shared_rate_limiter import POLL_SECONDS, CheckStop, go_on
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
from stashsense.observability import trace

__all__ = ["DEFAULT_PATIENCE", "MAX_ANSWER_BYTES", "Patience", "StashTransport"]

logger = logging.getLogger(__name__)

# A page of a hundred scenes with dozens of performers each is under 5 MB.
MAX_ANSWER_BYTES = 64 * 1024 * 1024

# What proxies answer while Stash starts, and where they think we ask too often.
_PASSING_STATUSES = frozenset({429, 502, 503, 504})


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
        self._session = open_session()

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
        stop: CheckStop = go_on,
    ) -> dict[str, Any]:
        """Return the data that a GraphQL operation is answered with.

        What `stop` raises while it waits breaks that off.
        """
        body = {"operationName": name, "query": document, "variables": variables}
        request = HttpRequest(
            method="POST",
            url=self._address.graphql_url,
            body=json.dumps(body).encode(),
            headers={
                **self._own_headers,
                "Content-Type": "application/json",
                "Accept": "application/json",
            },
            max_bytes=MAX_ANSWER_BYTES,
        )
        attempts = self._patience.attempts if may_repeat else 1
        try:
            answer = self._exchange(
                request,
                attempts=attempts,
                seconds=self._patience.answer_seconds,
                limiter=self._limiter,
                stop=stop,
            )
        except AnswerTooLarge:
            raise StashError(
                f"Stash's answer to {name} is larger than {MAX_ANSWER_BYTES:,} bytes."
            ) from None
        return self._data(answer, name)

    def fetch(
        self,
        url: str,
        *,
        max_bytes: int,
        timeout_seconds: float,
        stop: CheckStop = go_on,
    ) -> Media:
        """Return the file at an address of Stash's, as it is reached from here.

        What `stop` raises while it waits breaks that off.
        """
        url = self._address.rebased(url)
        request = HttpRequest(
            method="GET",
            url=url,
            body=None,
            headers={**self._own_headers, "Accept": "*/*"},
            max_bytes=max_bytes,
        )
        path = self._scrubbed(urlsplit(url).path)
        try:
            answer = self._exchange(
                request,
                attempts=self._patience.attempts,
                seconds=timeout_seconds,
                limiter=None,
                stop=stop,
            )
        except AnswerTooLarge:
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

    def _exchange(
        self,
        request: HttpRequest,
        *,
        attempts: int,
        seconds: float,
        limiter: RateLimiter | None,
        stop: CheckStop = go_on,
    ) -> HttpAnswer:
        """Return the answer, of the last attempt if it took several."""
        patience = self._patience
        seconds_left = seconds
        for attempt in range(1, attempts + 1):
            delay = patience.first_delay_seconds * 2 ** (attempt - 1)
            if limiter is not None:
                limiter.wait()
            began_at = time.monotonic()
            try:
                with trace.stage("stash"):
                    answer = send_unless_stopped(
                        self._session, request, patience, seconds_left, stop
                    )
                if answer.status not in _PASSING_STATUSES:
                    return answer
                delay = max(delay, asked_for_delay(answer))
                reason = f"answered with status {answer.status}"
                cause: Exception | None = None
            except BadAddress:
                raise StashNotConfigured("STASH_URL is no valid address.") from None
            except FAILURES as exc:
                reason, cause = failure_reason(exc), exc
                if not may_pass(exc):
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
            _pause(delay, stop)
        raise AssertionError("the last attempt returns or raises")

    def _data(self, answer: HttpAnswer, name: str) -> dict[str, Any]:
        self._require_access(answer)
        if answer.status in (404, 405):
            self._raise_no_stash(f"answered {answer.status} at /graphql")
        content = parsed_json(answer.body)
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

    def _require_access(self, answer: HttpAnswer) -> None:
        if answer.status in REDIRECT_STATUSES:
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
        found = error_messages(errors)
        return self._scrubbed("; ".join(found[:3]) or "it does not say why")

    def _scrubbed(self, text: str) -> str:
        return printable(text, self._api_key)


def _pause(seconds: float, stop: CheckStop) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        stop()
        time.sleep(min(left, POLL_SECONDS))


def _is_login(location: str) -> bool:
    try:
        return urlsplit(location).path.rstrip("/").endswith("/login")
    except ValueError:
        return False
