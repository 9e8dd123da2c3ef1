"""Which processes serve what."""

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
    is_unloaded = models.BooleanField(
        "unloaded",
        default=False,
        help_text=(
            "It had nothing to do and gave the memory back; the next request loads "
            "the release again."
        ),
    )
    network_set = models.CharField("networks", max_length=64, blank=True)
    is_loading = models.BooleanField("loading", default=False)
    fetched_percent = models.PositiveSmallIntegerField(
        "fetched",
        null=True,
        blank=True,
        help_text="While its host gets the files of a release it lacks, in per cent.",
    )
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
