"""Scenes, images and galleries that are identified in the background."""

import os
import socket
import uuid
from typing import ClassVar

from django.db import models

from recognition.models.fingerprints import Fingerprint


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
    """Something of Stash that is identified in the background, by one process.

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
    kind = models.CharField(
        max_length=8, choices=Fingerprint.Kind, default=Fingerprint.Kind.SCENE
    )
    stash_id = models.CharField("id in Stash", max_length=20)
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    is_cancel_asked = models.BooleanField("cancel asked for", default=False)
    frames_done = models.PositiveIntegerField(
        default=0, help_text="Of a gallery: its images."
    )
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
        return f"{self.kind} {self.stash_id} ({self.job_id})"

    @property
    def is_in_progress(self) -> bool:
        return self.state in self.IN_PROGRESS
