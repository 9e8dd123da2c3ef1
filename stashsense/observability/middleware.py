"""Writes a line for every request, and counts it."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponseBase
from rest_framework.permissions import SAFE_METHODS

from stashsense.api.authentication import KeyHolder, PluginCaller
from stashsense.api.callers import client_address
from stashsense.audit import ApiChange
from stashsense.observability import metrics, trace
from stashsense.observability.logs import FIELDS
from stashsense.observability.trace import RequestTrace

logger = logging.getLogger(__name__)

REQUEST_ID_HEADER = "X-Request-Id"
# Methods come from callers; what is counted by must not grow with what they think of.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_LONGEST_PATH = 200
_NO_ROUTE = "none"

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class RequestLogMiddleware:
    """Outermost: sees what every other one answers. Ids are answered back."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Return what is answered, with the request's id."""
        presented_id = request.headers.get(REQUEST_ID_HEADER)
        with (
            trace.following(presented_id) as following,
            metrics.IN_PROGRESS.track_inprogress(),
            connection.execute_wrapper(_in_database),
        ):
            response = self._get_response(request)
            response[REQUEST_ID_HEADER] = following.request_id
            _count(request, response, following)
            _audit(request, response, following)
            _write_line(request, response, following)
        return response


def _in_database(execute: Callable[..., Any], *arguments: Any) -> Any:
    with trace.stage("database"):
        return execute(*arguments)


def caller_kind(request: HttpRequest) -> str:
    """Return `plugin`, `key`, `user`, `nobody`, or `unknown` without a database."""
    try:
        return _kind_of(getattr(request, "user", None))
    except (OperationalError, InterfaceError):
        return "unknown"


def _kind_of(user: object) -> str:
    # Django looks a session's user up when something of it is asked.
    if isinstance(user, PluginCaller):
        return "plugin"
    if isinstance(user, KeyHolder):
        return "key"
    return "user" if getattr(user, "is_authenticated", False) else "nobody"


def _caller(request: HttpRequest) -> str:
    kind = caller_kind(request)
    return f"user:{request.user.get_username()}" if kind == "user" else kind


def _route(request: HttpRequest) -> str:
    match = request.resolver_match
    return f"/{match.route}" if match is not None else _NO_ROUTE


def _is_failure(response: HttpResponseBase) -> bool:
    return response.status_code >= HTTPStatus.BAD_REQUEST


def _audit(
    request: HttpRequest, response: HttpResponseBase, following: RequestTrace
) -> None:
    """Keep who changed something over the API; the admin keeps a history itself."""
    match = request.resolver_match
    view = getattr(match.func, "cls", None) if match is not None else None
    if view is None or request.method in SAFE_METHODS:
        return
    if getattr(view, "changes_nothing", False):
        return
    kind = caller_kind(request)
    is_stranger = kind == "nobody" and settings.AUTHENTICATION == "on"
    # Whoever is refused for that is counted; rows would let them push out all others.
    if is_stranger and _is_failure(response):
        return
    ApiChange.objects.keep(
        caller=kind,
        user=request.user if kind == "user" else None,
        address=client_address(request) or None,
        method=request.method,
        path=request.path[:_LONGEST_PATH],
        status=response.status_code,
        request_id=following.request_id,
    )


def _count(
    request: HttpRequest, response: HttpResponseBase, following: RequestTrace
) -> None:
    route = _route(request)
    method = request.method if request.method in _METHODS else "other"
    metrics.REQUESTS.labels(
        route, method, response.status_code, caller_kind(request)
    ).inc()
    metrics.REQUEST_SECONDS.labels(route).observe(following.seconds)
    for stage, seconds in following.stages.items():
        metrics.STAGE_SECONDS.labels(stage).observe(seconds)
    if _is_failure(response):
        metrics.FAILURES.labels(
            following.failed_stage or "none", following.failure_code or "none"
        ).inc()


def _write_line(
    request: HttpRequest, response: HttpResponseBase, following: RequestTrace
) -> None:
    # Neither the query nor headers: they may hold keys and addresses with passwords.
    fields: dict[str, Any] = {
        "method": request.method,
        "path": request.path[:_LONGEST_PATH],
        "route": _route(request),
        "status": response.status_code,
        "ms": round(1000 * following.seconds),
        "caller": _caller(request),
        "client": client_address(request) or "-",
    }
    is_slow = following.seconds >= settings.SLOW_REQUEST_SECONDS
    # A form that is shown again, such as that of signing in, is no failure of HTTP.
    if _is_failure(response) or following.failure_code:
        fields["code"] = following.failure_code or "-"
    if _is_failure(response):
        fields["failed_stage"] = following.failed_stage or "-"
    if is_slow or _is_failure(response):
        # Stages may lie within each other: what is left is not said of any.
        stages = [
            f"{name}:{1000 * seconds:.0f}" for name, seconds in following.stages.items()
        ]
        fields["stages_ms"] = ",".join(stages) or "-"
    if is_slow:
        fields["slow"] = True
    logger.log(_level(request, response), "request", extra={FIELDS: fields})


def _level(request: HttpRequest, response: HttpResponseBase) -> int:
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return logging.WARNING
    # Files of our own pages, several for each page.
    is_file = request.path.startswith(settings.STATIC_URL)
    return logging.DEBUG if is_file else logging.INFO
