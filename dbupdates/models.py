"""The releases this service knows of, the runs that change them, and when to run.

A row outlives the files it speaks of: a purged or rejected release keeps its history.
"""

import uuid
from datetime import time
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from dbupdates.progress import CANCELLABLE, IN_PROGRESS, Phase
from dbupdates.versions import parse_version

# The permission to change which release is served, in the admin and over REST.
OPERATE = "dbupdates.change_databaserelease"


class DatabaseReleaseQuerySet(models.QuerySet["DatabaseRelease"]):
    def active(self) -> "DatabaseRelease | None":
        """Return the release that is to be served, or None."""
        return self.filter(status=DatabaseRelease.Status.ACTIVE).first()

    def installed(self) -> "DatabaseReleaseQuerySet":
        """Return the releases whose files are there, newest first."""
        return self.filter(status__in=DatabaseRelease.INSTALLED)

    def activatable(self) -> "DatabaseReleaseQuerySet":
        """Return the installed releases that are not served, newest first."""
        return self.filter(status__in=DatabaseRelease.ACTIVATABLE)


class DatabaseRelease(models.Model):
    """A version of the face database.

    AVAILABLE → STAGED → ACTIVE ⇄ RETIRED → PURGED; REJECTED when verification fails.
    """

    class Status(models.TextChoices):
        AVAILABLE = "available"
        STAGED = "staged"
        ACTIVE = "active"
        RETIRED = "retired"
        PURGED = "purged"
        REJECTED = "rejected"

    ACTIVATABLE: ClassVar = (Status.STAGED, Status.RETIRED)
    INSTALLED: ClassVar = (*ACTIVATABLE, Status.ACTIVE)

    version = models.CharField(max_length=64, unique=True)
    version_key = models.BigIntegerField(
        editable=False, help_text="The version as one number, to order by."
    )
    status = models.CharField(
        "state",
        max_length=16,
        choices=Status,
        help_text="One release is active: the one served to everybody.",
    )
    performer_count = models.PositiveIntegerField("performers", default=0)
    face_count = models.PositiveIntegerField("faces", default=0)
    sources = models.JSONField(
        default=list, blank=True, help_text="The stash-boxes the faces come from."
    )
    created_at = models.DateTimeField(
        "published", null=True, blank=True, help_text="When the release was made."
    )
    network_set = models.CharField(
        "networks",
        max_length=64,
        help_text="The networks whose vectors the release holds. It can be activated "
        "where these are installed.",
    )
    network_files = models.JSONField(
        default=dict,
        blank=True,
        help_text="SHA-256 of each network; empty where none was published.",
    )
    size_bytes = models.PositiveBigIntegerField("size", default=0)
    staged_at = models.DateTimeField("installed", null=True, blank=True)
    activated_at = models.DateTimeField("activated", null=True, blank=True)
    retired_at = models.DateTimeField("retired", null=True, blank=True)
    reason = models.TextField(blank=True, help_text="Why the release was rejected.")
    published_at = models.DateTimeField(
        "in the feed since", null=True, blank=True, help_text="As the feed says."
    )
    title = models.CharField(max_length=255, blank=True)
    notes = models.TextField(blank=True, help_text="What the feed says of it.")
    archive_url = models.URLField(
        max_length=2048, blank=True, help_text="Empty where the feed has no archive."
    )
    archive_bytes = models.PositiveBigIntegerField(
        "archive size", default=0, help_text="0 where the feed does not say."
    )
    archive_sha256 = models.CharField(
        "archive SHA-256",
        max_length=64,
        blank=True,
        help_text="Empty where the feed does not say.",
    )

    objects: ClassVar[DatabaseReleaseQuerySet] = DatabaseReleaseQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering: ClassVar = ["-version_key"]
        verbose_name = "release"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["status"],
                condition=models.Q(status="active"),
                name="dbupdates_one_active_release",
                violation_error_message="Another release is active.",
            ),
        ]

    def __str__(self) -> str:
        return self.version

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row; the version's key follows from its text."""
        self.version_key = parse_version(self.version).sort_key
        super().save(*args, **kwargs)

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE

    @property
    def is_obtainable(self) -> bool:
        """Whether it is here, or the feed has an archive of it."""
        return self.is_installed or bool(self.archive_url)

    @property
    def is_installed(self) -> bool:
        return self.status in self.INSTALLED


class ReleaseFile(models.Model):
    """A file of an installed release, as it was when its bytes were verified."""

    release = models.ForeignKey(
        DatabaseRelease, on_delete=models.CASCADE, related_name="files"
    )
    name = models.CharField(
        max_length=128, help_text="Below the release's folder; prepared/ is ours."
    )
    size_bytes = models.PositiveBigIntegerField("size")
    sha256 = models.CharField("SHA-256", max_length=64)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["release", "name"], name="dbupdates_one_row_per_release_file"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ReleaseFeed(models.Model):
    """What a feed answered last, shared by every process; one row for each address.

    What it lists is in the rows of `DatabaseRelease`.
    """

    url = models.URLField(max_length=2048, unique=True)
    etag = models.CharField(max_length=255, blank=True)
    latest_version = models.CharField(
        max_length=64, blank=True, help_text="The newest release it lists."
    )
    known_since = models.DateTimeField(
        default=timezone.now,
        editable=False,
        help_text="The first check by itself is due a day later.",
    )
    asked_at = models.DateTimeField("last asked", null=True, blank=True)
    answered_at = models.DateTimeField("last answered", null=True, blank=True)
    closed_until = models.DateTimeField(
        "not asked before", null=True, blank=True, help_text="It asked us to wait."
    )
    error = models.TextField(
        blank=True, help_text="Why the last attempt failed; empty when it did not."
    )

    class Meta:
        verbose_name = "release feed"

    def __str__(self) -> str:
        return self.url


