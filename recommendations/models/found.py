"""What was found to be tidied, and what is not to be proposed again."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q


class RecommendationQuerySet(models.QuerySet["Recommendation"]):
    def pending(self) -> "RecommendationQuerySet":
        """Return those that wait for somebody to decide."""
        return self.filter(status=Recommendation.Status.PENDING)

    def of_target(
        self, type: str, target_type: str, target_id: str, endpoint: str
    ) -> "RecommendationQuerySet":
        """Return the one of this identity, or none."""
        return self.filter(
            type=type, target_type=target_type, target_id=target_id, endpoint=endpoint
        )


class Recommendation(models.Model):
    """A tidy-up that is proposed, identified by what it is about.

    PENDING → RESOLVED | DISMISSED, and back to PENDING when its cause returns with
    other content. It keeps its id whatever run finds it again.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        DISMISSED = "dismissed"
        RESOLVED = "resolved"

    type = models.CharField(max_length=40)
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    target_type = models.CharField(max_length=20)
    target_id = models.CharField(
        "target", max_length=400, help_text="An id of Stash, or several."
    )
    endpoint = models.CharField(
        "stash-box", max_length=255, blank=True, help_text="Where it is about one."
    )
    details = models.JSONField(default=dict, blank=True)
    cause = models.CharField(
        max_length=64,
        blank=True,
        help_text="Differs when the same target is found for other reasons.",
    )
    confidence = models.FloatField(null=True, blank=True, help_text="From 0 to 1.")
    resolution_action = models.CharField("resolved by", max_length=64, blank=True)
    resolution_details = models.JSONField(default=dict, blank=True)
    resolved_at = models.DateTimeField("resolved", null=True, blank=True)
    claimed_until = models.DateTimeField(
        null=True, blank=True, help_text="Somebody acts on it until then."
    )
    last_pass_id = models.PositiveBigIntegerField(
        "last pass", default=0, help_text="Of the analysis that saw it last."
    )
    created_at = models.DateTimeField("found", auto_now_add=True)
    updated_at = models.DateTimeField("changed", auto_now=True)

    objects: ClassVar[RecommendationQuerySet] = RecommendationQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering: ClassVar[list[str]] = ["-pk"]
        permissions: ClassVar = [
            ("act_on_recommendations", "Can act on recommendations, and dismiss them")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["type", "target_type", "target_id", "endpoint"],
                name="recommendations_one_each",
            ),
            models.CheckConstraint(
                condition=Q(confidence__isnull=True)
                | Q(confidence__gte=0, confidence__lte=1),
                name="recommendations_confidence_in_bounds",
            ),
        ]
        # A list of 200,000 by any of the filters, at any offset, reads one of these and
        # of the rows only those it shows; the counts read the third.
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-id"], name="recommendations_newest"),
            models.Index(fields=["status", "-id"], name="recommendations_status"),
            models.Index(fields=["type", "status", "-id"], name="recommendations_type"),
            models.Index(
                fields=["type", "-id", "status", "target_type"],
                name="recommendations_by_type",
            ),
            models.Index(
                fields=["target_type", "-id", "status", "type"],
                name="recommendations_target",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} of {self.target_type} {self.target_id}"


class Dismissal(models.Model):
    """A target that is not to be proposed again.

    For good, or (of what comes from upstream) until it changes there once more.
    """

    type = models.CharField(max_length=40)
    target_type = models.CharField(max_length=20)
    target_id = models.CharField("target", max_length=400)
    endpoint = models.CharField("stash-box", max_length=255, blank=True)
    is_permanent = models.BooleanField("for good", default=False)
    cause = models.CharField(max_length=64, blank=True)
    reason = models.TextField(blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    dismissed_at = models.DateTimeField("dismissed", auto_now=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["type", "target_type", "target_id", "endpoint"],
                name="recommendations_one_dismissal_each",
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} of {self.target_type} {self.target_id}"
