"""What routes read of a request: what is asked, which part of it, and by whom."""

from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from recognition.library_runs import LibraryAsker
from recognition.models import LibraryRun
from stashsense.api.authentication import way_of

_Row = TypeVar("_Row", bound=Model)


def validated(serializer: type[Serializer[Any]], data: Any) -> dict[str, Any]:
    """Return the values asked for; raises the error that is answered with 400."""
    form = serializer(data=data)
    form.is_valid(raise_exception=True)
    values: dict[str, Any] = form.validated_data
    return values


def page_of(rows: QuerySet[_Row], asked: dict[str, Any]) -> list[_Row]:
    """Return the part of the rows that a PageQuery asks for."""
    start = asked["offset"]
    return [*rows[start : start + asked["limit"]]]


def user_of(request: Request) -> User | None:
    """Return who asks; None for whoever has the key of the API."""
    return request.user if isinstance(request.user, User) else None


def author_of(request: Request) -> str:
    """Return by what name to keep who asks."""
    user = user_of(request)
    way = way_of(request, LibraryRun.Asker)
    return str(way) if user is None else user.get_username()


def asker_of(request: Request) -> LibraryAsker:
    """Return as whom a run is begun that goes through the library."""
    return LibraryAsker(way_of(request, LibraryRun.Asker), user_of(request))
