"""Answers about what is identified in the background."""

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from recognition.api.gallery_serializers import (
    GalleryPerformerAnswer,
    IdentifyGalleryAnswer,
    gallery_performer_answer,
)
from recognition.api.stash_serializers import (
    IdentifyImageAnswer,
    IdentifySceneAnswer,
    PersonAnswer,
    person_answer,
)
from recognition.galleries import GalleryProgress
from recognition.models import Fingerprint, IdentificationJob
from recognition.numeric.people import Decision
from recognition.scenes import SceneProgress
from recognition.watching import Progress

Kind = Fingerprint.Kind
# Of a gallery's answer and an image's, what lists people.
_LISTS = ("persons", "performers", "uncertain", "unknown", "faces")


@extend_schema_field(
    PolymorphicProxySerializer(
        component_name="JobResult",
        serializers=[IdentifySceneAnswer, IdentifyImageAnswer, IdentifyGalleryAnswer],
        resource_type_field_name=None,
    )
)
class JobResultField(serializers.JSONField):
    """What the route that answers at once would have answered."""


class JobAnswer(serializers.Serializer[Any]):
    """How far an identification is, and what came of it."""

    job_id = serializers.CharField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    stash_id = serializers.CharField()
    scene_id = serializers.CharField(
        allow_null=True, help_text="The same, of a scene; else null."
    )
    state = serializers.ChoiceField(choices=IdentificationJob.State.choices)
    frames_done = serializers.IntegerField(
        help_text="Of a gallery, and of an image: images."
    )
    frames_asked = serializers.IntegerField(help_text="0 until that is known.")
    persons = PersonAnswer(
        many=True, help_text="Of a scene: seen so far; at the end, all."
    )
    performers = GalleryPerformerAnswer(
        many=True, help_text="Of a gallery: seen so far; at the end, all."
    )
    result = JobResultField(allow_null=True)
    error = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


def people_so_far(progress: Progress) -> list[dict[str, Any]] | None:
    """Return what a job keeps of the people seen so far, with crops.

    Of a gallery those with a name. None where the progress tells of no people.
    """
    if isinstance(progress, SceneProgress):
        faces, crops = progress.collected.faces, progress.collected.crop_jpegs
        return [
            person_answer(number, person, faces, crops)
            for number, person in enumerate(progress.people)
        ]
    if isinstance(progress, GalleryProgress):
        faces, crops = progress.collected.faces, progress.collected.crop_jpegs
        return [
            gallery_performer_answer(person, faces, crops)
            for person in progress.people
            if person.seen.decision is Decision.KNOWN
        ]
    return None


def job_answer(job: IdentificationJob, *, with_crops: bool) -> dict[str, Any]:
    """Return the body of JobAnswer."""
    is_scene, is_gallery = job.kind == Kind.SCENE, job.kind == Kind.GALLERY
    told: dict[str, Any] = {
        "persons": job.people if is_scene else [],
        "performers": job.people if is_gallery else [],
    }
    result: dict[str, Any] | None = job.result
    if result is not None:
        told |= {name: result[name] for name in told if name in result}
    if not with_crops:
        told = _without_crops(told)
        result = result and _without_crops(result)
    return {
        "job_id": job.job_id,
        "kind": job.kind,
        "stash_id": job.stash_id,
        "scene_id": job.stash_id if is_scene else None,
        "state": job.state,
        "frames_done": job.frames_done,
        "frames_asked": job.frames_asked,
        **told,
        "result": result,
        "error": job.error or None,
        "code": job.error_code or None,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
    }


def _without_crops(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {
        name: [each | {"crop": None} for each in answer[name]]
        for name in _LISTS
        if name in answer
    }
