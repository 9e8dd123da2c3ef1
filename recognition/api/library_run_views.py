"""Routes about going through the library: each run by its id, whatever it is for."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition import library_runs, library_status
from recognition.api.fingerprint_serializers import PageQuery, message_of
from recognition.api.requests import page_of
from recognition.models import OPERATE, LibraryRun
from stashsense.api.requests import validated

_NONE = {404: OpenApiResponse(description="There is no run of this id.")}


class LibraryRunsQuery(PageQuery):
    """Which runs, and how many of them."""

    kind = serializers.ChoiceField(LibraryRun.Kind.choices, required=False)


class LibraryRunAnswer(serializers.Serializer[Any]):
    """One attempt at all of the library."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(LibraryRun.Kind.choices)
    status = serializers.ChoiceField(LibraryRun.State.choices)
    asked_by = serializers.ChoiceField(LibraryRun.Asker.choices)
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    successful = serializers.IntegerField()
    failed = serializers.IntegerField()
    skipped = serializers.IntegerField()
    progress_pct = serializers.IntegerField()
    message = serializers.CharField(allow_null=True)
    error_message = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class LibraryRunsAnswer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    runs = LibraryRunAnswer(many=True)


class RunsView(APIView):
    """How often was the library gone through?"""

    @extend_schema(
        operation_id="library_runs",
        parameters=[LibraryRunsQuery],
        responses=LibraryRunsAnswer,
    )
    def get(self, request: Request) -> Response:
        """Return runs, the latest first."""
        asked = validated(LibraryRunsQuery, request.query_params)
        rows = library_status.runs(kind=asked.get("kind"))
        page = [_answer(run) for run in page_of(rows, asked)]
        return Response({"total": rows.count(), "runs": page})


class RunView(APIView):
    """How far is it?"""

    @extend_schema(
        operation_id="library_run", responses={200: LibraryRunAnswer, **_NONE}
    )
    def get(self, request: Request, run_id: int) -> Response:
        """Return how far a run is, or how it ended."""
        return Response(_answer(library_status.get_run(run_id)))


class StopRunView(APIView):
    """End it."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="library_run_stop",
        request=None,
        responses={200: LibraryRunAnswer, **_NONE},
    )
    def post(self, request: Request, run_id: int) -> Response:
        """End this run and no other; what is done stays done."""
        library_runs.stop_run(library_status.get_run(run_id))
        return Response(_answer(library_status.get_run(run_id)))


def _answer(run: LibraryRun) -> dict[str, Any]:
    # What is said of a complete run is said of scenes.
    is_told = run.is_in_progress or run.kind == LibraryRun.Kind.IDENTIFY
    return {
        "id": run.pk,
        "kind": run.kind,
        "status": run.state,
        "asked_by": run.asked_by,
        "total": run.total_count,
        "done": run.done_count,
        "successful": run.succeeded_count,
        "failed": run.failed_count,
        "skipped": run.skipped_count,
        "progress_pct": run.percent,
        "message": message_of(run) if is_told else None,
        "error_message": run.error or None,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
    }
