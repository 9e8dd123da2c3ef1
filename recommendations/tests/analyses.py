"""Analyses of the tests' own, and the background that works at runs."""

from collections.abc import Callable, Sequence

from django_q.models import OrmQ

from recommendations import execution, runs
from recommendations.analyzers.base import (
    Analyzer,
    Finding,
    Resource,
    Step,
    Steps,
    Target,
    Work,
)
from recommendations.models import AnalysisRun
from recommendations.runs import Asker

ASKER = Asker(AnalysisRun.Asker.API)


def finding(target_id: str, cause: str = "first", endpoint: str = "") -> Finding:
    return Finding(
        target=Target("scene", target_id, endpoint),
        details={"cause": cause},
        cause=cause,
        confidence=0.5,
    )


class ListAnalyzer(Analyzer):
    """Finds what its list says, an item a step; a callable in the list is called."""

    display_name = "List"
    description = "Finds what a list says."

    def __init__(
        self,
        items: Sequence[str | Finding | Callable[[Work], None]] = (),
        *,
        type: str = "list",
        resource: Resource = Resource.LIGHT,
        reopens: bool = False,
        sweeps: bool = True,
    ) -> None:
        self.items = list(items)
        self.type = type  # type: ignore[misc]
        self.resource = resource  # type: ignore[misc]
        self.reopens_when_changed = reopens  # type: ignore[misc]
        self.sweeps = sweeps
        self.began: list[int] = []
        self.decisions: list[tuple[int, str]] = []

    def analyze(self, work: Work) -> Steps:
        start = int(work.cursor.get("place", 0))
        self.began.append(start)
        for place in range(start, len(self.items)):
            item = self.items[place]
            if callable(item):
                item(work)
            found = [finding(item)] if isinstance(item, str) else []
            found += [item] if isinstance(item, Finding) else []
            yield Step(
                findings=found,
                cursor={"place": place + 1},
                done_count=place + 1,
                total_count=len(self.items),
            )
        if self.sweeps:
            yield Step(sweeps=[""])

    def decided(self, row):
        self.decisions.append((row.pk, row.status))


def ask(type: str = "list", **wanted) -> AnalysisRun:
    return runs.request_run(type, asker=ASKER, **wanted)


def work(run: AnalysisRun, seconds: float | None = None) -> AnalysisRun:
    """Work at the slice that is awaited."""
    run.refresh_from_db()
    execution.work_at_slice(run.pk, run.slice_number, seconds=seconds)
    run.refresh_from_db()
    return run


def ended(run: AnalysisRun, seconds: float | None = None) -> AnalysisRun:
    """Work at the run until it has ended."""
    while run.is_in_progress:
        work(run, seconds)
    return run


def queued_tasks() -> list[tuple[str, tuple[int, int]]]:
    return [(task.func(), task.args()) for task in OrmQ.objects.order_by("pk")]
