"""Requests and answers about what is kept of the library."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from recognition.api.serializers import FiniteFloatField
from recognition.api.stash_serializers import EvidenceAnswer, evidence_answer
from recognition.library_status import KeptFingerprint, LibraryStatus
from recognition.models import (
    Fingerprint,
    FingerprintChange,
    FingerprintPerson,
    LibraryRun,
)
from recognition.numeric.people import Decision

MAX_PAGE_SIZE = 500

# How the API description speaks of a kind in a path.
KIND = OpenApiParameter(
    "kind", str, OpenApiParameter.PATH, enum=Fingerprint.Kind.values
)


class GenerateRequest(serializers.Serializer[Any]):
    """How the scenes of the library are looked at."""

    refresh_outdated = serializers.BooleanField(
        default=True, help_text="Look again at scenes that other networks have seen."
    )
    num_frames = serializers.IntegerField(
        default=None,
        allow_null=True,
        min_value=1,
        max_value=200,
        help_text="Frames of each scene; null as the setting says.",
    )
    min_face_size = serializers.IntegerField(default=40, min_value=20, max_value=200)
    max_distance = FiniteFloatField(default=0.5, min_value=0, max_value=2)


class RematchRequest(serializers.Serializer[Any]):
    """For how long to match."""

    seconds = FiniteFloatField(default=1.0, min_value=0, max_value=10)


class ConfirmQuery(serializers.Serializer[Any]):
    """Whether all of it is meant."""

    confirm = serializers.BooleanField(default=False)


class PageQuery(serializers.Serializer[Any]):
    """Which part of a list."""

    limit = serializers.IntegerField(default=100, min_value=1, max_value=MAX_PAGE_SIZE)
    offset = serializers.IntegerField(default=0, min_value=0, max_value=2**31)


class ChangesQuery(PageQuery):
    """Which part of the changes."""

    version = serializers.CharField(
        default="", max_length=64, help_text="What this release changed, alone."
    )


# FastAPI took a bare array, and so do we.
SceneIds = serializers.ListField(
    child=serializers.IntegerField(min_value=1, max_value=10**18 - 1),
    max_length=100_000,
)


class EnqueueRequest(serializers.Serializer[Any]):
    """Scenes that are new, or have changed."""

    scene_ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=10**18 - 1),
        max_length=10_000,
    )


class EnqueuedAnswer(serializers.Serializer[Any]):
    waiting_scenes = serializers.IntegerField(
        help_text="All that are enqueued by now and not identified."
    )


class ProgressAnswer(serializers.Serializer[Any]):
    """How far the identification of the library is."""

    status = serializers.CharField(
        help_text="idle, queued, running, complete, failed or cancelled."
    )
    total_scenes = serializers.IntegerField()
    processed_scenes = serializers.IntegerField()
    successful = serializers.IntegerField()
    failed = serializers.IntegerField()
    skipped = serializers.IntegerField()
    progress_pct = serializers.IntegerField()
    current_scene_id = serializers.IntegerField(allow_null=True)
    current_scene_title = serializers.CharField(allow_null=True)
    error_message = serializers.CharField(allow_null=True)
    message = serializers.CharField(
        allow_null=True, help_text="What it waits for, or how it went."
    )


class StatusAnswer(serializers.Serializer[Any]):
    """What is kept."""

    total_fingerprints = serializers.IntegerField()
    complete_fingerprints = serializers.IntegerField()
    pending_fingerprints = serializers.IntegerField()
    error_fingerprints = serializers.IntegerField()
    parked_fingerprints = serializers.IntegerField()
    current_db_version = serializers.CharField(allow_null=True)
    current_version_count = serializers.IntegerField()
    needs_refresh_count = serializers.IntegerField()
    enqueued_scenes = serializers.IntegerField(
        help_text="Told of by hooks, and to be identified soon."
    )
    generation_running = serializers.BooleanField()
    generation_progress = ProgressAnswer(allow_null=True)


class StartedAnswer(serializers.Serializer[Any]):
    job_id = serializers.IntegerField()
    message = serializers.CharField()


class MessageAnswer(serializers.Serializer[Any]):
    message = serializers.CharField()


class MarkedAnswer(serializers.Serializer[Any]):
    marked_for_refresh = serializers.IntegerField()
    scene_ids = serializers.ListField(child=serializers.IntegerField())


class AllMarkedAnswer(serializers.Serializer[Any]):
    marked_for_refresh = serializers.IntegerField()
    message = serializers.CharField()


class RematchAnswer(serializers.Serializer[Any]):
    """What came of it; `left` are still of another release."""

    version = serializers.CharField()
    matched = serializers.IntegerField()
    changed = serializers.IntegerField()
    left = serializers.IntegerField()


class ChangeAnswer(serializers.Serializer[Any]):
    """Whom another release saw that the one before did not."""

    kind = serializers.CharField()
    stash_id = serializers.CharField()
    from_version = serializers.CharField()
    to_version = serializers.CharField()
    gained = serializers.ListField(child=serializers.CharField())
    lost = serializers.ListField(child=serializers.CharField())
    changed_at = serializers.DateTimeField()


class ChangesAnswer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    changes = ChangeAnswer(many=True)


class ParkedAnswer(serializers.Serializer[Any]):
    """What failed so often that it is left alone."""

    kind = serializers.CharField()
    stash_id = serializers.CharField()
    attempts = serializers.IntegerField()
    reason = serializers.CharField()
    attempted_at = serializers.DateTimeField(allow_null=True)


class ParkedListAnswer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    parked = ParkedAnswer(many=True)


class KeptCandidateAnswer(serializers.Serializer[Any]):
    """A performer proposed for a person, as the release of that time had them."""

    universal_id = serializers.CharField()
    name = serializers.CharField()
    distance = serializers.FloatField(allow_null=True)
    facenet_distance = serializers.FloatField(allow_null=True)
    arcface_distance = serializers.FloatField(allow_null=True)
    confidence = serializers.FloatField()
    frame_count = serializers.IntegerField()
    score = serializers.FloatField(allow_null=True, required=False)
    margin = serializers.FloatField(allow_null=True, required=False)


class KeptPersonAnswer(serializers.Serializer[Any]):
    """Somebody seen, who it may be, and where."""

    person_id = serializers.IntegerField()
    frame_count = serializers.IntegerField()
    decision = serializers.ChoiceField(
        choices=[(each.value, each.value) for each in Decision]
    )
    best_match = KeptCandidateAnswer(allow_null=True)
    all_matches = KeptCandidateAnswer(many=True)
    faces = EvidenceAnswer(many=True)


class FingerprintAnswer(serializers.Serializer[Any]):
    """What is kept of a scene, an image or a gallery."""

    kind = serializers.CharField()
    stash_id = serializers.CharField()
    state = serializers.ChoiceField(choices=Fingerprint.State.choices)
    database_version = serializers.CharField()
    network_set = serializers.CharField()
    source = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    duration = serializers.FloatField(allow_null=True)
    frames_requested = serializers.IntegerField()
    frames_analyzed = serializers.IntegerField()
    face_count = serializers.IntegerField()
    image_ids = serializers.ListField(
        child=serializers.CharField(),
        help_text="Of a gallery: its images; a face's frame is a position among them.",
    )
    seen_at = serializers.DateTimeField(allow_null=True)
    matched_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField(allow_null=True)
    persons = KeptPersonAnswer(many=True)


def progress_answer(run: LibraryRun | None) -> dict[str, Any]:
    """Return the body of ProgressAnswer; without a run it is idle."""
    run = run or LibraryRun(state="idle")
    return {
        "status": run.state,
        "total_scenes": run.total_count,
        "processed_scenes": run.done_count,
        "successful": run.succeeded_count,
        "failed": run.failed_count,
        "skipped": run.skipped_count,
        "progress_pct": run.percent if run.pk else 0,
        "current_scene_id": run.current_scene_id if run.is_in_progress else None,
        "current_scene_title": (
            run.current_scene_title or None if run.is_in_progress else None
        ),
        "error_message": run.error or None,
        "message": message_of(run),
    }


def status_answer(status: LibraryStatus) -> dict[str, Any]:
    """Return the body of StatusAnswer."""
    return {
        "total_fingerprints": status.total_count,
        "complete_fingerprints": status.complete_count,
        "pending_fingerprints": status.pending_count,
        "error_fingerprints": status.failed_count,
        "parked_fingerprints": status.parked_count,
        "current_db_version": status.version,
        "current_version_count": status.current_count,
        "needs_refresh_count": status.outdated_count,
        "enqueued_scenes": status.enqueued_count,
        "generation_running": status.run is not None,
        "generation_progress": progress_answer(status.run) if status.run else None,
    }


def change_answer(change: FingerprintChange) -> dict[str, Any]:
    """Return the body of ChangeAnswer."""
    return {
        "kind": change.fingerprint.kind,
        "stash_id": str(change.fingerprint.stash_id),
        "from_version": change.from_version,
        "to_version": change.to_version,
        "gained": change.gained,
        "lost": change.lost,
        "changed_at": change.changed_at,
    }


def parked_answer(fingerprint: Fingerprint) -> dict[str, Any]:
    """Return the body of ParkedAnswer."""
    return {
        "kind": fingerprint.kind,
        "stash_id": str(fingerprint.stash_id),
        "attempts": fingerprint.attempt_count,
        "reason": fingerprint.error,
        "attempted_at": fingerprint.attempted_at,
    }


def fingerprint_answer(kept: KeptFingerprint) -> dict[str, Any]:
    """Return the body of FingerprintAnswer."""
    fingerprint = kept.fingerprint
    return {
        "kind": fingerprint.kind,
        "stash_id": str(fingerprint.stash_id),
        "state": fingerprint.state,
        "database_version": fingerprint.release_version,
        "network_set": fingerprint.network_set,
        "source": fingerprint.source or None,
        "duration": fingerprint.duration_seconds,
        "frames_requested": fingerprint.frames_requested,
        "frames_analyzed": fingerprint.frames_analyzed,
        "face_count": fingerprint.face_count,
        "image_ids": [str(image_id) for image_id in fingerprint.image_ids],
        "seen_at": fingerprint.seen_at,
        "matched_at": fingerprint.matched_at,
        "error": fingerprint.error or None,
        "persons": [_person(person, kept) for person in kept.people],
    }


def _person(person: FingerprintPerson, kept: KeptFingerprint) -> dict[str, Any]:
    candidates: list[dict[str, Any]] = person.candidates
    return {
        "person_id": person.number,
        "frame_count": person.frame_count,
        "decision": person.decision,
        "best_match": candidates[0] if person.universal_id else None,
        "all_matches": candidates,
        "faces": [evidence_answer(kept.faces[place]) for place in person.faces],
    }


def message_of(run: LibraryRun) -> str | None:
    if run.waiting_for:
        return f"Waiting: {run.waiting_for}"
    if run.state == LibraryRun.State.COMPLETE:
        return (
            f"{run.succeeded_count} identified, {run.failed_count} failed, "
            f"{run.skipped_count} were known or parked."
        )
    if run.is_second_pass and run.is_in_progress:
        return "Trying again what failed."
    return None
