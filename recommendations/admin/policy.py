"""Who may do what with rows that services alone write."""

from django.http import HttpRequest

from recommendations.decisions import Person
from recommendations.models import OPERATE, AnalysisRun
from recommendations.runs import Asker
from stashsense.read_only_admin import OperatedAdmin, permitted_user

DECIDE = "recommendations.act_on_recommendations"


class ReadOnly(OperatedAdmin):
    """People look at the rows; some may begin, stop and schedule runs, some decide."""

    operate_permission = OPERATE

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Return whether this person may dismiss recommendations."""
        return request.user.has_perm(DECIDE)


def operator(request: HttpRequest) -> Asker:
    """Return as whom a run is begun; raises PermissionDenied."""
    return Asker(AnalysisRun.Asker.ADMIN, permitted_user(request, OPERATE))


def decider(request: HttpRequest) -> Person:
    """Return as whom somebody decides; raises PermissionDenied."""
    return Person(permitted_user(request, DECIDE))
