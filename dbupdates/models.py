"""The releases this service knows of, and which one is served.

A row outlives the files it speaks of: a purged or rejected release keeps its history.
"""

from typing import Any, ClassVar

from django.db import models

from dbupdates.versions import parse_version


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
