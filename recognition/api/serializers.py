"""Requests and answers of recognition, with the predecessor's names."""

import math
from typing import Any

from rest_framework import serializers

from recognition.local_performers import LocalMatch, LocalPerformers
from recognition.numeric.fusion import Candidate
from recognition.numeric.people import PersonCandidate
from recognition.runtime.local_overlay import local_stash_id
from recognition.runtime.recognizer import RecognizedFace
from recognition.services import IdentifiedImage

DEFAULT_TOP_K = 5
DEFAULT_MAX_DISTANCE = 0.6
DEFAULT_MIN_FACE_CONFIDENCE = 0.5


class FiniteFloatField(serializers.FloatField):
    """A number within bounds; DRF's own lets `nan` pass both of them."""

    def to_internal_value(self, data: Any) -> float:
        value = super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("invalid")
        return value


class Base64Field(serializers.CharField):
    """Text that is decoded next, which refuses whatever is not base64.

    DRF's own validators look at each character in Python and hold every other request
    up meanwhile: 1.8 s for the largest body.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.validators = []


class MatchingOptions(serializers.Serializer[Any]):
    """How many performers a face may be given, and how near they must be."""

    top_k = serializers.IntegerField(
        default=DEFAULT_TOP_K,
        min_value=1,
        max_value=20,
        help_text="Most performers returned for each face.",
    )
    max_distance = FiniteFloatField(
        default=DEFAULT_MAX_DISTANCE,
        min_value=0,
        max_value=2,
        help_text="Cosine distance beyond which a performer is no match.",
    )


class SignalOptions(serializers.Serializer[Any]):
    """What beside the face may speak for a performer, where it can be read."""

    use_multi_signal = serializers.BooleanField(
        default=True, help_text="False: faces alone."
    )
    use_body = serializers.BooleanField(default=True)
    use_tattoo = serializers.BooleanField(default=True)


class IdentifyRequest(MatchingOptions, SignalOptions):
    """A picture, by content or by address, and how to match its faces."""

    image_url = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="http(s) address of the picture; wins over image_base64.",
    )
    image_base64 = Base64Field(
        required=False,
        allow_null=True,
        allow_blank=True,
        trim_whitespace=False,
        help_text="The picture in base64, with or without a data: prefix.",
    )
    min_face_confidence = FiniteFloatField(
        default=DEFAULT_MIN_FACE_CONFIDENCE,
        min_value=0,
        max_value=1,
        help_text="Detection confidence below which a face is left out.",
    )


class IdentifyUploadRequest(IdentifyRequest):
    """The same as a form, with the picture as a file."""

    image = serializers.FileField(required=False, allow_empty_file=True)


class IdentifyUrlQuery(MatchingOptions):
    """The same as query parameters, for a picture by address."""

    url = serializers.CharField(help_text="http(s) address of the picture.")


class FaceBoxAnswer(serializers.Serializer[Any]):
    """A face's box in pixels of the displayed picture, clipped to it."""

    x = serializers.IntegerField()
    y = serializers.IntegerField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    confidence = serializers.FloatField(help_text="Of the detection, 0 to 1.")


class PerformerMatchAnswer(serializers.Serializer[Any]):
    """A performer near enough to a face."""

    stashdb_id = serializers.CharField(
        help_text="Id at the stash-box of `endpoint`; of a local performer, in Stash."
    )
    universal_id = serializers.CharField(
        help_text="`endpoint:stashdb_id`; of a local performer, `local:stashdb_id`."
    )
    local_performer_id = serializers.CharField(
        allow_null=True, help_text="Id in this Stash; null when not looked up."
    )
    name = serializers.CharField()
    confidence = serializers.FloatField(
        help_text="In mode template the probability of being right, else 1 - distance,"
        " clipped to 0…1."
    )
    distance = serializers.FloatField(
        allow_null=True,
        help_text="Fused cosine distance; null where the owner named somebody afar.",
    )
    facenet_distance = serializers.FloatField(allow_null=True)
    arcface_distance = serializers.FloatField(allow_null=True)
    score = serializers.FloatField(
        allow_null=True,
        help_text="What calibration turned into confidence; null in older modes.",
    )
    margin = serializers.FloatField(
        allow_null=True, help_text="By how much the score leads the next performer's."
    )
    country = serializers.CharField(allow_null=True)
    image_url = serializers.CharField(allow_null=True)
    endpoint = serializers.CharField(
        allow_null=True, help_text="The stash-box; null for a local performer."
    )
    already_tagged = serializers.BooleanField()


class FaceAnswer(serializers.Serializer[Any]):
    """A detected face and who it may show, nearest first."""

    box = FaceBoxAnswer()
    matches = PerformerMatchAnswer(many=True)


class IdentifyAnswer(serializers.Serializer[Any]):
    """Who is in a picture."""

    faces = FaceAnswer(many=True)
    face_count = serializers.IntegerField()
    image_width = serializers.IntegerField(help_text="Of the displayed picture.")
    image_height = serializers.IntegerField()
    database_version = serializers.CharField()


class DatabaseInfoAnswer(serializers.Serializer[Any]):
    """The release that is active."""

    version = serializers.CharField()
    performer_count = serializers.IntegerField()
    face_count = serializers.IntegerField()
    sources = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField(allow_null=True)
    tattoo_embedding_count = serializers.IntegerField(allow_null=True)
    network_set = serializers.CharField(allow_null=True)


def identify_answer(identified: IdentifiedImage) -> dict[str, Any]:
    """Return the body of IdentifyAnswer."""
    return {
        "faces": [_face_answer(face, identified.local) for face in identified.faces],
        "face_count": len(identified.faces),
        "image_width": identified.width,
        "image_height": identified.height,
        "database_version": identified.release_version,
    }


def _face_answer(recognized: RecognizedFace, local: LocalPerformers) -> dict[str, Any]:
    box = recognized.face.box
    return {
        "box": {
            "x": box.x,
            "y": box.y,
            "width": box.width,
            "height": box.height,
            "confidence": recognized.face.confidence,
        },
        "matches": [
            match_answer(match) for match in local.localized(recognized.matches)
        ],
    }


def match_answer(local: LocalMatch) -> dict[str, Any]:
    """Return the body of PerformerMatchAnswer."""
    performer, candidate = local.match.performer, local.match.candidate
    endpoint, _, stashdb_id = performer.universal_id.rpartition(":")
    if local_stash_id(performer.universal_id):
        # There is no stash-box that knows them.
        endpoint = ""
    return {
        "stashdb_id": stashdb_id,
        "universal_id": performer.universal_id,
        "local_performer_id": local.local_performer_id,
        "name": performer.name,
        "confidence": candidate.confidence,
        "distance": candidate.distance,
        "facenet_distance": candidate.facenet_distance,
        "arcface_distance": candidate.arcface_distance,
        **_numbers_behind(candidate),
        "country": performer.country,
        "image_url": performer.image_url,
        "endpoint": endpoint or None,
        "already_tagged": local.is_tagged,
    }


def _numbers_behind(candidate: Candidate | PersonCandidate) -> dict[str, float | None]:
    if isinstance(candidate, PersonCandidate):
        return {"score": candidate.score, "margin": candidate.margin}
    return {"score": None, "margin": None}
