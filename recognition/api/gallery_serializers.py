"""Requests and answers about galleries of Stash."""

from typing import Any

from rest_framework import serializers

from recognition.api.serializers import (
    DEFAULT_MIN_FACE_CONFIDENCE,
    FiniteFloatField,
    MatchingOptions,
    PerformerMatchAnswer,
    match_answer,
)
from recognition.api.stash_serializers import (
    PERSON_ID_HELP,
    CropOption,
    MatchingModeField,
    StashIdField,
    best_crop,
)
from recognition.galleries import IdentifiedGallery, IdentifiedGalleryPerson
from recognition.numeric.people import Decision, SeenFace

MAX_TOLD_ERRORS = 10
# What an answer about a performer has of the likeliest match, by the same name.
_OF_MATCH = (
    "universal_id",
    "local_performer_id",
    "name",
    "confidence",
    "country",
    "image_url",
    "endpoint",
    "already_tagged",
)


class IdentifyGalleryRequest(MatchingOptions, CropOption):
    """A gallery of Stash and how to match its faces."""

    gallery_id = StashIdField()
    matching_mode = MatchingModeField()
    min_face_confidence = FiniteFloatField(
        default=DEFAULT_MIN_FACE_CONFIDENCE, min_value=0, max_value=1
    )


class GalleryPersonAnswer(serializers.Serializer[Any]):
    """Somebody seen in a gallery, and in which images."""

    person_id = serializers.IntegerField(help_text=PERSON_ID_HELP)
    image_count = serializers.IntegerField()
    image_ids = serializers.ListField(child=serializers.CharField())
    crop = serializers.CharField(
        allow_null=True, help_text="The best face as a data: address, if asked for."
    )


class GalleryPerformerAnswer(GalleryPersonAnswer):
    """A performer seen in a gallery."""

    performer_id = serializers.CharField(help_text="Id at the stash-box.")
    universal_id = serializers.CharField()
    local_performer_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    best_distance = serializers.FloatField(allow_null=True)
    avg_distance = serializers.FloatField(allow_null=True)
    confidence = serializers.FloatField()
    country = serializers.CharField(allow_null=True)
    image_url = serializers.CharField(allow_null=True)
    endpoint = serializers.CharField(allow_null=True)
    already_tagged = serializers.BooleanField()
    candidates = PerformerMatchAnswer(
        many=True, help_text="Who else they may be; themselves first."
    )


class IdentifyGalleryAnswer(serializers.Serializer[Any]):
    """Who is in a gallery."""

    gallery_id = serializers.CharField()
    total_images = serializers.IntegerField()
    images_processed = serializers.IntegerField()
    faces_detected = serializers.IntegerField()
    performers = GalleryPerformerAnswer(many=True)
    uncertain = GalleryPerformerAnswer(
        many=True, help_text="People without a name, and who is likeliest."
    )
    unknown = GalleryPersonAnswer(
        many=True, help_text="People whom nobody of the release resembles."
    )
    unknown_count = serializers.IntegerField(help_text="How many these are.")
    errors = serializers.ListField(  # type: ignore[assignment]
        child=serializers.CharField()
    )
    fingerprint_saved = serializers.BooleanField()
    fingerprint_error = serializers.CharField(allow_null=True)
    database_version = serializers.CharField()


def gallery_answer(
    identified: IdentifiedGallery, *, with_crops: bool
) -> dict[str, Any]:
    """Return the body of IdentifyGalleryAnswer."""
    faces = identified.collected.faces
    crops = identified.collected.crop_jpegs if with_crops else None
    unknown = identified.people_who_are(Decision.UNKNOWN)
    return {
        "gallery_id": str(identified.gallery_id),
        "total_images": len(identified.image_ids),
        "images_processed": identified.images_processed,
        "faces_detected": identified.faces_detected,
        "performers": [
            gallery_performer_answer(each, faces, crops)
            for each in identified.people_who_are(Decision.KNOWN)
        ],
        "uncertain": [
            gallery_performer_answer(each, faces, crops)
            for each in identified.people_who_are(Decision.UNCERTAIN)
        ],
        "unknown": [_person(each, faces, crops) for each in unknown],
        "unknown_count": len(unknown),
        "errors": identified.errors[:MAX_TOLD_ERRORS],
        "fingerprint_saved": not identified.fingerprint_error,
        "fingerprint_error": identified.fingerprint_error or None,
        "database_version": identified.release_version,
    }


def gallery_performer_answer(
    person: IdentifiedGalleryPerson,
    faces: list[SeenFace],
    crops: list[bytes] | None,
) -> dict[str, Any]:
    """Return the body of GalleryPerformerAnswer, of somebody with candidates."""
    candidates = [match_answer(match) for match in person.matches]
    likeliest = candidates[0]
    return {
        **_person(person, faces, crops),
        "performer_id": likeliest["stashdb_id"],
        **{name: likeliest[name] for name in _OF_MATCH},
        "best_distance": person.seen.candidates[0].nearest_distance,
        "avg_distance": likeliest["distance"],
        "candidates": candidates,
    }


def _person(
    person: IdentifiedGalleryPerson,
    faces: list[SeenFace],
    crops: list[bytes] | None,
) -> dict[str, Any]:
    return {
        "person_id": person.number,
        "image_count": len(person.image_ids),
        "image_ids": [str(image_id) for image_id in person.image_ids],
        "crop": best_crop(person.seen.faces, faces, crops),
    }
