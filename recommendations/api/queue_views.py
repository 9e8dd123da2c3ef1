"""Routes of the queue: runs of every type, and when they start by themselves."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recommendations import history, runs, schedules
from recommendations.api import run_serializers as shapes
from recommendations.api.requests import asker_of, number_of, path_id
from recommendations.models import OPERATE, AnalysisRun
from recommendations.run_types import all_run_types
from stashsense.api.requests import validated

_ID = path_id("job_id")
_NONE = {404: OpenApiResponse(description="There is no run of this id.")}
_RUNS = {409: OpenApiResponse(description="A run of the type has not ended.")}


def _run(job_id: str) -> AnalysisRun:
    return runs.get_run(number_of(job_id, "job_id"))


class StatusView(APIView):
    """What goes on?"""

    @extend_schema(operation_id="queue_status", responses=shapes.QueueStatusAnswer)
    def get(self, request: Request) -> Response:
        """Return how many wait, and what is worked at."""
        status = history.queue_status()
        return Response(
            {
                "queued": status.queued_count,
                "running": len(status.running),
                "running_jobs": [shapes.job_answer(run) for run in status.running],
            }
        )


class TypesView(APIView):
    """What can be begun?"""

    @extend_schema(operation_id="queue_types", responses=shapes.QueueTypesAnswer)
    def get(self, request: Request) -> Response:
        """Return every type of run."""
        types = all_run_types().values()
        return Response({"types": [shapes.type_answer(each) for each in types]})


class SchedulesView(APIView):
    """What starts by itself?"""

    @extend_schema(operation_id="queue_schedules", responses=shapes.SchedulesAnswer)
    def get(self, request: Request) -> Response:
        """Return the schedule of every type, by name."""
        rows = schedules.all_schedules()
        return Response({"schedules": [shapes.schedule_answer(row) for row in rows]})


class ScheduleView(APIView):
    """When does it start by itself?"""

    required_permission = OPERATE

    @extend_schema(
        operation_id="queue_schedule_store",
        request=shapes.ScheduleRequest,
        responses={
            200: shapes.QueueMessageAnswer,
            404: OpenApiResponse(description="There is no such type."),
            422: OpenApiResponse(description="The interval is none of the type's."),
        },
    )
    def put(self, request: Request, type_id: str) -> Response:
        """Store when a type starts by itself."""
        asked = validated(shapes.ScheduleRequest, request.data)
        row = schedules.set_schedule(
            type_id,
            is_enabled=asked["enabled"],
            interval_hours=asked["interval_hours"],
            priority=asked["priority"],
        )
        when = f"every {row.interval_hours:g} hours" if row.is_enabled else "never"
        return Response({"message": f"{row} starts by itself {when}."})


class QueueView(APIView):
    """Runs of every type."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="queue_jobs",
        parameters=[shapes.JobsQuery],
        responses=shapes.QueuedRunsAnswer,
    )
    def get(self, request: Request) -> Response:
        """Return runs, the latest first."""
        asked = validated(shapes.JobsQuery, request.query_params)
        found = history.find_runs(type=asked["type"], state=asked["status"])
        jobs = [shapes.job_answer(run) for run in found[: asked["limit"]]]
        return Response({"jobs": jobs})

    @extend_schema(
        operation_id="queue_begin",
        request=shapes.JobRequest,
        responses={
            200: shapes.JobStartedAnswer,
            400: OpenApiResponse(description="No such type, or no Stash is set."),
            **_RUNS,
        },
    )
    def post(self, request: Request) -> Response:
        """Begin a run when its resource has room."""
        asked = validated(shapes.JobRequest, request.data)
        run = runs.request_run(
            asked["type"],
            asker=asker_of(request),
            is_full=asked["full"],
            priority=asked["priority"],
        )
        return Response({"job_id": run.pk, "message": f"Run {run.pk} was asked for."})


class HistoryView(APIView):
    """Runs that have ended."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="queue_clear_history",
        request=None,
        responses={200: shapes.QueueMessageAnswer},
    )
    def delete(self, request: Request) -> Response:
        """Forget them; what they found stays."""
        count = runs.clear_history()
        return Response({"message": f"Cleared {count} job(s) from history"})


class JobView(APIView):
    """One of the runs."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="queue_job",
        parameters=[_ID],
        responses={200: shapes.QueuedRunAnswer, **_NONE},
    )
    def get(self, request: Request, job_id: str) -> Response:
        """Return how far it is, or how it ended."""
        return Response(shapes.job_answer(_run(job_id)))

    @extend_schema(
        operation_id="queue_cancel",
        parameters=[_ID],
        request=None,
        responses={200: shapes.QueueMessageAnswer, **_NONE},
    )
    def delete(self, request: Request, job_id: str) -> Response:
        """End it now; what it found stays."""
        return _stopped(_run(job_id), "Job cancelled")


class StopView(APIView):
    """End one of the runs."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="queue_stop",
        parameters=[_ID],
        request=None,
        responses={200: shapes.QueueMessageAnswer, **_NONE},
    )
    def post(self, request: Request, job_id: str) -> Response:
        """End it now; what it found stays, and a retry goes on from there."""
        return _stopped(_run(job_id), "Stop requested")


class RetryView(APIView):
    """Try one of the runs again."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="queue_retry",
        parameters=[_ID],
        request=None,
        responses={
            200: shapes.JobStartedAnswer,
            400: OpenApiResponse(description="It has not failed or been cancelled."),
            **_NONE,
            **_RUNS,
        },
    )
    def post(self, request: Request, job_id: str) -> Response:
        """Begin a new run that goes on where this one ended."""
        run = runs.retry_run(_run(job_id), asker=asker_of(request))
        return Response({"job_id": run.pk, "message": "Job re-queued"})


def _stopped(run: AnalysisRun, message: str) -> Response:
    is_stopped = runs.stop_run(run)
    return Response(
        {"message": message if is_stopped else f"It was {run.state} already."}
    )
