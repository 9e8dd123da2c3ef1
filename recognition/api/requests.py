"""What routes read of a request: what is asked, which part of it, and by whom."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.request import Request

from recognition.library_runs import LibraryAsker
from recognition.models import LibraryRun
from stashsense.api.authentication import way_of
from stashsense.api.requests import user_of

_Row = TypeVar("_Row", bound=Model)


def page_of(rows: QuerySet[_Row], asked: dict[str, Any]) -> list[_Row]:
    """Return the part of the rows that a PageQuery asks for."""
    start = asked["offset"]
    return [*rows[start : start + asked["limit"]]]


def author_of(request: Request) -> str:
    """Return by what name to keep who asks."""
    user = user_of(request)
    way = way_of(request, LibraryRun.Asker)
    return str(way) if user is None else user.get_username()


def asker_of(request: Request) -> LibraryAsker:
    """Return as whom a run is begun that goes through the library."""
    return LibraryAsker(way_of(request, LibraryRun.Asker), user_of(request))
