"""Routes about performers of the library that no release knows."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition import library_runs, local_faces, local_learning, local_status
from recognition.api import local_serializers as shapes
from recognition.api.fingerprint_serializers import (
    MessageAnswer,
    PageQuery,
    StartedAnswer,
)
from recognition.api.requests import asker_of, page_of
from recognition.models import OPERATE, LibraryRun
from stashsense.api.requests import validated

_OFF = OpenApiResponse(description="Local performers are switched off.")
_NOT_FOUND = OpenApiResponse(description="No local performer has this id.")


class LocalStatusView(APIView):
    """Which local performers are there?"""

    @extend_schema(operation_id="local_status", responses=shapes.LocalStatusAnswer)
    def get(self, request: Request) -> Response:
        """Return whether they are on, how many are learnt, and how far a sync is."""
        return Response(shapes.status_answer(local_status.local_status()))


class SyncLocalView(APIView):
    """Learn the performers of the library."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="local_sync",
        request=None,
        responses={
            200: StartedAnswer,
            409: OpenApiResponse(description="Switched off, or it goes on already."),
        },
    )
    def post(self, request: Request) -> Response:
        """Begin to learn those who changed and whom the release does not know."""
        run = library_runs.sync_local_performers(asker=asker_of(request))
        message = "The performers of the library are being learnt."
        return Response({"job_id": run.pk, "message": message})


class StopLocalView(APIView):
    """Stop learning."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="local_stop",
        request=None,
        responses={
            200: MessageAnswer,
            404: OpenApiResponse(description="Nothing is being learnt."),
        },
    )
    def post(self, request: Request) -> Response:
        """End the run; who is learnt stays learnt."""
        run = library_runs.get_run_in_progress(LibraryRun.Kind.LOCAL)
        library_runs.stop_run(run)
        return Response({"message": "Stopped. Who is learnt stays learnt."})


class LocalPerformersView(APIView):
    """Who are they?"""

    @extend_schema(
        operation_id="local_performers",
        parameters=[PageQuery],
        responses=shapes.LocalPerformersAnswer,
    )
    def get(self, request: Request) -> Response:
        """Return the local performers by name."""
        asked = validated(PageQuery, request.query_params)
        rows = local_status.local_performers()
        page = [shapes.performer_answer(row) for row in page_of(rows, asked)]
        return Response({"total": rows.count(), "performers": page})


class LocalPerformerView(APIView):
    """One of them."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="local_performer_forget",
        responses={200: MessageAnswer, 404: _NOT_FOUND},
    )
    def delete(self, request: Request, stash_id: int) -> Response:
        """Erase their faces for good; a refresh has them learnt again."""
        local_faces.leave_out(stash_id)
        return Response({"message": "Their faces are erased."})


class LearnLocalView(APIView):
    """Learn one now: what a run of the background asks for."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="local_performer_learn",
        request=None,
        responses={
            200: shapes.LearntAnswer,
            404: OpenApiResponse(description="Stash has no such performer."),
            409: _OFF,
            503: OpenApiResponse(description="Stash or the database is away."),
        },
    )
    def post(self, request: Request, stash_id: int) -> Response:
        """Look at their pictures; one who was left out is not learnt."""
        return Response(shapes.learnt_answer(local_learning.learn_performer(stash_id)))


class RefreshLocalView(APIView):
    """Learn one anew, by and by."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="local_performer_refresh",
        request=None,
        responses={200: MessageAnswer, 404: _NOT_FOUND},
    )
    def post(self, request: Request, stash_id: int) -> Response:
        """Have the next sync look at their pictures, also if they were left out."""
        local_faces.learn_again(stash_id)
        return Response({"message": "The next sync looks at their pictures."})
