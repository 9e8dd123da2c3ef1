"""What routes of every app read of a request: what is asked, and by whom."""

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import Resolver404, resolve
from rest_framework.request import Request
from rest_framework.serializers import Serializer


def validated(serializer: type[Serializer[Any]], data: Any) -> dict[str, Any]:
    """Return the values asked for; raises the error that routes answer with."""
    form = serializer(data=data)
    form.is_valid(raise_exception=True)
    values: dict[str, Any] = form.validated_data
    return values


def user_of(request: Request) -> User | None:
    """Return who asks; None for whoever has the key of the API."""
    return request.user if isinstance(request.user, User) else None


def is_of_the_api(request: HttpRequest) -> bool:
    """Return whether the path is one that programs ask, and no page."""
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return False
    return hasattr(view, "cls")
