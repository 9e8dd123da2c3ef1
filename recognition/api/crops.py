"""What routes that answer with the small picture of a face have in common."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.views import APIView

from stashsense.api.negotiation import WhateverIsAccepted

# Whoever is corrected or named may be another person by then.
CROP_SECONDS = 300

CROP_RESPONSES: dict[Any, Any] = {
    (200, "image/jpeg"): OpenApiTypes.BINARY,
    404: OpenApiResponse(description="No such person, or no picture any more."),
    422: OpenApiResponse(description="The video cannot be read."),
    502: OpenApiResponse(description="Stash refused."),
    503: OpenApiResponse(description="Stash is down, or busy: Retry-After."),
}


class CropRoute(APIView):
    """A route that answers with a JPEG."""

    content_negotiation_class = WhateverIsAccepted


def crop_answer(jpeg: bytes) -> HttpResponse:
    """Return the picture, which a browser may keep for a while."""
    return HttpResponse(
        jpeg,
        content_type="image/jpeg",
        headers={"Cache-Control": f"private, max-age={CROP_SECONDS}"},
    )
