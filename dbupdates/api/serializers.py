"""Answers about releases and updates, with the predecessor's names."""

from typing import Any

from rest_framework import serializers

from dbupdates.models import DatabaseRelease, UpdateRun
from dbupdates.progress import Phase
from dbupdates.published import FeedStatus

# How clients of the predecessor know the phases it did not have.
_SPELLINGS = {
    Phase.QUEUED: "downloading",
    Phase.MODELS: "downloading",
    Phase.CANCELLED: "failed",
}
STATUSES = [
    "idle",
    "downloading",
    "extracting",
    "verifying",
    "swapping",
    "reloading",
    "complete",
    "failed",
]


class UpdateCheckAnswer(serializers.Serializer[Any]):
    """Whether there is a newer release."""

    current_version = serializers.CharField(allow_null=True)
    latest_version = serializers.CharField(allow_null=True)
    update_available = serializers.BooleanField()
    release_name = serializers.CharField(allow_null=True)
    release_notes = serializers.CharField(allow_null=True)
    download_url = serializers.CharField(
        allow_null=True, help_text="Null when there is nothing to download."
    )
    download_size_mb = serializers.IntegerField(allow_null=True)
    published_at = serializers.DateTimeField(allow_null=True)
    checked_at = serializers.DateTimeField(allow_null=True)
    next_check_at = serializers.DateTimeField(
        allow_null=True,
        help_text="When the feed is asked unasked; null where the policy has it not.",
    )
    error = serializers.CharField(
        allow_null=True,
        help_text="Why the feed could not be read; the rest is what was known before.",
    )


class UpdateRequest(serializers.Serializer[Any]):
    """What to update to; the newest release where nothing is named."""

    version = serializers.CharField(required=False, max_length=64)


class RunStartedAnswer(serializers.Serializer[Any]):
    """A run that the background works at; follow it by /database/update/status."""

    job_id = serializers.CharField(help_text="12 hexadecimal digits.")
    status = serializers.ChoiceField(["started"])


class CancelAnswer(serializers.Serializer[Any]):
    """A run that ends within two seconds."""

    job_id = serializers.CharField()
    status = serializers.ChoiceField(["cancelling"])


class UpdateStatusQuery(serializers.Serializer[Any]):
    """Which run is meant; the latest where none is named."""

    job_id = serializers.CharField(required=False)


class UpdateStatusAnswer(serializers.Serializer[Any]):
    """How far an update is, or how it ended."""

    status = serializers.ChoiceField(STATUSES)
    progress_pct = serializers.IntegerField()
    current_version = serializers.CharField(allow_null=True)
    target_version = serializers.CharField(allow_null=True)
    error = serializers.CharField(allow_null=True)
    error_code = serializers.CharField(allow_null=True)
    job_id = serializers.CharField(allow_null=True)
    phase = serializers.ChoiceField(
        [*Phase], allow_null=True, help_text="The same more exactly than `status`."
    )
    kind = serializers.ChoiceField(UpdateRun.Kind.choices, allow_null=True)
    asked_by = serializers.ChoiceField(UpdateRun.Asker.choices, allow_null=True)
    done_bytes = serializers.IntegerField(help_text="Of the present phase.")
    total_bytes = serializers.IntegerField()
    bytes_per_second = serializers.FloatField()
    seconds_left = serializers.IntegerField(
        allow_null=True, help_text="Of the present phase."
    )
    phase_seconds = serializers.DictField(child=serializers.FloatField())
    workers_ready = serializers.IntegerField()
    worker_count = serializers.IntegerField()
    is_cancellable = serializers.BooleanField()
    is_resumable = serializers.BooleanField(
        help_text="Asking for the same update goes on from what was downloaded."
    )
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class ReleaseAnswer(serializers.ModelSerializer[DatabaseRelease]):
    """A release this service knows of."""

    is_active = serializers.BooleanField(read_only=True)

    class Meta:
        model = DatabaseRelease
        fields = (
            "version",
            "status",
            "is_active",
            "title",
            "performer_count",
            "face_count",
            "sources",
            "size_bytes",
            "archive_bytes",
            "network_set",
            "created_at",
            "published_at",
            "staged_at",
            "activated_at",
            "retired_at",
            "reason",
        )
        read_only_fields = fields


class ReleasesAnswer(serializers.Serializer[Any]):
    """Every release, the newest first."""

    releases = ReleaseAnswer(many=True)


def check_answer(status: FeedStatus) -> dict[str, Any]:
    """Return the body of UpdateCheckAnswer."""
    latest, active = status.latest, status.active
    archive_bytes = latest.archive_bytes if latest else 0
    return {
        "current_version": active.version if active else None,
        "latest_version": latest.version if latest else None,
        "update_available": status.is_update_available,
        "release_name": (latest.title or None) if latest else None,
        "release_notes": (latest.notes or None) if latest else None,
        "download_url": (latest.archive_url or None) if latest else None,
        "download_size_mb": round(archive_bytes / 1e6) if archive_bytes else None,
        "published_at": latest.published_at if latest else None,
        "checked_at": status.asked_at,
        "next_check_at": status.next_check_at,
        "error": status.error or None,
    }


def status_answer(run: UpdateRun | None, active_version: str | None) -> dict[str, Any]:
    """Return the body of UpdateStatusAnswer; idle where there never was a run."""
    if run is None:
        return status_answer(UpdateRun(phase=""), active_version) | {
            "status": "idle",
            "phase": None,
            "job_id": None,
        }
    phase = Phase(run.phase) if run.phase else None
    error = run.error or ("Cancelled." if phase == Phase.CANCELLED else None)
    return {
        "status": _SPELLINGS.get(phase, phase) if phase else "idle",
        "progress_pct": run.percent,
        "current_version": active_version,
        "target_version": run.version or None,
        # While it goes on, an error is one that is being set right.
        "error": None if run.is_in_progress else error,
        "error_code": run.error_code or None,
        "job_id": run.job_id,
        "phase": phase,
        "kind": run.kind or None,
        "asked_by": run.asked_by or None,
        "done_bytes": run.done_bytes,
        "total_bytes": run.total_bytes,
        "bytes_per_second": round(run.bytes_per_second, 1),
        "seconds_left": run.seconds_left,
        "phase_seconds": run.phase_seconds,
        "workers_ready": run.ready_count,
        "worker_count": run.process_count,
        "is_cancellable": run.is_cancellable,
        "is_resumable": run.is_resumable,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
    }
