"""Runs over the whole library of Stash."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from stashsense.slices.models import SlicedRun

OPERATE = "recognition.operate_library"


class LibraryRunQuerySet(models.QuerySet["LibraryRun"]):
    def in_progress(self) -> "LibraryRunQuerySet":
        """Return the runs that have not ended; one of a kind at most."""
        return self.filter(state__in=LibraryRun.IN_PROGRESS)


class LibraryRun(SlicedRun):
    """One attempt at all of the library.

    To identify every scene, to match again all that is kept, to learn performers, or to
    evaluate names.

    QUEUED → RUNNING → COMPLETE | FAILED | CANCELLED. It is worked at in slices, each a
    task of the background; what is between two of them is in this row.
    """

    class Kind(models.TextChoices):
        IDENTIFY = "identify"
        REMATCH = "rematch", "Match again"
        EVALUATE = "evaluate"
        LOCAL = "local", "Learn local performers"

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        COMPLETE = "complete"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class Asker(models.TextChoices):
        ADMIN = "admin"
        API = "api", "API"
        PLUGIN = "plugin", "Stash plugin"
        COMMAND = "command"
        RELEASE = "release", "a new release"
        SCHEDULE = "schedule"

    IN_PROGRESS = (State.QUEUED, State.RUNNING)

    kind = models.CharField(max_length=16, choices=Kind)
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    asked_by = models.CharField(max_length=16, choices=Asker)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    options = models.JSONField(
        default=dict, blank=True, help_text="How scenes are looked at."
    )
    release_version = models.CharField(
        "release", max_length=64, blank=True, help_text="What is matched with."
    )

    total_count = models.PositiveIntegerField("scenes in all", default=0)
    done_count = models.PositiveIntegerField("done", default=0)
    succeeded_count = models.PositiveIntegerField("succeeded", default=0)
    failed_count = models.PositiveIntegerField("failed", default=0)
    skipped_count = models.PositiveIntegerField("skipped", default=0)
    changed_count = models.PositiveIntegerField("changed", default=0)

    cursor = models.PositiveBigIntegerField(
        default=0, help_text="The last scene that was decided."
    )
    is_second_pass = models.BooleanField(
        "trying again", default=False, help_text="It is at scenes that failed once."
    )
    current_scene_id = models.PositiveBigIntegerField(
        "current scene", null=True, blank=True
    )
    current_scene_title = models.TextField(blank=True)
    current_job_id = models.CharField("current job", max_length=64, blank=True)
    scene_started_at = models.DateTimeField(null=True, blank=True)
    waiting_for = models.TextField(
        blank=True, help_text="Why it does not get on at this moment."
    )
    waited_seconds = models.FloatField(default=0)

    is_stop_asked = models.BooleanField("stop asked for", default=False)

    objects: ClassVar[LibraryRunQuerySet] = LibraryRunQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering: ClassVar[list[str]] = ["-pk"]
        get_latest_by = "pk"
        permissions: ClassVar = [
            ("operate_library", "Can have the library identified, and stop it")
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["kind"],
                condition=models.Q(state__in=["queued", "running"]),
                name="recognition_one_library_run_each",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} run {self.pk}"

    @property
    def is_in_progress(self) -> bool:
        return self.state in self.IN_PROGRESS

    @property
    def percent(self) -> int:
        """How much of it is done, 100 once it is complete."""
        if self.state == self.State.COMPLETE:
            return 100
        return min(99, 100 * self.done_count // max(self.total_count, 1))
