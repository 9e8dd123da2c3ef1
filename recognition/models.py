"""What recognition keeps in the database: which processes serve what, and jobs."""

import os
import socket
import uuid
from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.utils import timezone

# A process writes every few seconds; one that missed this many has died or hangs.
LIVE_SECONDS = 30


class ServingProcessQuerySet(models.QuerySet["ServingProcess"]):
    def live(self) -> "ServingProcessQuerySet":
        """Return the processes heard of lately, by host and process id."""
        since = timezone.now() - timedelta(seconds=LIVE_SECONDS)
        return self.filter(heartbeat_at__gte=since).order_by("host", "pid")


class ServingProcess(models.Model):
    """A process that answers identifications, as it last described itself."""

    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField("process id")
    release_version = models.CharField(
        "serves", max_length=64, blank=True, help_text="Empty while nothing is loaded."
    )
    network_set = models.CharField("networks", max_length=64, blank=True)
    is_loading = models.BooleanField("loading", default=False)
    failed_version = models.CharField(
        "cannot serve", max_length=64, blank=True, help_text="Empty while all is well."
    )
    problem = models.TextField(blank=True, help_text="Why that release is not served.")
    has_unloaded_first = models.BooleanField(
        "unloaded first",
        default=False,
        help_text="It let go of the former release before it loaded this one.",
    )
    device = models.CharField(max_length=255, blank=True)
    execution_provider = models.CharField(max_length=64, blank=True)
    device_reason = models.TextField(
        blank=True, help_text="Why this device was chosen."
    )
    memory_bytes = models.PositiveBigIntegerField("resident memory", default=0)
    available_memory_bytes = models.PositiveBigIntegerField(
        "available memory", default=0, help_text="What it could take beyond that."
    )
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()

    objects: ClassVar[ServingProcessQuerySet] = ServingProcessQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name_plural = "serving processes"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["host", "pid"], name="recognition_one_row_per_process"
            )
        ]

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


def _new_job_id() -> str:
    return uuid.uuid4().hex[:12]


class IdentificationJobQuerySet(models.QuerySet["IdentificationJob"]):
    def in_progress(self) -> "IdentificationJobQuerySet":
        """Return the jobs that have not ended."""
        return self.filter(state__in=IdentificationJob.IN_PROGRESS)

    def of_this_process(self) -> "IdentificationJobQuerySet":
        """Return the jobs that this process took."""
        return self.filter(host=socket.gethostname(), pid=os.getpid())


class IdentificationJob(models.Model):
    """A scene that is identified in the background, by one process.

    QUEUED → RUNNING → COMPLETE | FAILED | CANCELLED, or INTERRUPTED with its process.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        COMPLETE = "complete"
        FAILED = "failed"
        CANCELLED = "cancelled"
        INTERRUPTED = "interrupted"

    IN_PROGRESS = (State.QUEUED, State.RUNNING)

    job_id = models.CharField(max_length=12, unique=True, default=_new_job_id)
    scene_id = models.CharField(max_length=20)
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    is_cancel_asked = models.BooleanField("cancel asked for", default=False)
    frames_done = models.PositiveIntegerField(default=0)
    frames_asked = models.PositiveIntegerField(default=0)
    people = models.JSONField("people so far", default=list, blank=True)
    result = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField("process id")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[IdentificationJobQuerySet] = (
        IdentificationJobQuerySet.as_manager()  # type: ignore[assignment]
    )

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"scene {self.scene_id} ({self.job_id})"

    @property
    def is_in_progress(self) -> bool:
        return self.state in self.IN_PROGRESS
