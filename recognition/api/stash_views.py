"""Routes about scenes, images and galleries of Stash: what is seen is kept."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition import jobs
from recognition.api import (
    gallery_serializers,
    identifying,
    job_serializers,
    stash_serializers,
)
from stashsense.api.requests import validated

_REFUSALS = {
    400: OpenApiResponse(description="STASH_URL is not set, or no readable picture."),
    404: OpenApiResponse(description="Stash has nothing of this id, or no files."),
    422: OpenApiResponse(description="A value is wrong, or the video unreadable."),
    502: OpenApiResponse(description="Stash refused, or wants another key."),
    503: OpenApiResponse(description="Stash is down, or busy here: Retry-After."),
}


class IdentifySceneView(APIView):
    """Who is in this scene?"""

    @extend_schema(
        operation_id="identify_scene",
        request=stash_serializers.IdentifySceneRequest,
        responses={200: stash_serializers.IdentifySceneAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Return the people of a scene; takes as long as that takes."""
        asked = validated(stash_serializers.IdentifySceneRequest, request.data)
        return Response(identifying.scene_now(asked))


class IdentifyImageView(APIView):
    """Who is in this image of Stash?"""

    @extend_schema(
        operation_id="identify_image",
        request=stash_serializers.IdentifyImageRequest,
        responses={200: stash_serializers.IdentifyImageAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Return the faces of an image with the performers they may show."""
        asked = validated(stash_serializers.IdentifyImageRequest, request.data)
        return Response(identifying.image_now(asked))


class IdentifyGalleryView(APIView):
    """Who is in this gallery?"""

    @extend_schema(
        operation_id="identify_gallery",
        request=gallery_serializers.IdentifyGalleryRequest,
        responses={200: gallery_serializers.IdentifyGalleryAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Return the performers of a gallery, those on most images first."""
        asked = validated(gallery_serializers.IdentifyGalleryRequest, request.data)
        return Response(identifying.gallery_now(asked))


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
        return _begun(identifying.scene_work(asked))


class ImageJobsView(APIView):
    """Images that are identified in the background."""

    @extend_schema(
        operation_id="identify_image_job",
        request=stash_serializers.IdentifyImageRequest,
        responses={202: job_serializers.JobAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Begin to identify an image; follow it by its `job_id`."""
        asked = validated(stash_serializers.IdentifyImageRequest, request.data)
        return _begun(identifying.image_work(asked))


class GalleryJobsView(APIView):
    """Galleries that are identified in the background."""

    @extend_schema(
        operation_id="identify_gallery_job",
        request=gallery_serializers.IdentifyGalleryRequest,
        responses={202: job_serializers.JobAnswer, **_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Begin to identify a gallery; follow it by its `job_id`."""
        asked = validated(gallery_serializers.IdentifyGalleryRequest, request.data)
        return _begun(identifying.gallery_work(asked))


class JobView(APIView):
    """A scene, image or gallery that is identified in the background."""

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


class CancelJobView(APIView):
    """What need not be identified any more."""

    @extend_schema(
        operation_id="identify_job_cancel",
        request=None,
        responses={200: job_serializers.JobAnswer, 404: _REFUSALS[404]},
    )
    def post(self, request: Request, job_id: str) -> Response:
        """Have it end within about a second; one that has ended stays as it is."""
        job = jobs.cancel_job(job_id)
        return Response(job_serializers.job_answer(job, with_crops=False))


def _begun(work: jobs.Work) -> Response:
    job = jobs.start_job(work)
    return Response(job_serializers.job_answer(job, with_crops=False), status=202)
