"""HTTP to one stash-box: its turn, its pauses, repeating, and what its answers mean.

Threads share it. The key is in a header and nowhere else. Everything that is asked may
be asked again: nothing here changes a box.
"""

import json
import logging
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from stashsense.integrations.graphql_http import (
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
from stashsense.integrations.shared_rate_limiter import (
    CheckStop,
    PausedForLonger,
    SharedRateLimiter,
)
from stashsense.integrations.stash_types import endpoint_domain
from stashsense.integrations.stashbox_errors import (
    StashBoxBusy,
    StashBoxError,
    StashBoxUnauthorized,
    StashBoxUnreachable,
    UnknownStashBox,
)
from stashsense.integrations.stashbox_operations import BoxOperation
from stashsense.observability import trace

logger = logging.getLogger(__name__)

# A page of a hundred scenes with hundreds of fingerprints each is under 5 MB.
MAX_ANSWER_BYTES = 64 * 1024 * 1024
# `answer_seconds` is for one attempt here: a pause between two may take the longest
# delay, and only what wants to wait longer is told so.
BOX_PATIENCE = Patience(
    connect_seconds=10,
    stall_seconds=30,
    answer_seconds=60,
    attempts=4,
    first_delay_seconds=1,
    longest_delay_seconds=60,
)

_TOO_MANY_REQUESTS = 429
_PASSING_STATUSES = frozenset({429, 500, 502, 503, 504})
# Who answers 429 without saying for how long counts by the minute; a second would not
# do. With the delays doubled at each attempt, 5, 10 and 20 s.
_UNEXPLAINED_PAUSE_FACTOR = 5
_REFUSED_KEY = re.compile(
    r"\b(not authori[sz]ed|unauthori[sz]ed|unauthenticated|invalid api ?key)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class BoxAnswer:
    """What a box answered: data, and what it could not answer of it."""

    data: dict[str, Any]
    errors: list[dict[str, Any]]


class StashBoxTransport:
    """Asks one stash-box; every error it raises is a StashBoxError."""

    def __init__(
        self,
        endpoint: str,
        api_key: str,
        *,
        name: str,
        patience: Patience,
        limiter: SharedRateLimiter,
    ) -> None:
        _require_address(endpoint, name)
        if not re.fullmatch(r"[\x21-\x7e]+", api_key):
            raise UnknownStashBox(
                f"Stash has no usable key for {name}: copy one from your account at "
                "that box to Stash's Settings > Metadata providers."
            )
        self.endpoint = endpoint
        self.name = name
        self.limiter = limiter
        self._api_key = api_key
        self._patience = patience
        self._session = open_session()

    def close(self) -> None:
        self._session.close()

    def ask(
        self, operation: BoxOperation, variables: Mapping[str, object], stop: CheckStop
    ) -> BoxAnswer:
        """Return what an operation is answered with, perhaps not in all its parts."""
        body = {
            "operationName": operation.name,
            "query": operation.document,
            "variables": variables,
        }
        request = HttpRequest(
            method="POST",
            url=self.endpoint,
            body=json.dumps(body).encode(),
            headers={
                "ApiKey": self._api_key,
                "Content-Type": "application/json",
                "Accept": "application/json",
            },
            max_bytes=MAX_ANSWER_BYTES,
        )
        try:
            answer = self._exchange(request, stop)
        except AnswerTooLarge:
            raise StashBoxError(
                f"{self.name}'s answer to {operation.name} is larger than "
                f"{MAX_ANSWER_BYTES:,} bytes."
            ) from None
        except BadAddress:
            raise UnknownStashBox(f"{self.name} has no valid address.") from None
        return self._read(answer, operation.name)

    def refusal(self, operation_name: str, errors: object) -> StashBoxError:
        """Return the error for a box that will not answer, with its own reason."""
        reason = "; ".join(error_messages(errors)[:3]) or "it does not say why"
        return StashBoxError(
            f"{self.name} refused {operation_name}: {self.shown(reason)}"
        )

    def shown(self, text: str) -> str:
        """Return a box's words as they may be shown and logged."""
        return printable(text, self._api_key)

    def _exchange(self, request: HttpRequest, stop: CheckStop) -> HttpAnswer:
        """Return the answer, of the last attempt if it took several."""
        patience = self._patience
        for attempt in range(1, patience.attempts + 1):
            delay = patience.first_delay_seconds * 2 ** (attempt - 1)
            self._wait_for_turn(stop)
            is_last = attempt == patience.attempts
            try:
                answer = self._send(request, stop)
            except FAILURES as exc:
                reason = failure_reason(exc)
                if is_last or not may_pass(exc):
                    raise self._unreachable(reason) from exc
            else:
                if answer.status not in _PASSING_STATUSES:
                    return answer
                reason = f"answered with status {answer.status}"
                delay = self._wanted_delay(answer, delay, is_last=is_last)
                if is_last:
                    return answer
            logger.info("%s %s; asking again in %.1f s", self.name, reason, delay)
            # For everybody: a box that is in trouble gets no better by others' asking.
            self.limiter.pause(delay)
        raise AssertionError("the last attempt returns or raises")

    def _wait_for_turn(self, stop: CheckStop) -> None:
        longest = self._patience.longest_delay_seconds
        try:
            self.limiter.wait(check_stop=stop, longest_pause_seconds=longest)
        except PausedForLonger as pause:
            raise self._busy(pause.seconds) from None

    def _wanted_delay(
        self, answer: HttpAnswer, delay: float, *, is_last: bool
    ) -> float:
        """Return the seconds to pause; raises StashBoxBusy for too many."""
        wanted = asked_for_delay(answer)
        is_limit = answer.status == _TOO_MANY_REQUESTS
        if is_limit and not wanted:
            wanted = delay * _UNEXPLAINED_PAUSE_FACTOR
        delay = max(delay, wanted)
        is_too_long = delay > self._patience.longest_delay_seconds
        if is_too_long or (is_limit and is_last):
            self.limiter.pause(delay)
            raise self._busy(delay)
        return delay

    def _send(self, request: HttpRequest, stop: CheckStop) -> HttpAnswer:
        """Send the request; while it waits for its answer, `stop` may break it off."""
        patience = self._patience
        seconds = patience.answer_seconds
        with trace.stage("stash_box"):
            return send_unless_stopped(self._session, request, patience, seconds, stop)

    def _read(self, answer: HttpAnswer, operation_name: str) -> BoxAnswer:
        if answer.status in REDIRECT_STATUSES:
            raise StashBoxError(
                f"{self.name} redirects elsewhere: correct its address in Stash's "
                "Settings > Metadata providers."
            )
        if answer.status == 401:
            raise self._unauthorized("401")
        if answer.status == 403:
            raise self._unauthorized("403, which a proxy before it may answer as well")
        content = parsed_json(answer.body)
        errors = content.get("errors") if isinstance(content, dict) else None
        if any(_REFUSED_KEY.search(message) for message in error_messages(errors)):
            raise self._unauthorized(self.shown(error_messages(errors)[0]))
        data = content.get("data") if isinstance(content, dict) else None
        if errors and (answer.status != 200 or not isinstance(data, dict)):
            raise self.refusal(operation_name, errors)
        if answer.status in _PASSING_STATUSES - {500}:
            raise self._unreachable(f"answered with status {answer.status}")
        if answer.status != 200:
            raise StashBoxError(
                f"{self.name} answered {operation_name} with status {answer.status}."
            )
        if answer.content_type in ("text/html", "application/xhtml+xml"):
            raise StashBoxError(
                f"{self.name} answered {operation_name} with a web page, not with "
                "data: check its address in Stash's Settings > Metadata providers."
            )
        if not isinstance(data, dict):
            raise StashBoxError(
                f"{self.name} answered {operation_name} with something else than data."
            )
        found = errors if isinstance(errors, list) else []
        return BoxAnswer(data, [error for error in found if isinstance(error, dict)])

    def _busy(self, seconds: float) -> StashBoxBusy:
        whole = math.ceil(seconds)
        return StashBoxBusy(
            f"{self.name} wants to be left alone for another {whole} s.",
            retry_after_seconds=whole,
        )

    def _unauthorized(self, reason: str) -> StashBoxUnauthorized:
        return StashBoxUnauthorized(
            f"{self.name} does not accept the key that Stash has for it ({reason}): "
            "check it in Stash's Settings > Metadata providers."
        )

    def _unreachable(self, reason: str) -> StashBoxUnreachable:
        return StashBoxUnreachable(f"{self.name} cannot be reached: it {reason}.")


def _require_address(endpoint: str, name: str) -> None:
    try:
        address = urlsplit(endpoint)
        is_valid = (
            address.scheme in ("http", "https")
            and bool(address.hostname)
            and "@" not in address.netloc
        )
    except ValueError:
        is_valid = False
    if not is_valid or not endpoint_domain(endpoint):
        raise UnknownStashBox(f"{name} has no valid address.")
