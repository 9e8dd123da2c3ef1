"""The sidecar: signed requests of its routes, and what its answers mean."""

from __future__ import annotations

import base64
import json
import re
import time
from typing import TYPE_CHECKING, Any

from . import OLDEST_SIDECAR, PLUGIN_VERSION
from .http_exchange import (
    Address,
    Answer,
    BrokenOff,
    TooLarge,
    TooSlow,
    Unreachable,
    exchange,
)
from .mode import PICTURE, Mode, Request
from .refusals import (
    Refusal,
    SidecarNotOurs,
    SidecarTimeout,
    SidecarTooOld,
    SidecarUnauthorized,
    SidecarUnreachable,
)
from .stash import Settings, sidecar_address

if TYPE_CHECKING:
    from .signing import Secret

# A page of a thousand recommendations has a few.
_MAX_JSON_BYTES = 32 * 1024 * 1024
_MAX_PICTURE_BYTES = 4 * 1024 * 1024
_PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp")
# How long to ask once more who is there, after an answer that nobody understands.
HEALTH_SECONDS = 2.0
# What a request under the second key has at least, however late the first was refused.
LAST_SECONDS = 1.0
# The sidecar's words for: another key than the one it knows.
_OTHER_KEY_CODES = ("wrong_signature", "no_shared_key")


class Sidecar:
    """The sidecar of the plugin's settings."""

    def __init__(self, settings: Settings) -> None:
        self.address = sidecar_address(settings.sidecar_url)
        given = (settings.stash_secret, settings.plugin_secret)
        self._secrets: list[Secret | None] = [each for each in given if each]

    def ask(
        self, mode: Mode, given: dict[str, Any], seconds: float | None = None
    ) -> Any:
        """Return what the mode's route answers; raises Refusal."""
        request = mode.request(given)
        bound = mode.seconds if seconds is None else seconds
        answer = self._signed(request, bound, mode.answers)
        if answer.status >= 300:
            raise self._refusal(request, answer)
        if mode.answers == PICTURE:
            return _picture(answer, self.address)
        if answer.status == 204 and not answer.body:
            return {}
        return _json(answer, self.address)

    def health(self, seconds: float) -> dict[str, Any]:
        """Return what the sidecar says of itself; raises Refusal if it is none."""
        request = Request("GET", "/health", "/health", "", None)
        answer = self._exchange(request, None, seconds, _MAX_JSON_BYTES)
        told = _json(answer, self.address) if answer.status == 200 else None
        if not isinstance(told, dict) or not isinstance(told.get("status"), str):
            raise _not_ours(self.address, answer)
        if "database_loaded" not in told:
            raise _not_ours(self.address, answer)
        return told

    def _signed(self, request: Request, seconds: float, answers: str) -> Answer:
        """Return the answer under the first key that the sidecar knows.

        A request that was refused for its key was not looked at any further, so that
        it may be sent once more.
        """
        max_bytes = _MAX_PICTURE_BYTES if answers == PICTURE else _MAX_JSON_BYTES
        deadline = time.monotonic() + seconds
        first, *others = self._secrets or [None]
        answer = self._exchange(request, first, seconds, max_bytes)
        for secret in others:
            left = deadline - time.monotonic()
            if answer.status != 401 or _code(answer) not in _OTHER_KEY_CODES:
                break
            answer = self._exchange(request, secret, max(left, LAST_SECONDS), max_bytes)
        return answer

    def _exchange(
        self,
        request: Request,
        secret: Secret | None,
        seconds: float,
        max_bytes: int,
    ) -> Answer:
        headers = {
            "Accept": "application/json, image/*",
            "User-Agent": "stash-sense-plugin/" + PLUGIN_VERSION,
        }
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        if secret is not None:
            headers["Authorization"] = secret.authorization(
                request.method, request.path, request.query, request.body or b""
            )
        try:
            return exchange(
                self.address,
                request.method,
                request.target,
                headers,
                request.body,
                seconds,
                max_bytes,
            )
        except Unreachable as reason:
            raise SidecarUnreachable(
                f"No Stash Sense answers at {self.address}: {reason}. Is the sidecar"
                " running, and is the plugin's setting “Sidecar URL” the address as the"
                " machine of Stash sees it? (In a container, localhost is the container"
                " itself.)"
            ) from reason
        except BrokenOff as reason:
            text = (
                f"The connection to the sidecar at {self.address} ended before its"
                f" answer was there: {reason}. It may have been stopped, or be"
                " starting."
            )
            if request.method != "GET":
                text += " Look whether it was done before you ask for it again."
            raise SidecarTimeout(text) from reason
        except TooSlow as reason:
            raise SidecarTimeout(
                f"The sidecar at {self.address} did not answer within"
                f" {round(seconds)} seconds. It may be very busy, or something in"
                " between keeps the answer back."
            ) from reason
        except TooLarge as reason:
            raise SidecarNotOurs(
                f"The answer from {self.address} is larger than any of Stash Sense."
            ) from reason

    def _refusal(self, request: Request, answer: Answer) -> Refusal:
        if answer.status == 401:
            return self._unauthorized(answer)
        told = _told(answer)
        is_known = told is not None and isinstance(told.get("code"), str)
        if answer.status in (404, 405) and _is_no_route(told):
            return self._stranger(request, answer, lacks_route=True)
        if told is None or not is_known:
            return self._stranger(request, answer)
        facts = {k: v for k, v in told.items() if k not in ("detail", "code")}
        wait = answer.headers.get("retry-after", "")
        if wait.isdigit():
            facts["retry_after"] = int(wait)
        detail = told.get("detail")
        if isinstance(detail, list):
            facts["errors"] = detail
            detail = _sentence(detail)
        text = detail if isinstance(detail, str) else "The sidecar refused this."
        return Refusal(text, told["code"], answer.status, facts)

    def _unauthorized(self, answer: Answer) -> Refusal:
        told = _told(answer) or {}
        reason = told.get("code") if isinstance(told.get("code"), str) else None
        text = f"The sidecar at {self.address} does not let Stash's plugin in. "
        if reason == "signature_expired":
            text += (
                "The clocks of the two machines are too far apart: set them right. "
                + str(told.get("detail", ""))
            )
        elif self._secrets:
            text += (
                "It knows another key: set the sidecar's STASH_API_KEY to the API key"
                " of this Stash, or put the sidecar's own API key into the plugin's"
                " setting “API key”."
            )
        else:
            text += (
                "This Stash has no API key, so put the sidecar's own API key into the"
                " plugin's setting “API key”."
            )
        return SidecarUnauthorized(text.strip(), status=401, facts={"reason": reason})

    def _stranger(
        self, request: Request, answer: Answer, lacks_route: bool = False
    ) -> Refusal:
        """Return what an answer means that is none of our sidecar's own errors."""
        try:
            told = self.health(HEALTH_SECONDS)
        except SidecarNotOurs as reason:
            return reason
        except Refusal:
            return _not_ours(self.address, answer)
        if lacks_route or not is_compatible(told):
            return SidecarTooOld(
                f"The sidecar at {self.address} (version"
                f" {_version(told) or 'before 1.0'}) does not know {request.path}:"
                f" bring it up to date, this plugin is version {PLUGIN_VERSION}.",
                status=answer.status,
                facts={"version": _version(told)},
            )
        text = f"The sidecar at {self.address} answered {answer.status}, and did not"
        return Refusal(f"{text} say why: see its log.", "sidecar_error", answer.status)


