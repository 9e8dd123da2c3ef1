"""How things stand, on a page for people; /health and /metrics are for machines."""

from typing import Any

from dbupdates.models import UpdateRun
from dbupdates.published import feed_status
from dbupdates.store import active_release
from recognition.models import LibraryRun, ServingProcess
from recommendations.models import AnalysisRun
from stashsense import __version__, engines_used
from stashsense.api.health import operating_warnings
from stashsense.api.home import StaffPage
from stashsense.api.metrics import service_memory, waiting_task_count
from stashsense.audit import ApiChange

_SHOWN = 10


class StatusView(StaffPage):
    """Shows staff what is served, what runs and waits, and what failed lately."""

    template_name = "stashsense/status.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return how things stand, by the rows that all processes share."""
        failed = AnalysisRun.objects.filter(state=AnalysisRun.State.FAILED)
        return {
            **super().get_context_data(**kwargs),
            "version": __version__,
            "database": engines_used.database_name(),
            "cache": engines_used.cache_name(),
            "release": active_release(),
            "feed": feed_status(),
            "updates": UpdateRun.objects.all()[:_SHOWN],
            "processes": ServingProcess.objects.live(),
            "memory": service_memory(),
            "running": AnalysisRun.objects.filter(state__in=AnalysisRun.IN_PROGRESS),
            "library_runs": LibraryRun.objects.filter(state__in=LibraryRun.IN_PROGRESS),
            "task_count": waiting_task_count(),
            "failed": failed.order_by("-pk")[:_SHOWN],
            "changes": ApiChange.objects.select_related("user")[:_SHOWN],
            "warnings": operating_warnings(),
        }
