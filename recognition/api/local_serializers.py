"""Requests and answers about performers of the library that no release knows."""

from typing import Any

from rest_framework import serializers

from recognition.local_learning import LearntPerformer
from recognition.local_status import LocalStatus
from recognition.models import LibraryRun, LocalPerformer
from recognition.runtime.local_overlay import local_universal_id


class LocalRunAnswer(serializers.Serializer[Any]):
    """How far the learning of local performers is, or how it went."""

    status = serializers.ChoiceField(choices=LibraryRun.State.choices)
    total = serializers.IntegerField(help_text="Performers of Stash.")
    done = serializers.IntegerField()
    learnt = serializers.IntegerField(help_text="Whose pictures were looked at.")
    failed = serializers.IntegerField()
    unchanged = serializers.IntegerField(
        help_text="As they were, known to the release, or without pictures."
    )
    progress_pct = serializers.IntegerField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    message = serializers.CharField(
        allow_null=True, help_text="What it waits for, or why it failed."
    )


class LocalStatusAnswer(serializers.Serializer[Any]):
    """Which performers of the library are learnt."""

    enabled = serializers.BooleanField(
        help_text="The setting local_performers_enabled."
    )
    performers = serializers.IntegerField()
    performers_learnt = serializers.IntegerField()
    performers_left_out = serializers.IntegerField()
    faces = serializers.IntegerField(help_text="That are compared.")
    faces_of_other_networks = serializers.IntegerField(
        help_text="Of networks that the active release does not go with."
    )
    last_sync = LocalRunAnswer(allow_null=True)


class LocalPerformerAnswer(serializers.Serializer[Any]):
    """A performer of the library."""

    local_performer_id = serializers.CharField()
    universal_id = serializers.CharField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=LocalPerformer.State.choices)
    face_count = serializers.IntegerField()
    synced_at = serializers.DateTimeField(allow_null=True)


class LocalPerformersAnswer(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    performers = LocalPerformerAnswer(many=True)


class LearntAnswer(serializers.Serializer[Any]):
    """What a performer's pictures gave."""

    local_performer_id = serializers.CharField()
    name = serializers.CharField()
    face_count = serializers.IntegerField(help_text="Faces kept of the pictures.")
    passed_over = serializers.ListField(
        child=serializers.CharField(), help_text="Other pictures, and why not."
    )


def status_answer(status: LocalStatus) -> dict[str, Any]:
    """Return the body of LocalStatusAnswer."""
    return {
        "enabled": status.is_enabled,
        "performers": status.performer_count,
        "performers_learnt": status.learnt_count,
        "performers_left_out": status.left_out_count,
        "faces": status.face_count,
        "faces_of_other_networks": status.dormant_face_count,
        "last_sync": status.last_run and _run_answer(status.last_run),
    }


def _run_answer(run: LibraryRun) -> dict[str, Any]:
    return {
        "status": run.state,
        "total": run.total_count,
        "done": run.done_count,
        "learnt": run.succeeded_count,
        "failed": run.failed_count,
        "unchanged": run.skipped_count,
        "progress_pct": run.percent,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "message": run.error or run.waiting_for or None,
    }


def performer_answer(performer: Any) -> dict[str, Any]:
    """Return the body of LocalPerformerAnswer; `performer` has its `face_count`."""
    return {
        "local_performer_id": str(performer.stash_id),
        "universal_id": local_universal_id(performer.stash_id),
        "name": performer.name,
        "state": performer.state,
        "face_count": performer.face_count,
        "synced_at": performer.synced_at,
    }


def learnt_answer(learnt: LearntPerformer) -> dict[str, Any]:
    """Return the body of LearntAnswer."""
    return {
        "local_performer_id": str(learnt.stash_id),
        "name": learnt.name,
        "face_count": learnt.face_count,
        "passed_over": learnt.passed_over,
    }
