"""Who may do what with rows that services alone write."""

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from recommendations.decisions import Person
from recommendations.models import OPERATE, AnalysisRun
from recommendations.runs import Asker

DECIDE = "recommendations.act_on_recommendations"


class ReadOnly:
    """People look at the rows, and ask services for changes."""

    def has_add_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        return False

    def has_change_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        return False

    def has_delete_permission(self, *_args: Any, **_kwargs: Any) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Return whether this person may begin, stop and schedule runs."""
        return request.user.has_perm(OPERATE)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Return whether this person may dismiss recommendations."""
        return request.user.has_perm(DECIDE)


def operator(request: HttpRequest) -> Asker:
    """Return as whom a run is begun; raises PermissionDenied."""
    if not request.user.has_perm(OPERATE):
        raise PermissionDenied
    assert isinstance(request.user, User)
    return Asker(AnalysisRun.Asker.ADMIN, request.user)


def decider(request: HttpRequest) -> Person:
    """Return as whom somebody decides; raises PermissionDenied."""
    if not request.user.has_perm(DECIDE):
        raise PermissionDenied
    assert isinstance(request.user, User)
    return Person(request.user)