class UpdatePolicy(models.Model):
    """When to look for releases and what to do about them; the one row is pk 1."""

    is_checking = models.BooleanField(
        "check for new releases",
        default=True,
        help_text="Asks the feed once a day; nothing is downloaded by that.",
    )
    is_installing = models.BooleanField(
        "install new releases by itself",
        default=False,
        help_text="Downloads and activates what a check finds.",
    )
    window_start = models.TimeField(
        "install after",
        default=time(3),
        help_text="Local time. The same as the end: at any time.",
    )
    window_end = models.TimeField("install before", default=time(6))
    kept_count = models.PositiveSmallIntegerField(
        "old releases kept",
        default=1,
        help_text="Besides the active one; older ones are deleted after an update.",
    )

    class Meta:
        verbose_name = "update policy"
        verbose_name_plural = "update policy"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(pk=1), name="dbupdates_one_policy"
            ),
        ]

    def __str__(self) -> str:
        return "Update policy"

    @classmethod
    def current(cls) -> "UpdatePolicy":
        """Return the policy, with the defaults where nobody has changed it."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)


def new_job_id() -> str:
    """Return 12 hexadecimal digits, which the REST API names a run by."""
    return uuid.uuid4().hex[:12]


class UpdateRunQuerySet(models.QuerySet["UpdateRun"]):
    def in_progress(self) -> "UpdateRunQuerySet":
        """Return the run that has not ended; there is one at most."""
        return self.filter(phase__in=IN_PROGRESS)


class UpdateRun(models.Model):
    """One attempt to change which release is installed or served.

    queued → downloading → extracting → verifying → swapping → reloading → complete;
    from any of these to failed, and to cancelled until swapping. Before downloading,
    or before swapping, models: networks that are missing are fetched.
    """

    class Kind(models.TextChoices):
        DOWNLOAD = "download"
        IMPORT = "import"
        ACTIVATION = "activation"

    class Asker(models.TextChoices):
        ADMIN = "admin"
        API = "api", "API"
        PLUGIN = "plugin", "Stash plugin"
        SCHEDULE = "schedule"
        COMMAND = "command"
        START = "start"

    job_id = models.CharField(
        max_length=12, unique=True, default=new_job_id, editable=False
    )
    kind = models.CharField(max_length=16, choices=Kind)
    version = models.CharField(
        "release", max_length=64, blank=True, help_text="Empty until it is known."
    )
    source_path = models.TextField(
        "imported from", blank=True, help_text="A zip or folder on this machine."
    )
    is_activating = models.BooleanField(
        "activates", default=True, help_text="Or leaves the release installed only."
    )
    phase = models.CharField(
        max_length=16,
        choices=[(phase.value, phase.value) for phase in Phase],
        default=Phase.QUEUED.value,
    )
    asked_by = models.CharField(max_length=16, choices=Asker)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    former_version = models.CharField(
        "served before",
        max_length=64,
        blank=True,
        help_text="What is activated again if the release cannot be served.",
    )

    percent = models.PositiveSmallIntegerField(default=0)
    done_bytes = models.PositiveBigIntegerField(default=0)
    total_bytes = models.PositiveBigIntegerField(default=0)
    bytes_per_second = models.FloatField(default=0)
    fetched_bytes = models.PositiveBigIntegerField(
        default=0, help_text="What came over the network."
    )
    phase_started_at = models.DateTimeField(null=True, blank=True)
    phase_seconds = models.JSONField(
        default=dict, blank=True, help_text="How long each phase took."
    )
    process_count = models.PositiveSmallIntegerField("serving processes", default=0)
    ready_count = models.PositiveSmallIntegerField("of which serve it", default=0)

    host_id = models.CharField(
        "host", max_length=12, blank=True, help_text="Whose disk it works on."
    )
    attempt_count = models.PositiveSmallIntegerField(
        "attempts",
        default=0,
        help_text="More than one if a process that ran it died.",
    )
    is_cancel_asked = models.BooleanField("cancel asked for", default=False)
    is_resumable = models.BooleanField(
        "can be resumed", default=False, help_text="What was downloaded is kept."
    )
    error_code = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField("asked for", auto_now_add=True)
    started_at = models.DateTimeField("started", null=True, blank=True)
    heartbeat_at = models.DateTimeField("last heard of", null=True, blank=True)
    ended_at = models.DateTimeField("ended", null=True, blank=True)

    objects: ClassVar[UpdateRunQuerySet] = UpdateRunQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering: ClassVar = ["-pk"]
        get_latest_by = "pk"
        verbose_name = "update run"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(phase__in=[phase.value for phase in IN_PROGRESS]),
                name="dbupdates_one_run_in_progress",
                violation_error_message="Another update is in progress.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.version} ({self.job_id})".replace("  ", " ")

    @property
    def is_in_progress(self) -> bool:
        return self.phase in IN_PROGRESS

    @property
    def is_cancellable(self) -> bool:
        return self.phase in CANCELLABLE and not self.is_cancel_asked

    @property
    def seconds_left(self) -> int | None:
        """How long the phase takes on at its present rate; None where unknown."""
        left_bytes = self.total_bytes - self.done_bytes
        if not self.is_in_progress or self.bytes_per_second <= 0 or left_bytes < 0:
            return None
        return round(left_bytes / self.bytes_per_second)


class RunLogLine(models.Model):
    """Something worth telling that happened during a run."""

    run = models.ForeignKey(
        UpdateRun, on_delete=models.CASCADE, related_name="log_lines"
    )
    written_at = models.DateTimeField(auto_now_add=True)
    text = models.TextField()

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.text
