"""Model files: what was found out about them, and attempts to get them."""

from typing import ClassVar

from django.conf import settings
from django.db import models

# The permission to get and remove model files, in the admin and over REST.
OPERATE_MODEL_FILES = "recognition.change_modelfile"


class ModelFile(models.Model):
    """What this service has found out about one of the model files.

    Which files there are, and the digests published for them, are in the code.
    """

    name = models.CharField(max_length=64, unique=True)
    recorded_sha256 = models.CharField(
        "recorded SHA-256",
        max_length=64,
        blank=True,
        help_text="Of the first verified download, where no digest is published; "
        "later downloads have to match.",
    )
    recorded_at = models.DateTimeField("recorded", null=True, blank=True)
    seen_sha256 = models.CharField(
        "SHA-256", max_length=64, blank=True, help_text="Of the file that is there."
    )
    seen_as = models.CharField(
        max_length=80,
        blank=True,
        help_text="Size, time and number of the file when its digest was computed.",
    )
    seen_at = models.DateTimeField("verified", null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        verbose_name = "model file"

    def __str__(self) -> str:
        return self.name


class ModelDownloadQuerySet(models.QuerySet["ModelDownload"]):
    def in_progress(self) -> "ModelDownloadQuerySet":
        """Return the downloads that have not ended; one for each file at most."""
        return self.filter(state__in=ModelDownload.IN_PROGRESS)


class ModelDownload(models.Model):
    """One attempt to get a model file.

    queued → downloading → validating → complete; from any of these to failed or
    cancelled.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        DOWNLOADING = "downloading"
        VALIDATING = "validating"
        COMPLETE = "complete"
        FAILED = "failed"
        CANCELLED = "cancelled"

    class Asker(models.TextChoices):
        ADMIN = "admin"
        API = "api", "API"
        PLUGIN = "plugin", "Stash plugin"
        COMMAND = "command"
        UPDATE = "update"

    IN_PROGRESS: ClassVar = (State.QUEUED, State.DOWNLOADING, State.VALIDATING)

    file = models.ForeignKey(
        ModelFile, on_delete=models.CASCADE, related_name="downloads"
    )
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    asked_by = models.CharField(max_length=16, choices=Asker)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    done_bytes = models.PositiveBigIntegerField(default=0)
    total_bytes = models.PositiveBigIntegerField(default=0)
    attempt_count = models.PositiveSmallIntegerField(
        "attempts",
        default=0,
        help_text="More than one if a process that worked at it died.",
    )
    is_cancel_asked = models.BooleanField("cancel asked for", default=False)
    error_code = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField("asked for", auto_now_add=True)
    heartbeat_at = models.DateTimeField("last heard of", null=True, blank=True)
    ended_at = models.DateTimeField("ended", null=True, blank=True)

    objects: ClassVar[ModelDownloadQuerySet] = ModelDownloadQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering: ClassVar = ["-pk"]
        get_latest_by = "pk"
        verbose_name = "model download"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["file"],
                condition=models.Q(state__in=["queued", "downloading", "validating"]),
                name="recognition_one_download_in_progress",
                violation_error_message="It is being downloaded already.",
            ),
        ]

    def __str__(self) -> str:
        return f"download of {self.file}"

    @property
    def is_in_progress(self) -> bool:
        return self.state in self.IN_PROGRESS

    @property
    def percent(self) -> int:
        """How far it is; 100 only once the file is verified and in its place."""
        if self.state == self.State.COMPLETE:
            return 100
        return min(99, 100 * self.done_bytes // max(self.total_bytes, 1))
