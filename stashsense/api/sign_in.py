"""Who tries to sign in too often, what they are told, and what is kept of failures."""

import logging
from typing import Any

from axes.backends import AxesStandaloneBackend
from axes.models import AccessAttempt
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from stashsense.api.callers import client_address
from stashsense.observability import metrics, trace

logger = logging.getLogger(__name__)

_LONGEST_NAME = 60


class LimitedSignIn(AxesStandaloneBackend):  # type: ignore[misc]
    """Refuses whoever failed too often: for a name, as Axes does, or for all of them.

    Each password that is looked at takes a second of a core, whatever name it is for.
    """

    def authenticate(
        self,
        request: HttpRequest,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Return nothing, which leaves it to the next one; raises PermissionDenied."""
        super().authenticate(request, username, password, **kwargs)
        if _failures_from(client_address(request)) >= settings.SIGN_IN_FAILURE_LIMIT:
            # Axes answers for it, and does not count this one: it ends after a while.
            request.axes_locked_out = True  # type: ignore[attr-defined]
            raise PermissionDenied


def _failures_from(address: str) -> int:
    """Return the wrong passwords from an address; Axes' own, which can be reset."""
    attempts = AccessAttempt.objects.filter(
        ip_address=address or None,
        attempt_time__gte=timezone.now() - settings.AXES_COOLOFF_TIME,
    )
    total = attempts.aggregate(total=Sum("failures_since_start"))["total"]
    return int(total or 0)


def note_failure(
    sender: object,
    credentials: dict[str, Any],
    request: HttpRequest | None = None,
    **kwargs: object,
) -> None:
    """Log that somebody could not sign in, and count it; Axes has seen it before."""
    if request is None:
        return
    is_locked_out = getattr(request, "axes_locked_out", False)
    code = "locked_out" if is_locked_out else "wrong_password"
    # As it was typed: it may be anything, a whole line of a log included.
    name = ascii(str(credentials.get("username", ""))[:_LONGEST_NAME])
    address = client_address(request) or "-"
    logger.warning("Sign-in as %s from %s was refused: %s", name, address, code)
    trace.refused_with(code)
    metrics.REFUSED_CREDENTIALS.labels(code).inc()


def answer_lockout(
    request: HttpRequest, response: HttpResponse, credentials: object
) -> HttpResponse:
    """Return a page that says how long; nothing prolongs that."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    page = TemplateResponse(
        request,
        "stashsense/locked_out.html",
        {"minutes": seconds // 60},
        status=429,
        headers={"Retry-After": str(seconds)},
    )
    return page.render()
