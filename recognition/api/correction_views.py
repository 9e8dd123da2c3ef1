"""Routes about what the owner says of people."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition import corrections, library_status
from recognition.api import correction_serializers as shapes
from recognition.api.requests import author_of, page_of
from recognition.exceptions import FingerprintNotFound
from recognition.library_status import KeptFingerprint
from recognition.models import OPERATE, Correction, Fingerprint
from recognition.numeric.corrections import Verdict
from stashsense.api.requests import validated

_NOT_FOUND = {
    404: OpenApiResponse(description="There is no such person, performer, correction.")
}
_UNDONE = {409: OpenApiResponse(description="It was undone before.")}


class CorrectionsView(APIView):
    """What does the owner say of people?"""

    required_permission = OPERATE

    @extend_schema(
        operation_id="corrections",
        parameters=[shapes.CorrectionsQuery],
        responses=shapes.CorrectionsAnswer,
    )
    def get(self, request: Request) -> Response:
        """Return the corrections, undone ones as well, the latest first."""
        asked = validated(shapes.CorrectionsQuery, request.query_params)
        rows = corrections.history(
            kind=asked.get("kind", ""), stash_id=asked.get("stash_id")
        )
        page = [shapes.correction_answer(row) for row in page_of(rows, asked)]
        return Response({"total": rows.count(), "corrections": page})

    @extend_schema(
        operation_id="correct",
        request=shapes.CorrectionRequest,
        responses={201: shapes.CorrectedAnswer, **_NOT_FOUND},
    )
    def post(self, request: Request) -> Response:
        """Say that a person is somebody, is not, or nobody to know; at once."""
        asked = validated(shapes.CorrectionRequest, request.data)
        person = corrections.get_person(
            asked["kind"], asked["stash_id"], asked["person_id"]
        )
        by = author_of(request)
        match Verdict(asked["verdict"]):
            case Verdict.REJECT:
                made = corrections.reject(person, asked["universal_id"], by=by)
            case Verdict.NAME:
                made = corrections.name(
                    person,
                    universal_id=asked["universal_id"] or None,
                    local_performer_id=asked["local_performer_id"],
                    by=by,
                )
            case Verdict.IGNORE:
                made = corrections.ignore(person, by=by)
        return Response(shapes.corrected_answer(made, _find_kept(made)), status=201)


class UndoCorrectionView(APIView):
    """A correction that is to hold no more."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="correction_undo",
        request=None,
        responses={200: shapes.CorrectedAnswer, **_NOT_FOUND, **_UNDONE},
    )
    def post(self, request: Request, correction_id: int) -> Response:
        """Undo it; what it contradicted holds again."""
        correction = corrections.get_correction(correction_id)
        corrections.undo(correction, by=author_of(request))
        return Response(shapes.corrected_answer(correction, _find_kept(correction)))


def _find_kept(correction: Correction) -> KeptFingerprint | None:
    try:
        return library_status.get_fingerprint(
            Fingerprint.Kind(correction.kind), correction.stash_id
        )
    except FingerprintNotFound:
        return None
