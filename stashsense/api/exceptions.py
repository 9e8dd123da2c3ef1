"""One handler for every error a view lets through: `{"detail": ..., "code": ...}`."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import (
    DisallowedHost,
    PermissionDenied,
    RequestDataTooBig,
)
from django.db import InterfaceError, OperationalError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    UnreadablePostError,
)
from django.views.csrf import csrf_failure
from django.views.defaults import permission_denied
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from stashsense.api.parsers import BodyIncomplete, BodyTooLarge
from stashsense.exceptions import StashSenseError
from stashsense.observability import trace


def answer_exception(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Return the response for an error raised on purpose, None for a mistake of ours.

    Django answers a None with 500 and logs the traceback.
    """
    response = _response_of(error, context)
    if response is not None:
        trace.refused_with(str(response.data["code"]))
    return response


def _response_of(error: Exception, context: Mapping[str, Any]) -> Response | None:
    if isinstance(error, StashSenseError):
        set_rollback()
        return _answer(error)
    if isinstance(error, drf.ValidationError):
        set_rollback()
        detail = [*_locations(error.detail, ("body",))]
        return Response({"detail": detail, "code": "invalid"}, status=422)
    if isinstance(error, RequestDataTooBig):
        error = BodyTooLarge()
    if isinstance(error, UnreadablePostError):
        error = BodyIncomplete()
    response = exception_handler(error, dict(context))
    if response is not None:
        response.data = _body(_message(error), _code(error))
    return response


def refuse(status: int, code: str, detail: str) -> HttpResponse:
    """Return the answer to what does not get as far as a view of the API."""
    trace.refused_with(code)
    return JsonResponse(_body(detail, code), status=status)


def answer_unknown_path(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return what a path without a route is answered with."""
    return refuse(404, "no_route", "There is nothing at this path.")


def answer_our_mistake(request: HttpRequest) -> HttpResponse:
    """Return what is told of an error that nobody foresaw: the log has the rest."""
    # Django asks for it while it handles the error.
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        detail = "The database cannot be reached, or is busy for too long: try again."
        return refuse(503, "database_unavailable", detail)
    return refuse(500, "error", "Something went wrong here; the log says what.")


def answer_suspicious(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return what is told of a request that Django will not have."""
    if isinstance(exception, DisallowedHost):
        detail = "This is no name of the service: STASH_SENSE_ALLOWED_HOSTS has them."
        return refuse(400, "wrong_host", detail)
    return refuse(400, "bad_request", "The request is of no form that is read.")


def answer_forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return what is told of a page that somebody may not see."""
    if not _is_of_the_admin(request):
        return refuse(403, "permission_denied", "Permission denied.")
    trace.refused_with("permission_denied")
    return permission_denied(request, exception)


def answer_without_token(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Return what is told of a form without the CSRF token of its page."""
    if not _is_of_the_admin(request):
        return refuse(403, "csrf_failed", "The CSRF token is missing or wrong.")
    trace.refused_with("csrf_failed")
    return csrf_failure(request, reason)


def _is_of_the_admin(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and "admin" in match.app_names


def _answer(error: StashSenseError) -> Response:
    body = {**error.facts, **_body(str(error), error.code)}
    response = Response(body, status=error.status)
    if error.retry_after_seconds is not None:
        response["Retry-After"] = str(error.retry_after_seconds)
    return response


def _body(detail: str, code: str) -> dict[str, str]:
    return {"detail": detail, "code": code}


def _message(error: Exception) -> str:
    if isinstance(error, drf.APIException):
        return str(error.detail)
    return "Not found." if isinstance(error, Http404) else "Permission denied."


def _code(error: Exception) -> str:
    if isinstance(error, drf.APIException):
        codes = error.get_codes()
        return codes if isinstance(codes, str) else error.default_code
    assert isinstance(error, Http404 | PermissionDenied)
    return "not_found" if isinstance(error, Http404) else "permission_denied"


def _locations(
    detail: Any, location: tuple[str | int, ...]
) -> Iterator[dict[str, Any]]:
    """Yield `{"loc": [...], "msg": ...}` for each message, as FastAPI spelled it."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            inside = () if name == "non_field_errors" else (name,)
            yield from _locations(inner, (*location, *inside))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _locations(inner, location)
    else:
        yield {"loc": list(location), "msg": str(detail)}
