"""Answers about scenes that are identified in the background."""

from typing import Any

from rest_framework import serializers

from recognition.api.stash_serializers import (
    IdentifySceneAnswer,
    PersonAnswer,
    person_answer,
    scene_answer,
)
from recognition.models import IdentificationJob
from recognition.scenes import IdentifiedScene, SceneProgress


class JobAnswer(serializers.Serializer[Any]):
    """How far the identification of a scene is, and what came of it."""

    job_id = serializers.CharField()
    scene_id = serializers.CharField()
    state = serializers.ChoiceField(choices=IdentificationJob.State.choices)
    frames_done = serializers.IntegerField()
    frames_asked = serializers.IntegerField(help_text="0 until that is known.")
    persons = PersonAnswer(many=True, help_text="Seen so far; at the end, all.")
    result = IdentifySceneAnswer(allow_null=True)
    error = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


def result_of(identified: IdentifiedScene) -> dict[str, Any]:
    """Return what a job keeps of a scene: its answer, with crops."""
    return scene_answer(identified, with_crops=True)


def people_so_far(progress: SceneProgress) -> list[dict[str, Any]]:
    """Return what a job keeps of the people seen so far, with crops."""
    assert progress.people is not None
    assert progress.collected is not None
    return [
        person_answer(
            number, person, progress.collected.faces, progress.collected.crop_jpegs
        )
        for number, person in enumerate(progress.people)
    ]


def job_answer(job: IdentificationJob, *, with_crops: bool) -> dict[str, Any]:
    """Return the body of JobAnswer."""
    result, people = job.result, job.people
    if result is not None:
        people = result["persons"]
    if not with_crops:
        people = [person | {"crop": None} for person in people]
    if result is not None:
        result = result | {"persons": people}
    return {
        "job_id": job.job_id,
        "scene_id": job.scene_id,
        "state": job.state,
        "frames_done": job.frames_done,
        "frames_asked": job.frames_asked,
        "persons": people,
        "result": result,
        "error": job.error or None,
        "code": job.error_code or None,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
    }
