"""Routes about what is recommended, and what people decide of it."""

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recommendations import decisions
from recommendations.api import serializers as shapes
from recommendations.api.requests import DECIDE, number_of, path_id, person_of
from recommendations.decisions import get_recommendation
from recommendations.listing import (
    Wanted,
    count_recommendations,
    list_recommendations,
)
from recommendations.models import Recommendation
from stashsense.api.requests import validated

_ID = path_id("rec_id")
_NONE = {404: OpenApiResponse(description="There is none of this id.")}
_REFUSALS = {
    **_NONE,
    409: OpenApiResponse(description="It was decided before, or somebody acts on it."),
}


def _row(rec_id: str) -> Recommendation:
    return get_recommendation(number_of(rec_id, "rec_id"))


class ListView(APIView):
    """What is there to tidy?"""

    @extend_schema(
        operation_id="recommendations",
        parameters=[shapes.ListQuery],
        responses=shapes.RecommendationsAnswer,
    )
    def get(self, request: Request) -> Response:
        """Return recommendations, the newest first."""
        asked = validated(shapes.ListQuery, request.query_params)
        limit, offset = asked.pop("limit"), asked.pop("offset")
        page = list_recommendations(Wanted(**asked), limit=limit, offset=offset)
        rows = [shapes.recommendation_answer(row) for row in page.rows]
        return Response({"recommendations": rows, "total": page.total_count})


class CountsView(APIView):
    """How much is there to tidy?"""

    @extend_schema(operation_id="recommendations_counts", responses=shapes.CountsAnswer)
    def get(self, request: Request) -> Response:
        """Return how many there are of each type, by status."""
        counts = count_recommendations()
        return Response(
            {"counts": counts.by_type, "total_pending": counts.pending_count}
        )


class RecommendationView(APIView):
    """One of them."""

    @extend_schema(
        operation_id="recommendation",
        parameters=[_ID],
        responses={200: shapes.RecommendationDetailAnswer, **_NONE},
    )
    def get(self, request: Request, rec_id: str) -> Response:
        """Return the recommendation, and who decided about it."""
        return Response(shapes.recommendation_detail_answer(_row(rec_id)))


class ResolveView(APIView):
    """It is done."""

    required_permission = DECIDE

    @extend_schema(
        operation_id="recommendation_resolve",
        parameters=[_ID],
        request=shapes.ResolveRequest,
        responses={200: shapes.SuccessAnswer, **_REFUSALS},
    )
    def post(self, request: Request, rec_id: str) -> Response:
        """Mark it as done."""
        row = _row(rec_id)
        asked = validated(shapes.ResolveRequest, request.data)
        decisions.require_unchanged(row, asked["seen_at"])
        decisions.resolve_by_hand(row, asked["action"], asked["details"])
        return Response({"success": True})


class DismissView(APIView):
    """Let it be."""

    required_permission = DECIDE

    @extend_schema(
        operation_id="recommendation_dismiss",
        parameters=[_ID],
        request=shapes.DismissRequest,
        responses={200: shapes.SuccessAnswer, **_REFUSALS},
    )
    def post(self, request: Request, rec_id: str) -> Response:
        """Propose it no more; what is about upstream comes back when that changes."""
        row = _row(rec_id)
        asked = validated(shapes.DismissRequest, request.data or {})
        decisions.require_unchanged(row, asked["seen_at"])
        decisions.dismiss(row, person=person_of(request), reason=asked["reason"] or "")
        return Response({"success": True})


class DismissUpstreamView(APIView):
    """Let it be until it changes upstream, or for good."""

    required_permission = DECIDE

    @extend_schema(
        operation_id="recommendation_dismiss_upstream",
        parameters=[_ID],
        request=shapes.DismissUpstreamRequest,
        responses={200: shapes.DismissedAnswer, **_REFUSALS},
    )
    def post(self, request: Request, rec_id: str) -> Response:
        """Dismiss it; `permanent` upgrades what was dismissed before."""
        row = _row(rec_id)
        asked = validated(shapes.DismissUpstreamRequest, request.data or {})
        decisions.require_unchanged(row, asked["seen_at"])
        decisions.dismiss(
            row,
            person=person_of(request),
            reason=asked["reason"] or "",
            is_permanent=asked["permanent"],
        )
        is_permanent = decisions.is_dismissed_for_good(row)
        return Response({"success": True, "permanent": is_permanent})


class RestoreView(APIView):
    """Take a dismissal back."""

    required_permission = DECIDE

    @extend_schema(
        operation_id="recommendation_restore",
        parameters=[_ID],
        request=None,
        responses={200: shapes.RestoredAnswer, **_REFUSALS},
    )
    def post(self, request: Request, rec_id: str) -> Response:
        """Have it wait for a decision again, also when it was dismissed for good."""
        row = _row(rec_id)
        decisions.restore(row)
        return Response({"success": True, "status": row.status})


class BatchDismissView(APIView):
    """Let all of a type be, or some."""

    required_permission = DECIDE

    @extend_schema(
        operation_id="recommendations_batch_dismiss",
        request=shapes.BatchDismissRequest,
        responses=shapes.BatchDismissedAnswer,
    )
    def post(self, request: Request) -> Response:
        """Dismiss every pending one of a type, none where there is no such type; or
        those of some ids."""
        asked = validated(shapes.BatchDismissRequest, request.data)
        person, is_permanent = person_of(request), asked["permanent"]
        if "type" in asked:
            count = decisions.dismiss_all(
                asked["type"], person=person, is_permanent=is_permanent
            )
            return Response({"success": True, "dismissed_count": count})
        dismissed, left = decisions.dismiss_these(
            asked["ids"],
            person=person,
            is_permanent=is_permanent,
            seen_at=asked["seen_at"],
        )
        return Response(
            {
                "success": True,
                "dismissed_count": len(dismissed),
                "dismissed": dismissed,
                "not_dismissed": [shapes.not_dismissed_answer(each) for each in left],
            }
        )
