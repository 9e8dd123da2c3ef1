"""Asks the service that identifies, over HTTP: this one's web process, or another's.

The background never loads a network; there is one owner of the device.
"""

import re
from typing import Any
from urllib.parse import quote

import requests
from django.conf import settings
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from recognition.exceptions import RecognitionServiceAway, RecognitionServiceRefused
from stashsense import keys

# A question is answered in milliseconds, but for a slice of matching: two seconds.
CONNECT_SECONDS = 3.0
READ_SECONDS = 30.0
# Of a gallery with a thousand pictures.
LOOK_SECONDS = 600.0
# Nine pictures, each of which Stash may take ten seconds to send.
LEARN_SECONDS = 120.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_UNPRINTABLE = re.compile(r"[^ -~]+")
_MAX_MESSAGE_CHARS = 500


def service_url() -> str:
    """Return where the service that identifies is, without a slash at the end."""
    if settings.RECOGNITION_URL:
        return str(settings.RECOGNITION_URL)
    host = _EVERYWHERE.get(settings.HOST, settings.HOST)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.PORT}"


def _service_key() -> str:
    return str(
        settings.RECOGNITION_API_KEY
        or settings.API_KEY
        or keys.read_or_create(settings.API_KEY_PATH)
    )


class RecognitionService:
    """The service by its routes; every question raises RecognitionServiceAway, or
    RecognitionServiceRefused with what it answered."""

    def __init__(self) -> None:
        self._url = service_url()
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {_service_key()}"
        self._session.headers["Accept"] = "application/json"

    def close(self) -> None:
        self._session.close()

    def start_job(self, scene_id: int, options: dict[str, Any]) -> str:
        """Have a scene identified; return the job's id."""
        body = {"scene_id": str(scene_id), **options}
        return str(self._ask("POST", "/identify/scene/jobs", body)["job_id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """Return how far a job is, and what came of it."""
        return self._ask("GET", f"/identify/jobs/{quote(job_id, safe='')}")

    def cancel_job(self, job_id: str) -> None:
        """Have a job end."""
        self._ask("POST", f"/identify/jobs/{quote(job_id, safe='')}/cancel")

    def rematch(self, *, seconds: float) -> dict[str, Any]:
        """Have what is kept matched again for a while."""
        body = {"seconds": seconds}
        return self._ask("POST", "/recommendations/fingerprints/rematch", body)

    def match_item(self, kind: str, stash_id: int, *, may_look: bool) -> dict[str, Any]:
        """Have what is kept of an item matched in every mode.

        With `may_look` what is not kept of an image or gallery is looked at first.
        """
        body = {"kind": kind, "stash_id": stash_id, "may_look": may_look}
        return self._ask(
            "POST",
            "/identify/evaluation/match",
            body,
            read_seconds=LOOK_SECONDS if may_look else READ_SECONDS,
        )

    def learn_local(self, performer_id: int) -> dict[str, Any]:
        """Have a performer of the library learnt from their pictures."""
        path = f"/identify/local/performers/{performer_id}/learn"
        return self._ask("POST", path, read_seconds=LEARN_SECONDS)

    def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        read_seconds: float = READ_SECONDS,
    ) -> dict[str, Any]:
        try:
            response = self._session.request(
                method,
                self._url + path,
                json=body,
                timeout=(CONNECT_SECONDS, read_seconds),
                allow_redirects=False,
            )
        except requests.RequestException as exc:
            raise RecognitionServiceAway(
                f"The service at {self._url} does not answer ({type(exc).__name__})."
            ) from exc
        answer = _parsed(response)
        if response.ok and answer is not None and response.status_code < 300:
            return answer
        raise self._error(response, answer)

    def _error(
        self, response: requests.Response, answer: dict[str, Any] | None
    ) -> RecognitionServiceAway | RecognitionServiceRefused:
        status = response.status_code
        if answer is None or "code" not in answer:
            text = f"The service at {self._url} answers {status}, and not as ours."
            if status >= 500:
                return RecognitionServiceAway(text)
            return RecognitionServiceRefused(text, http_status=status)
        detail = _UNPRINTABLE.sub(" ", str(answer.get("detail")))[:_MAX_MESSAGE_CHARS]
        if status == 503:
            return RecognitionServiceAway(
                detail, asked_to_wait_seconds=_asked_to_wait(response)
            )
        return RecognitionServiceRefused(
            detail, http_status=status, refusal=str(answer["code"])
        )


def _parsed(response: requests.Response) -> dict[str, Any] | None:
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _asked_to_wait(response: requests.Response) -> float:
    try:
        value = response.headers.get("Retry-After", "")
        return max(Retry().parse_retry_after(value), 0.0) if value else 0.0
    except (HTTPError, ValueError, OverflowError):
        return 0.0
