"""Routes about scenes, images and galleries of Stash."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition import galleries, jobs, scenes, stash_images
from recognition.api import job_serializers, stash_serializers
from recognition.api.requests import validated
from recognition.calibrations import deciding_calibration
from recognition.numeric.people import MatchingMode
from recognition.runtime.collector import FaceFilter
from recognition.runtime.people import MatchingOptions

# Of galleries, whose small pictures show many bystanders; as the predecessor had it.
MIN_GALLERY_FACE_PX = 40

_REFUSALS = {
    400: OpenApiResponse(description="STASH_URL is not set, or no readable picture."),
    404: OpenApiResponse(description="Stash has nothing of this id, or no files."),
    422: OpenApiResponse(description="A value is wrong, or the video unreadable."),
    502: OpenApiResponse(description="Stash refused, or wants another key."),
    503: OpenApiResponse(description="Stash is down, or busy here: Retry-After."),
}


class IdentifySceneView(APIView):
    """Who is in this scene?"""

    changes_nothing = True

    @extend_schema(
        operation_id="identify_scene",
        request=stash_serializers.IdentifySceneRequest,
        responses={200: stash_serializers.IdentifySceneAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Return the people of a scene; takes as long as that takes."""
        asked = validated(stash_serializers.IdentifySceneRequest, request.data)
        identified = scenes.identify_scene(
            asked["scene_id"], stash_serializers.scene_options(asked)
        )
        return Response(
            stash_serializers.scene_answer(
                identified, with_crops=asked["include_crops"]
            )
        )


class IdentifyImageView(APIView):
    """Who is in this image of Stash?"""

    changes_nothing = True

    @extend_schema(
        operation_id="identify_image",
        request=stash_serializers.IdentifyImageRequest,
        responses={200: stash_serializers.IdentifyImageAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Return the faces of an image with the performers they may show."""
        asked = validated(stash_serializers.IdentifyImageRequest, request.data)
        identified = stash_images.identify_stash_image(
            asked["image_id"],
            options=_matching_options(asked),
            face_filter=FaceFilter(asked["min_face_confidence"], min_size_px=1),
            use_body=asked["use_multi_signal"] and asked["use_body"],
            use_tattoo=asked["use_multi_signal"] and asked["use_tattoo"],
        )
        return Response(
            stash_serializers.image_answer(
                identified, with_crops=asked["include_crops"]
            )
        )


class IdentifyGalleryView(APIView):
    """Who is in this gallery?"""

    changes_nothing = True

    @extend_schema(
        operation_id="identify_gallery",
        request=stash_serializers.IdentifyGalleryRequest,
        responses={200: stash_serializers.IdentifyGalleryAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Return the performers of a gallery, those on most images first."""
        asked = validated(stash_serializers.IdentifyGalleryRequest, request.data)
        identified = galleries.identify_gallery(
            asked["gallery_id"],
            options=_matching_options(asked),
            face_filter=FaceFilter(
                asked["min_face_confidence"], min_size_px=MIN_GALLERY_FACE_PX
            ),
        )
        return Response(
            stash_serializers.gallery_answer(
                identified, with_crops=asked["include_crops"]
            )
        )


class SceneJobsView(APIView):
    """Scenes that are identified in the background."""

    @extend_schema(
        operation_id="identify_scene_job",
        request=stash_serializers.IdentifySceneRequest,
        responses={202: job_serializers.JobAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Begin to identify a scene; follow it by its `job_id`."""
        asked = validated(stash_serializers.IdentifySceneRequest, request.data)
        job = jobs.start_job(
            asked["scene_id"],
            stash_serializers.scene_options(asked),
            render=job_serializers.result_of,
            render_people=job_serializers.people_so_far,
        )
        return Response(job_serializers.job_answer(job, with_crops=False), status=202)


class SceneJobView(APIView):
    """A scene that is identified in the background."""

    @extend_schema(
        operation_id="identify_job",
        parameters=[stash_serializers.CropOption],
        responses={200: job_serializers.JobAnswer, 404: _REFUSALS[404]},
    )
    def get(self, request: Request, job_id: str) -> Response:
        """Return how far it is, whom it has seen so far, and what came of it."""
        asked = validated(stash_serializers.CropOption, request.query_params)
        job = jobs.get_job(job_id)
        return Response(
            job_serializers.job_answer(job, with_crops=asked["include_crops"])
        )


class CancelSceneJobView(APIView):
    """A scene that need not be identified any more."""

    @extend_schema(
        operation_id="identify_job_cancel",
        request=None,
        responses={200: job_serializers.JobAnswer, 404: _REFUSALS[404]},
    )
    def post(self, request: Request, job_id: str) -> Response:
        """Have it end within about a second; one that has ended stays as it is."""
        job = jobs.cancel_job(job_id)
        return Response(job_serializers.job_answer(job, with_crops=False))


def _matching_options(asked: dict[str, Any]) -> MatchingOptions:
    return MatchingOptions(
        mode=MatchingMode(asked["matching_mode"]),
        top_k=asked["top_k"],
        max_distance=asked["max_distance"],
        calibration=deciding_calibration(),
    )
