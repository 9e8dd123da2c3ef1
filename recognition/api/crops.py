"""What routes that answer with the small picture of a face have in common."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

# Whoever is corrected or named may be another person by then.
CROP_SECONDS = 300

CROP_RESPONSES: dict[Any, Any] = {
    (200, "image/jpeg"): OpenApiTypes.BINARY,
    404: OpenApiResponse(description="No such person, or no picture any more."),
    422: OpenApiResponse(description="The video cannot be read."),
    502: OpenApiResponse(description="Stash refused."),
    503: OpenApiResponse(description="Stash is down, or busy: Retry-After."),
}


class _WhateverIsAccepted(BaseContentNegotiation):
    """Pictures are answered as JPEG and errors as JSON, whatever is asked for."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class CropRoute(APIView):
    """A route that answers with a JPEG."""

    content_negotiation_class = _WhateverIsAccepted


def crop_answer(jpeg: bytes) -> HttpResponse:
    """Return the picture, which a browser may keep for a while."""
    return HttpResponse(
        jpeg,
        content_type="image/jpeg",
        headers={"Cache-Control": f"private, max-age={CROP_SECONDS}"},
    )
