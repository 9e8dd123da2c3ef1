"""Routes about what is kept of the library, and about going through all of it."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition import (
    attempts,
    enqueued_scenes,
    library_runs,
    library_status,
    people_crops,
    rematching,
)
from recognition.api import fingerprint_serializers as shapes
from recognition.api.crops import CROP_RESPONSES, CropRoute, crop_answer
from recognition.api.requests import asker_of, page_of
from recognition.exceptions import LibraryRunNotFound
from recognition.library_runs import LibraryOptions
from recognition.models import OPERATE, Fingerprint, LibraryRun
from recognition.services import inference_queue
from stashsense.api.requests import validated

_RUNS = {409: OpenApiResponse(description="Such a run is in progress.")}
_NONE_RUNS = {404: OpenApiResponse(description="No such run is in progress.")}
_NOT_KEPT = {404: OpenApiResponse(description="Nothing is kept of it.")}
_NOT_MEANT = {400: OpenApiResponse(description="Without confirm=true, or no body.")}


class StatusView(APIView):
    """What is kept?"""

    @extend_schema(operation_id="fingerprints_status", responses=shapes.StatusAnswer)
    def get(self, request: Request) -> Response:
        """Return how much is kept, and how far a run is."""
        return Response(shapes.status_answer(library_status.library_status()))


class GenerateView(APIView):
    """Identify the library."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="fingerprints_generate",
        request=shapes.GenerateRequest,
        responses={200: shapes.StartedAnswer, **_RUNS},
    )
    def post(self, request: Request) -> Response:
        """Begin to identify every scene that is not yet."""
        asked = validated(shapes.GenerateRequest, request.data or {})
        run = library_runs.identify_library(
            LibraryOptions(**asked), asker=asker_of(request)
        )
        return _started(run, "The scenes of the library are being identified.")


class EnqueueView(APIView):
    """Identify these soon."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="fingerprints_enqueue",
        request=shapes.EnqueueRequest,
        responses={
            202: shapes.EnqueuedAnswer,
            400: OpenApiResponse(description="STASH_URL is not set."),
        },
    )
    def post(self, request: Request) -> Response:
        """Have scenes identified by the background some minutes later; for hooks.

        Answered without asking Stash. Scenes that wait already, are known or are gone
        by then cost nothing.
        """
        asked = validated(shapes.EnqueueRequest, request.data)
        waiting = enqueued_scenes.enqueue(asked["scene_ids"])
        return Response({"waiting_scenes": waiting}, status=202)


class StopView(APIView):
    """Stop identifying the library."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="fingerprints_stop",
        request=None,
        responses={200: shapes.MessageAnswer, **_NONE_RUNS},
    )
    def post(self, request: Request) -> Response:
        """End the run; what is done stays done, and a new one goes on from there.

        Enqueued scenes that are being identified wait no more, either.
        """
        enqueued = library_runs.find_run_in_progress(LibraryRun.Kind.ENQUEUED)
        if enqueued is not None:
            library_runs.stop_run(enqueued)
        run = library_runs.find_run_in_progress(LibraryRun.Kind.IDENTIFY)
        if run is None and enqueued is None:
            raise LibraryRunNotFound("The library is not being gone through.")
        if run is not None:
            library_runs.stop_run(run)
        return Response({"message": "Stopped. What is done stays done."})


class ProgressView(APIView):
    """How far is it?"""

    @extend_schema(
        operation_id="fingerprints_progress", responses=shapes.ProgressAnswer
    )
    def get(self, request: Request) -> Response:
        """Return how far the latest run is."""
        run = library_status.latest_run(LibraryRun.Kind.IDENTIFY)
        return Response(shapes.progress_answer(run))


class RefreshView(APIView):
    """Look at some again."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="fingerprints_refresh",
        request={"application/json": {"type": "array", "items": {"type": "integer"}}},
        responses={200: shapes.MarkedAnswer, **_NOT_MEANT},
    )
    def post(self, request: Request) -> Response:
        """Have scenes, also parked ones, looked at again by the next run."""
        if request.META.get("CONTENT_LENGTH") in (None, "", "0"):
            raise ParseError("Send the ids of the scenes as an array of numbers.")
        scene_ids = shapes.SceneIds.run_validation(request.data)
        marked = attempts.mark_for_refresh(scene_ids)
        return Response({"marked_for_refresh": marked, "scene_ids": scene_ids})


class RefreshAllView(APIView):
    """Look at all again."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="fingerprints_refresh_all",
        parameters=[shapes.ConfirmQuery],
        request=None,
        responses={200: shapes.AllMarkedAnswer, **_NOT_MEANT},
    )
    def post(self, request: Request) -> Response:
        """Have every scene looked at again by the next run."""
        if not validated(shapes.ConfirmQuery, request.query_params)["confirm"]:
            raise ParseError("All scenes are decoded anew by that: add confirm=true.")
        marked = attempts.mark_all_for_refresh()
        message = f"{marked} scenes will be looked at again by the next run."
        return Response({"marked_for_refresh": marked, "message": message})


