"""Routes about how good names are on this library."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recognition import (
    calibrations,
    evaluation_crops,
    evaluation_matching,
    evaluation_report,
    evaluations,
)
from recognition.api import evaluation_serializers as shapes
from recognition.api.fingerprint_serializers import MessageAnswer
from recognition.api.requests import asker_of
from recognition.evaluation_report import Disagreement
from recognition.evaluations import EvaluationOptions, Kind
from recognition.models import OPERATE, ReviewedName
from recognition.numeric.people import MatchingMode
from stashsense.api.requests import user_of, validated

_NONE = {404: OpenApiResponse(description="Nothing was evaluated yet.")}


class EvaluationView(APIView):
    """How good is it on this library?"""

    required_permission = OPERATE

    @extend_schema(
        operation_id="evaluation", responses={200: shapes.ReportAnswer, **_NONE}
    )
    def get(self, request: Request) -> Response:
        """Return what the latest evaluation says, also while it goes on."""
        report = evaluation_report.report_of(evaluations.get_latest_evaluation())
        return Response(shapes.report_answer(report))

    @extend_schema(
        operation_id="evaluation_start",
        request=shapes.StartRequest,
        responses={
            200: shapes.EvaluationStartedAnswer,
            400: OpenApiResponse(description="STASH_URL is not set."),
            409: OpenApiResponse(description="An evaluation is in progress."),
            503: OpenApiResponse(description="Nothing is loaded to evaluate with."),
        },
    )
    def post(self, request: Request) -> Response:
        """Begin to evaluate names by the tags in Stash."""
        asked = validated(shapes.StartRequest, request.data or {})
        evaluation = evaluations.evaluate_library(
            EvaluationOptions(
                sample_size=asked["sample"],
                kinds=tuple(kind for kind in Kind if kind.value in asked["kinds"]),
                may_decode=asked["decode_missing"],
                seed=asked["seed"],
            ),
            asker=asker_of(request),
        )
        message = "Names on this library are being evaluated."
        return Response({"job_id": evaluation.run_id, "message": message})


class StopEvaluationView(APIView):
    """Stop evaluating."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="evaluation_stop",
        request=None,
        responses={
            200: MessageAnswer,
            404: OpenApiResponse(description="No evaluation is in progress."),
        },
    )
    def post(self, request: Request) -> Response:
        """End the evaluation; what is done stays done."""
        evaluations.stop_evaluation()
        return Response({"message": "Stopped. What is done stays done."})


class AdoptView(APIView):
    """Adopt what was learnt."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="evaluation_adopt",
        request=shapes.AdoptRequest,
        responses={
            200: shapes.AdoptedAnswer,
            409: OpenApiResponse(description="The evaluation does not carry it."),
            **_NONE,
        },
    )
    def post(self, request: Request) -> Response:
        """Adopt the fitted calibration, and the threshold for so few wrong names."""
        asked = validated(shapes.AdoptRequest, request.data)
        adopted = evaluation_report.adopt_threshold(
            evaluations.get_latest_evaluation(),
            MatchingMode(asked["mode"]),
            wrong_names=asked["wrong_names"],
            per_scenes=asked["per_scenes"],
            by=user_of(request),
        )
        return Response(shapes.adopted_answer(adopted))


class ShippedView(APIView):
    """Go back to the calibration that this version ships."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="evaluation_go_back_to_shipped",
        request=shapes.ModeRequest,
        responses=shapes.CalibrationAnswer,
    )
    def post(self, request: Request) -> Response:
        """Have the shipped calibration of a mode decide again."""
        asked = validated(shapes.ModeRequest, request.data)
        row = calibrations.go_back_to_shipped(
            MatchingMode(asked["mode"]), by=user_of(request)
        )
        return Response(shapes.calibration_answer(row))


class DisagreementsView(APIView):
    """Names that are not tagged."""

    required_permission = OPERATE

    @extend_schema(
        operation_id="evaluation_disagreements",
        parameters=[shapes.DisagreementsQuery],
        responses={200: shapes.DisagreementsAnswer, **_NONE},
    )
    def get(self, request: Request) -> Response:
        """Return names that are not tagged, those nobody reviewed first."""
        asked = validated(shapes.DisagreementsQuery, request.query_params)
        found = evaluation_report.disagreements(evaluations.get_latest_evaluation())
        start = asked["offset"]
        return Response(
            {
                "total": len(found),
                "disagreements": [
                    shapes.disagreement_answer(one, crop_path=crop_path(one))
                    for one in found[start : start + asked["limit"]]
                ],
            }
        )

    @extend_schema(
        operation_id="evaluation_review",
        request=shapes.ReviewRequest,
        responses=MessageAnswer,
    )
    def post(self, request: Request) -> Response:
        """Say whether a name is right; reports heed it from now on."""
        asked = validated(shapes.ReviewRequest, request.data)
        verdict = asked["verdict"]
        evaluations.review_name(
            Kind(asked["kind"]),
            asked["stash_id"],
            asked["universal_id"],
            verdict=ReviewedName.Verdict(verdict) if verdict else None,
            by=user_of(request),
        )
        return Response({"message": "Noted." if verdict else "Taken back."})


class CropView(APIView):
    """The face of somebody who was named."""

    @extend_schema(
        operation_id="evaluation_crop",
        parameters=[shapes.CropQuery],
        responses={
            (200, "image/jpeg"): OpenApiTypes.BINARY,
            404: OpenApiResponse(description="No such name, or no such picture."),
            422: OpenApiResponse(description="The video cannot be read."),
            502: OpenApiResponse(description="Stash refused."),
            503: OpenApiResponse(description="Stash is down, or busy here."),
        },
    )
    def get(self, request: Request, item_id: int) -> HttpResponse:
        """Return the face as a JPEG, cut from Stash's picture or video now."""
        asked = validated(shapes.CropQuery, request.query_params)
        jpeg = evaluation_crops.crop_jpeg(item_id, asked["universal_id"])
        response = HttpResponse(jpeg, content_type="image/jpeg")
        response["Cache-Control"] = "private, max-age=3600"
        return response


class MatchView(APIView):
    """Match an item in every mode: what a run of the background asks for."""

    changes_nothing = True

    required_permission = OPERATE

    @extend_schema(
        operation_id="evaluation_match",
        request=shapes.MatchRequest,
        responses={
            200: shapes.MatchAnswer,
            404: OpenApiResponse(description="Nothing is kept of it."),
            503: OpenApiResponse(description="Busy, or nothing loaded: Retry-After."),
        },
    )
    def post(self, request: Request) -> Response:
        """Return whom each mode sees, from stored faces, tags unseen."""
        asked = validated(shapes.MatchRequest, request.data)
        matched = evaluation_matching.match_item(
            Kind(asked["kind"]), asked["stash_id"], may_look=asked["may_look"]
        )
        return Response(vars(matched))


def crop_path(one: Disagreement) -> str:
    """Return where the face of a disagreement is."""
    path = reverse("evaluation-crop", args=[one.item.pk])
    return f"{path}?{urlencode({'universal_id': one.universal_id})}"
