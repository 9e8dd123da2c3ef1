"""Requests and answers about recommendations, with the predecessor's names."""

from typing import Any

from rest_framework import serializers

from recommendations.api.requests import ObjectField
from recommendations.decisions import NotDismissed, find_dismissal
from recommendations.findings import AUTO_RESOLVED
from recommendations.models import ActionRecord, Recommendation

# What the predecessor lists where nothing else is asked for.
DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
# A few pages of a list.
MAX_DISMISSED_IDS = 500
# More than anybody has; databases count up to 64 bits.
MAX_OFFSET = 10**9


class ListQuery(serializers.Serializer[Any]):
    """Which recommendations, and which part of them."""

    status = serializers.ChoiceField(
        Recommendation.Status.choices, required=False, allow_blank=True, default=""
    )
    type = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=40
    )
    target_type = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=20
    )
    limit = serializers.IntegerField(
        default=DEFAULT_LIMIT, min_value=1, max_value=MAX_LIMIT
    )
    offset = serializers.IntegerField(default=0, min_value=0, max_value=MAX_OFFSET)


class RecommendationAnswer(serializers.Serializer[Any]):
    """A tidy-up that is proposed, or was."""

    id = serializers.IntegerField()
    type = serializers.CharField()
    status = serializers.ChoiceField(Recommendation.Status.choices)
    target_type = serializers.CharField()
    target_id = serializers.CharField(help_text="An id of Stash, or several.")
    endpoint = serializers.CharField(
        allow_null=True, help_text="The stash-box, where it is about one."
    )
    details = serializers.DictField()
    confidence = serializers.FloatField(allow_null=True)
    resolution_action = serializers.CharField(allow_null=True)
    resolution_details = serializers.DictField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class DismissalAnswer(serializers.Serializer[Any]):
    """How it was dismissed."""

    permanent = serializers.BooleanField()
    reason = serializers.CharField()
    dismissed_at = serializers.DateTimeField()


class RecommendationDetailAnswer(RecommendationAnswer):
    """A tidy-up with who decided about it."""

    decided_by = serializers.CharField(
        allow_null=True,
        help_text="A user's name, or by which way; null where no person did.",
    )
    dismissal = DismissalAnswer(allow_null=True)


class RecommendationsAnswer(serializers.Serializer[Any]):
    """Recommendations, the newest first."""

    recommendations = RecommendationAnswer(many=True)
    total = serializers.IntegerField(help_text="All that match, on every page.")


class CountsAnswer(serializers.Serializer[Any]):
    """How many there are."""

    counts = serializers.DictField(
        child=serializers.DictField(child=serializers.IntegerField()),
        help_text="By type, and of each by status.",
    )
    total_pending = serializers.IntegerField()


class ResolveRequest(serializers.Serializer[Any]):
    """What was done about it."""

    action = serializers.CharField(max_length=64)
    details = ObjectField(required=False, allow_null=True, default=None)
    seen_at = serializers.DateTimeField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Its `updated_at` as the person saw it; 409 if it has changed since.",
    )

    def validate_action(self, action: str) -> str:
        """Return it, unless it is a word that analyses use."""
        if action == AUTO_RESOLVED:
            raise serializers.ValidationError("Only an analysis does that.")
        return action


class DismissRequest(serializers.Serializer[Any]):
    """Why, where somebody says."""

    reason = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, default="", max_length=2000
    )
    seen_at = serializers.DateTimeField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Its `updated_at` as the person saw it; 409 if it has changed since.",
    )


class DismissUpstreamRequest(DismissRequest):
    """Whether it may come back when it changes upstream."""

    permanent = serializers.BooleanField(required=False, default=False)


class BatchDismissRequest(serializers.Serializer[Any]):
    """Which pending ones are to be dismissed: all of a `type`, or those of `ids`."""

    type = serializers.CharField(max_length=40, required=False)
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        allow_empty=False,
        max_length=MAX_DISMISSED_IDS,
    )
    permanent = serializers.BooleanField(required=False, default=False)
    seen_at = serializers.DateTimeField(
        required=False,
        allow_null=True,
        default=None,
        help_text="With `ids`: the latest `updated_at` that the person saw; what "
        "changed since is left alone.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return them, if they say which are meant in one way."""
        if ("type" in attrs) == ("ids" in attrs):
            raise serializers.ValidationError("Send either a type or ids.")
        return attrs


class SuccessAnswer(serializers.Serializer[Any]):
    success = serializers.BooleanField()


class DismissedAnswer(SuccessAnswer):
    permanent = serializers.BooleanField(help_text="As it is kept from now on.")


class RestoredAnswer(SuccessAnswer):
    status = serializers.ChoiceField(Recommendation.Status.choices)


class NotDismissedAnswer(serializers.Serializer[Any]):
    """One that stayed as it was, and why."""

    recommendation_id = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()


class BatchDismissedAnswer(SuccessAnswer):
    """What of `ids` was dismissed and what was not is told of these alone."""

    dismissed_count = serializers.IntegerField()
    dismissed = serializers.ListField(child=serializers.IntegerField(), required=False)
    not_dismissed = NotDismissedAnswer(many=True, required=False)


def recommendation_answer(row: Recommendation) -> dict[str, Any]:
    """Return the body of RecommendationAnswer."""
    return {
        "id": row.pk,
        "type": row.type,
        "status": row.status,
        "target_type": row.target_type,
        "target_id": row.target_id,
        "endpoint": row.endpoint or None,
        "details": row.details,
        "confidence": row.confidence,
        "resolution_action": row.resolution_action or None,
        "resolution_details": row.resolution_details,
        "resolved_at": row.resolved_at,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def recommendation_detail_answer(row: Recommendation) -> dict[str, Any]:
    """Return the body of RecommendationDetailAnswer."""
    dismissal, decided_by = None, None
    if row.status == Recommendation.Status.DISMISSED:
        dismissal = find_dismissal(row)
        if dismissal is not None and dismissal.user is not None:
            decided_by = dismissal.user.get_username()
    elif row.status == Recommendation.Status.RESOLVED:
        done = row.actions.filter(state=ActionRecord.State.DONE)
        record = done.select_related("user").first()
        if record is not None:
            decided_by = record.user.get_username() if record.user else record.asked_by
    return {
        **recommendation_answer(row),
        "decided_by": decided_by,
        "dismissal": None
        if dismissal is None
        else {
            "permanent": dismissal.is_permanent,
            "reason": dismissal.reason,
            "dismissed_at": dismissal.dismissed_at,
        },
    }


def not_dismissed_answer(left: NotDismissed) -> dict[str, Any]:
    """Return the body of NotDismissedAnswer."""
    return {
        "recommendation_id": left.recommendation_id,
        "code": left.reason.code,
        "detail": str(left.reason),
    }
