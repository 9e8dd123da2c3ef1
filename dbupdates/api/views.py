"""Routes about releases and updates: validate, call one service, answer."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from dbupdates import runs, updates
from dbupdates.api import serializers
from dbupdates.models import OPERATE, DatabaseRelease, UpdateRun
from dbupdates.published import check_feed
from dbupdates.runs import Asker
from dbupdates.services import get_release
from dbupdates.store import active_release
from stashsense.api.authentication import way_of
from stashsense.api.requests import user_of, validated

_REFUSALS = {
    400: OpenApiResponse(description="That release is active already."),
    404: OpenApiResponse(description="No such release, or it is not installed."),
    409: OpenApiResponse(description="Another update is in progress."),
    503: OpenApiResponse(description="Nothing to download, or no word of the feed."),
}


def _asker(request: Request) -> Asker:
    return Asker(way_of(request, UpdateRun.Asker), user_of(request))


def _started(run: UpdateRun) -> Response:
    return Response({"job_id": run.job_id, "status": "started"})


class CheckUpdateView(APIView):
    """Is there a newer release?"""

    @extend_schema(
        operation_id="database_check_update", responses=serializers.UpdateCheckAnswer
    )
    def get(self, request: Request) -> Response:
        """Return the newest published release, as of ten minutes ago at most."""
        return Response(serializers.check_answer(check_feed()))


class UpdateView(APIView):
    """Get and serve a release."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="database_update",
        request=serializers.UpdateRequest,
        responses={200: serializers.RunStartedAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Begin to download and activate the newest release, or the one named."""
        asked = validated(serializers.UpdateRequest, request.data)
        version = asked.get("version", "")
        return _started(updates.request_update(asker=_asker(request), version=version))


class InstallPublishedView(APIView):
    """From the demo world to real data."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="models_install_published",
        request=None,
        responses={200: serializers.RunStartedAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Begin to fetch the newest published release with its networks and serve it.

        Nothing is switched unless all of it is there; activating the former release
        is the way back.
        """
        return _started(updates.request_published(asker=_asker(request)))


class UpdateStatusView(APIView):
    """How far is it?"""

    @extend_schema(
        operation_id="database_update_status",
        parameters=[serializers.UpdateStatusQuery],
        responses={
            200: serializers.UpdateStatusAnswer,
            404: OpenApiResponse(description="There is no such run."),
        },
    )
    def get(self, request: Request) -> Response:
        """Return how far the latest run is, or the one named."""
        asked = validated(serializers.UpdateStatusQuery, request.query_params)
        job_id = asked.get("job_id")
        run = runs.get_run(job_id) if job_id else UpdateRun.objects.first()
        active = active_release()
        return Response(
            serializers.status_answer(run, active.version if active else None)
        )


class CancelUpdateView(APIView):
    """Stop it."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="database_update_cancel",
        request=None,
        responses={
            200: serializers.CancelAnswer,
            404: OpenApiResponse(description="No update is in progress."),
            409: OpenApiResponse(description="It is too late: the swap has begun."),
        },
    )
    def post(self, request: Request) -> Response:
        """Cancel the update in progress; nothing of it remains."""
        run = runs.get_run_in_progress()
        runs.cancel_run(run, asker=_asker(request))
        return Response({"job_id": run.job_id, "status": "cancelling"})


class ReleasesView(APIView):
    """Which releases are there?"""

    @extend_schema(
        operation_id="database_releases", responses=serializers.ReleasesAnswer
    )
    def get(self, request: Request) -> Response:
        """Return the releases that are installed, were, or are published."""
        body: dict[str, Any] = {"releases": DatabaseRelease.objects.all()}
        return Response(serializers.ReleasesAnswer(body).data)


class ActivateReleaseView(APIView):
    """Serve another one."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="database_release_activate",
        request=None,
        responses={200: serializers.RunStartedAnswer, **_REFUSALS},
    )
    def post(self, request: Request, version: str) -> Response:
        """Begin to serve an installed release, newer or older."""
        release = get_release(version)
        return _started(updates.request_activation(release, asker=_asker(request)))