class RematchLibraryView(APIView):
    """Match all again."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="fingerprints_rematch_library",
        request=None,
        responses={200: shapes.StartedAnswer, **_RUNS},
    )
    def post(self, request: Request) -> Response:
        """Begin to match what is kept with the active release; nothing is decoded."""
        run = library_runs.rematch_library(asker=asker_of(request))
        return _started(run, "What is kept is being matched with the active release.")


class RematchView(APIView):
    """Match some again: what a run of the background asks for."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="fingerprints_rematch",
        request=shapes.RematchRequest,
        responses={
            200: shapes.RematchAnswer,
            503: OpenApiResponse(description="Another release is being loaded."),
        },
    )
    def post(self, request: Request) -> Response:
        """Match outdated results for some seconds; pictures come in between."""
        asked = validated(shapes.RematchRequest, request.data or {})
        done = rematching.rematch_slice(
            seconds=asked["seconds"], turn=inference_queue().turn
        )
        return Response(
            {
                "version": done.version,
                "matched": done.matched_count,
                "changed": done.changed_count,
                "left": done.left_count,
            }
        )


class ChangesView(APIView):
    """What did a release change?"""

    @extend_schema(
        operation_id="fingerprints_changes",
        parameters=[shapes.ChangesQuery],
        responses=shapes.ChangesAnswer,
    )
    def get(self, request: Request) -> Response:
        """Return whom releases saw, or saw no more, the latest first."""
        asked = validated(shapes.ChangesQuery, request.query_params)
        rows = library_status.changes(to_version=asked["version"])
        return _page(rows, asked, "changes", shapes.change_answer)


class ParkedView(APIView):
    """What is left alone?"""

    @extend_schema(
        operation_id="fingerprints_parked",
        parameters=[shapes.PageQuery],
        responses=shapes.ParkedListAnswer,
    )
    def get(self, request: Request) -> Response:
        """Return what failed twice, with its reason; a refresh has it tried again."""
        asked = validated(shapes.PageQuery, request.query_params)
        return _page(library_status.parked(), asked, "parked", shapes.parked_answer)


class SceneFingerprintView(APIView):
    """Who was seen in this scene?"""

    @extend_schema(
        operation_id="fingerprint_of_scene",
        responses={200: shapes.FingerprintAnswer, **_NOT_KEPT},
    )
    def get(self, request: Request, stash_id: int) -> Response:
        """Return the people of a scene with where they were seen, as kept."""
        kept = library_status.get_fingerprint(Fingerprint.Kind.SCENE, stash_id)
        return Response(shapes.fingerprint_answer(kept))


class ImageFingerprintView(APIView):
    """Who was seen in this image?"""

    @extend_schema(
        operation_id="fingerprint_of_image",
        responses={200: shapes.FingerprintAnswer, **_NOT_KEPT},
    )
    def get(self, request: Request, stash_id: int) -> Response:
        """Return the people of an image with where they were seen, as kept."""
        kept = library_status.get_fingerprint(Fingerprint.Kind.IMAGE, stash_id)
        return Response(shapes.fingerprint_answer(kept))


class GalleryFingerprintView(APIView):
    """Who was seen in this gallery?"""

    @extend_schema(
        operation_id="fingerprint_of_gallery",
        responses={200: shapes.FingerprintAnswer, **_NOT_KEPT},
    )
    def get(self, request: Request, stash_id: int) -> Response:
        """Return the people of a gallery with the images they are on, as kept."""
        kept = library_status.get_fingerprint(Fingerprint.Kind.GALLERY, stash_id)
        return Response(shapes.fingerprint_answer(kept))


class PersonCropView(CropRoute):
    """What does this person look like?"""

    @extend_schema(
        operation_id="fingerprint_person_crop",
        parameters=[shapes.KIND],
        responses=CROP_RESPONSES,
    )
    def get(
        self, request: Request, kind: str, stash_id: int, person_id: int
    ) -> HttpResponse:
        """Return the best face as a small JPEG, cut out of what Stash has now."""
        return crop_answer(people_crops.crop_of_person(kind, stash_id, person_id))


def _started(run: LibraryRun, message: str) -> Response:
    return Response({"job_id": run.pk, "message": message})


def _page(
    rows: QuerySet[Any],
    asked: dict[str, Any],
    name: str,
    shape: Callable[[Any], dict[str, Any]],
) -> Response:
    page = [shape(row) for row in page_of(rows, asked)]
    return Response({"total": rows.count(), name: page})
