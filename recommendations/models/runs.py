"""Runs of analyses and of what else the queue starts, and when they start."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from stashsense.slices.models import SlicedRun

OPERATE = "recommendations.operate_analyses"


class AnalysisRunQuerySet(models.QuerySet["AnalysisRun"]):
    def in_progress(self) -> "AnalysisRunQuerySet":
        """Return the runs that have not ended; one of a type at most."""
        return self.filter(state__in=AnalysisRun.IN_PROGRESS)

    def ended(self) -> "AnalysisRunQuerySet":
        return self.exclude(state__in=AnalysisRun.IN_PROGRESS)


class AnalysisRun(SlicedRun):
    """One attempt at an analysis, or at another of the queue's types.

    QUEUED → RUNNING → COMPLETED | FAILED | CANCELLED. It is queued until its resource
    has room, and then worked at in slices.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        COMPLETED = "completed"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class Asker(models.TextChoices):
        ADMIN = "admin"
        API = "user", "API"
        PLUGIN = "plugin", "Stash plugin"
        COMMAND = "command"
        SCHEDULE = "schedule"

    IN_PROGRESS = (State.QUEUED, State.RUNNING)

    type = models.CharField(max_length=40)
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    asked_by = models.CharField(max_length=16, choices=Asker)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    priority = models.IntegerField(help_text="Lower ones begin earlier.")
    is_full = models.BooleanField(
        "everything", default=False, help_text="Not only what changed since last time."
    )
    cursor = models.JSONField(
        default=dict, blank=True, help_text="Where the next slice goes on."
    )
    pass_id = models.PositiveBigIntegerField(
        "pass", default=0, help_text="The run that a resumed one goes on from."
    )
    total_count = models.PositiveIntegerField("items in all", default=0)
    done_count = models.PositiveIntegerField("done", default=0)
    found_count = models.PositiveIntegerField("found", default=0)
    created_count = models.PositiveIntegerField("newly recommended", default=0)
    note = models.TextField(
        blank=True, help_text="What was passed over, or what it waits for."
    )
    followed_id = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="The run of another part that does the work."
    )

    objects: ClassVar[AnalysisRunQuerySet] = AnalysisRunQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering: ClassVar[list[str]] = ["-pk"]
        get_latest_by = "pk"
        permissions: ClassVar = [
            ("operate_analyses", "Can start and stop analyses, and schedule them")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["type"],
                condition=models.Q(state__in=["queued", "running"]),
                name="recommendations_one_run_each",
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} run {self.pk}"

    @property
    def is_in_progress(self) -> bool:
        return self.state in self.IN_PROGRESS

    @property
    def percent(self) -> int:
        """How much of it is done, 100 once it is completed."""
        if self.state == self.State.COMPLETED:
            return 100
        return min(99, 100 * self.done_count // max(self.total_count, 1))


class AnalysisSchedule(models.Model):
    """When a type of run starts by itself."""

    type = models.CharField(max_length=40, unique=True)
    is_enabled = models.BooleanField("starts by itself", default=False)
    interval_hours = models.FloatField("every so many hours")
    priority = models.IntegerField(help_text="Lower ones begin earlier.")
    last_run_at = models.DateTimeField("last started", null=True, blank=True)
    next_run_at = models.DateTimeField("starts next", null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["type"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(interval_hours__gt=0),
                name="recommendations_interval_is_positive",
            )
        ]

    def __str__(self) -> str:
        return self.type
