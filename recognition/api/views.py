"""Routes of recognition: validate, call one service, answer."""

import base64
import binascii
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from dbupdates.store import active_release
from recognition import services
from recognition.api import serializers
from recognition.exceptions import UnreadableImage
from stashsense.api.parsers import BoundedJSONParser, BoundedMultiPartParser
from stashsense.api.requests import validated


class NoPicture(UnreadableImage):
    """A request that should bring a picture brought none."""

    code = "no_picture"


class IdentifyView(APIView):
    """Who is in this picture?"""

    changes_nothing = True

    parser_classes = (BoundedJSONParser, BoundedMultiPartParser)

    @extend_schema(
        operation_id="identify",
        request={
            "application/json": serializers.IdentifyRequest,
            "multipart/form-data": serializers.IdentifyUploadRequest,
        },
        responses={
            200: serializers.IdentifyAnswer,
            400: OpenApiResponse(description="No readable picture."),
            503: OpenApiResponse(description="Busy, or nothing loaded: Retry-After."),
        },
    )
    def post(self, request: Request) -> Response:
        """Return the faces of a picture with the performers they may show."""
        options = validated(serializers.IdentifyUploadRequest, request.data)
        return _identify(_picture_of(options), options)


class IdentifyUrlView(APIView):
    """Who is in the picture at this address?"""

    changes_nothing = True

    @extend_schema(
        operation_id="identify_url",
        request=None,
        parameters=[serializers.IdentifyUrlQuery],
        responses={
            200: serializers.IdentifyAnswer,
            400: OpenApiResponse(
                description="No readable picture, or no address we fetch."
            ),
            503: OpenApiResponse(description="Busy, or nothing loaded: Retry-After."),
        },
    )
    def post(self, request: Request) -> Response:
        """Return the faces of the picture at `url`, as /identify does."""
        options = {
            "min_face_confidence": serializers.DEFAULT_MIN_FACE_CONFIDENCE,
            "use_multi_signal": True,
            "use_body": True,
            "use_tattoo": True,
            **validated(serializers.IdentifyUrlQuery, request.query_params),
        }
        return _identify(services.fetch_picture(options["url"]), options)


def _identify(picture: bytes, options: dict[str, Any]) -> Response:
    identified = services.identify_image(
        picture,
        max_candidates=options["top_k"],
        max_distance=options["max_distance"],
        min_face_confidence=options["min_face_confidence"],
        use_body=options["use_multi_signal"] and options["use_body"],
        use_tattoo=options["use_multi_signal"] and options["use_tattoo"],
    )
    response = Response(serializers.identify_answer(identified))
    response["Server-Timing"] = ", ".join(
        f"{step};dur={1000 * seconds:.1f}"
        for step, seconds in identified.timing.seconds.items()
    )
    return response


def _picture_of(options: dict[str, Any]) -> bytes:
    """Return the picture a request brings, fetched if it names an address."""
    if url := options.get("image_url"):
        return services.fetch_picture(url)
    if (upload := options.get("image")) is not None:
        content: bytes = upload.read()
        return content
    if encoded := options.get("image_base64"):
        return _decode_base64(encoded)
    raise NoPicture("Send image_url, image_base64 or the form field image.")


def _decode_base64(encoded: str) -> bytes:
    if encoded.startswith("data:"):
        encoded = encoded.partition(",")[2]
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableImage(f"image_base64 is not base64: {error}.") from error


class DatabaseInfoView(APIView):
    """Which release is active?"""

    @extend_schema(
        operation_id="database_info", responses=serializers.DatabaseInfoAnswer
    )
    def get(self, request: Request) -> Response:
        """Return the active release, whether or not this process serves it yet."""
        release = active_release()
        return Response(
            {
                "version": release.version if release else "unknown",
                "performer_count": release.performer_count if release else 0,
                "face_count": release.face_count if release else 0,
                "sources": release.sources if release else [],
                "created_at": release.created_at if release else None,
                "tattoo_embedding_count": None,
                "network_set": release.network_set if release else None,
            }
        )