def is_compatible(health: dict[str, Any]) -> bool:
    """Return whether the sidecar that said this has the routes of this plugin."""
    found = re.match(r"(\d{1,6})\.(\d{1,6})", _version(health) or "")
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST_SIDECAR


def _version(health: dict[str, Any]) -> str | None:
    version = health.get("version")
    return version if isinstance(version, str) else None


def _is_no_route(told: dict[str, Any] | None) -> bool:
    return told is None or told.get("code") in (None, "no_route")


def _told(answer: Answer) -> dict[str, Any] | None:
    """Return the answer's object; None where it is none."""
    try:
        told = json.loads(answer.body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _code(answer: Answer) -> str | None:
    code = (_told(answer) or {}).get("code")
    return code if isinstance(code, str) else None


def _json(answer: Answer, address: Address) -> Any:
    try:
        return json.loads(answer.body.decode("utf-8"))
    except (ValueError, RecursionError) as reason:
        raise _not_ours(address, answer) from reason


def _picture(answer: Answer, address: Address) -> dict[str, str]:
    if answer.content_type not in _PICTURE_TYPES:
        raise _not_ours(address, answer)
    encoded = base64.b64encode(answer.body).decode("ascii")
    return {"data_url": f"data:{answer.content_type};base64,{encoded}"}


def _not_ours(address: Address, answer: Answer) -> SidecarNotOurs:
    return SidecarNotOurs(
        f"Something answers at {address}, but it is no Stash Sense: it sent status"
        f" {answer.status} and {_kind(answer)}. Is the plugin's setting “Sidecar URL”"
        " right?",
        status=answer.status,
    )


def _kind(answer: Answer) -> str:
    kinds: dict[str, str] = {"text/html": "a web page", "application/json": "JSON"}
    if 300 <= answer.status < 400:
        return "the way to another address"
    return kinds.get(answer.content_type, "something else than JSON")


def _sentence(errors: list[Any]) -> str:
    """Return what is wrong with a request in one line."""
    parts: list[tuple[str, str]] = []
    for each in errors[:5]:
        if isinstance(each, dict):
            place = [str(step) for step in each.get("loc", []) if step != "body"]
            parts.append((".".join(place), str(each.get("msg", ""))))
    return " ".join(f"{place}: {text}" if place else text for place, text in parts)
