"""Requests and answers about scenes and images of Stash."""

import base64
from typing import Any

from rest_framework import serializers

from recognition.api.serializers import (
    DEFAULT_MIN_FACE_CONFIDENCE,
    FaceAnswer,
    FaceBoxAnswer,
    FiniteFloatField,
    MatchingOptions,
    PerformerMatchAnswer,
    SignalOptions,
    match_answer,
)
from recognition.numeric.people import COVER_FRAME, Decision, MatchingMode, SeenFace
from recognition.scene_frames import FrameSource
from recognition.scenes import (
    IdentifiedPerson,
    IdentifiedScene,
    SceneOptions,
)
from recognition.stash_images import IdentifiedStashImage

DEFAULT_MODE = MatchingMode.TEMPLATE
MAX_TOLD_SCENE_ERRORS = 5
PERSON_ID_HELP = (
    "Their number in what is kept, as corrections want it, if fingerprint_saved."
)


class StashIdField(serializers.CharField):
    """The id of something in Stash: a number, sent as text or as a number."""

    default_error_messages = {"not_a_number": "An id is a number."}  # noqa: RUF012

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=18, **options)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not (text.isascii() and text.isdecimal()):
            self.fail("not_a_number")
        return text


class CropOption(serializers.Serializer[Any]):
    """Whether pictures of the faces are wanted."""

    include_crops = serializers.BooleanField(
        default=False, help_text="Send the best face of each as a small JPEG, too."
    )


class MatchingModeField(serializers.ChoiceField):
    """How faces become names."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            choices=[(each.value, each.value) for each in MatchingMode],
            default=DEFAULT_MODE.value,
            help_text="template judges each person as a whole; the others judge each "
            "face alone, as the predecessor did.",
            **options,
        )


class IdentifySceneRequest(SignalOptions, CropOption):
    """A scene and how to look at it."""

    scene_id = StashIdField()
    stash_url = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="Deprecated and ignored: the service asks its own Stash alone.",
    )
    api_key = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="Deprecated and ignored: the service asks its own Stash alone.",
    )
    num_frames = serializers.IntegerField(
        default=None,
        allow_null=True,
        min_value=1,
        max_value=200,
        help_text="Frames to look at; null as the setting says.",
    )
    start_offset_pct = FiniteFloatField(default=0.05, min_value=0, max_value=0.5)
    end_offset_pct = FiniteFloatField(default=0.95, min_value=0.5, max_value=1)
    source = serializers.ChoiceField(  # type: ignore[assignment]
        choices=[(each.value, each.value) for each in FrameSource],
        default=FrameSource.AUTO.value,
        help_text="The video, Stash's sprites, or sprites if the video cannot be read.",
    )
    min_face_size = serializers.IntegerField(
        default=40, min_value=20, max_value=200, help_text="In pixels, each way."
    )
    min_face_confidence = FiniteFloatField(
        default=DEFAULT_MIN_FACE_CONFIDENCE, min_value=0.1, max_value=1
    )
    top_k = serializers.IntegerField(default=3, min_value=1, max_value=10)
    max_distance = FiniteFloatField(default=0.5, min_value=0, max_value=2)
    cluster_threshold = FiniteFloatField(
        default=None,
        allow_null=True,
        min_value=0.2,
        max_value=3,
        help_text="Distance from a person's mean beyond which a face is not theirs; "
        "null as suits the mode (0.6, template 0.65).",
    )
    matching_mode = MatchingModeField()
    scene_performer_stashdb_ids = serializers.ListField(
        child=serializers.CharField(max_length=100),
        default=list,
        max_length=200,
        help_text="Ids that count as tagged, beside those Stash tells of the scene.",
    )


class IdentifyImageRequest(MatchingOptions, SignalOptions, CropOption):
    """An image of Stash and how to match its faces."""

    image_id = StashIdField()
    matching_mode = MatchingModeField()
    min_face_confidence = FiniteFloatField(
        default=DEFAULT_MIN_FACE_CONFIDENCE, min_value=0, max_value=1
    )


class EvidenceAnswer(serializers.Serializer[Any]):
    """A face that was taken for a person."""

    frame = serializers.IntegerField(help_text="Of the scene; -1 is its cover.")
    timestamp = serializers.FloatField(
        allow_null=True, help_text="Seconds from the start; null for the cover."
    )
    box = FaceBoxAnswer()
    quality = serializers.FloatField(help_text="0 to 1.")


class PersonAnswer(serializers.Serializer[Any]):
    """Somebody seen in a scene, who it may be, and where."""

    person_id = serializers.IntegerField(help_text=PERSON_ID_HELP)
    frame_count = serializers.IntegerField()
    decision = serializers.ChoiceField(
        choices=[(each.value, each.value) for each in Decision],
        help_text="Only who is known has a best match.",
    )
    best_match = PerformerMatchAnswer(allow_null=True)
    all_matches = PerformerMatchAnswer(many=True)
    signals_used = serializers.ListField(child=serializers.CharField())
    tattoos_detected = serializers.IntegerField()
    faces = EvidenceAnswer(many=True)
    crop = serializers.CharField(
        allow_null=True, help_text="The best face as a data: address, if asked for."
    )


class TimingAnswer(serializers.Serializer[Any]):
    """Milliseconds; what goes on side by side is counted in each."""

    total_ms = serializers.FloatField()
    extraction_ms = serializers.FloatField()
    face_loop_ms = serializers.FloatField()
    detection_ms = serializers.FloatField()
    embedding_ms = serializers.FloatField()
    recognition_ms = serializers.FloatField()
    matching_ms = serializers.FloatField()


class IdentifySceneAnswer(serializers.Serializer[Any]):
    """Who is in a scene."""

    scene_id = serializers.CharField()
    frames_analyzed = serializers.IntegerField()
    frames_requested = serializers.IntegerField()
    faces_detected = serializers.IntegerField(help_text="Without the cover's.")
    faces_after_filter = serializers.IntegerField(help_text="Without the cover's.")
    persons = PersonAnswer(many=True)
    errors = serializers.ListField(  # type: ignore[assignment]
        child=serializers.CharField()
    )
    fingerprint_saved = serializers.BooleanField()
    fingerprint_error = serializers.CharField(allow_null=True)
    timing = TimingAnswer()
    multi_signal_used = serializers.BooleanField()
    source = serializers.CharField(  # type: ignore[assignment]
        help_text="stream or sprites."
    )
    duration = serializers.FloatField(help_text="Seconds, as Stash has it.")
    database_version = serializers.CharField()


class StashFaceAnswer(FaceAnswer):
    """A detected face and who it shows, likeliest first; matches of the known alone."""

    person_id = serializers.IntegerField(help_text=PERSON_ID_HELP)
    decision = serializers.ChoiceField(
        choices=[(each.value, each.value) for each in Decision]
    )
    candidates = PerformerMatchAnswer(
        many=True, help_text="Who may be proposed, also for a face without a match."
    )
    crop = serializers.CharField(allow_null=True)


class IdentifyImageAnswer(serializers.Serializer[Any]):
    """Who is in an image of Stash."""

    faces = StashFaceAnswer(many=True)
    face_count = serializers.IntegerField()
    image_width = serializers.IntegerField(help_text="Of the displayed picture.")
    image_height = serializers.IntegerField()
    fingerprint_saved = serializers.BooleanField()
    fingerprint_error = serializers.CharField(allow_null=True)
    database_version = serializers.CharField()


def scene_options(request: dict[str, Any]) -> SceneOptions:
    """Return the options of a validated IdentifySceneRequest."""
    is_multi = request["use_multi_signal"]
    return SceneOptions(
        num_frames=request["num_frames"],
        start=request["start_offset_pct"],
        end=request["end_offset_pct"],
        source=FrameSource(request["source"]),
        min_face_size_px=request["min_face_size"],
        min_face_confidence=request["min_face_confidence"],
        top_k=request["top_k"],
        max_distance=request["max_distance"],
        cluster_threshold=request["cluster_threshold"],
        mode=MatchingMode(request["matching_mode"]),
        tagged_bare_ids=frozenset(request["scene_performer_stashdb_ids"]),
        use_body=is_multi and request["use_body"],
        use_tattoo=is_multi and request["use_tattoo"],
    )


def scene_answer(identified: IdentifiedScene, *, with_crops: bool) -> dict[str, Any]:
    """Return the body of IdentifySceneAnswer."""
    faces, crops = identified.collected.faces, identified.collected.crop_jpegs
    seconds = identified.timing.seconds
    detect, embed = seconds.get("detect", 0.0), seconds.get("embed", 0.0)
    align, match = seconds.get("align", 0.0), seconds.get("match", 0.0)
    return {
        "scene_id": str(identified.scene_id),
        "frames_analyzed": identified.frames_analyzed,
        "frames_requested": identified.frames_requested,
        "faces_detected": identified.faces_detected,
        "faces_after_filter": identified.faces_kept,
        "persons": [
            person_answer(number, person, faces, crops if with_crops else None)
            for number, person in enumerate(identified.people)
        ],
        "errors": identified.errors[:MAX_TOLD_SCENE_ERRORS],
        "fingerprint_saved": identified.fingerprint_saved,
        "fingerprint_error": identified.fingerprint_error or None,
        "timing": {
            "total_ms": _ms(identified.total_seconds),
            "extraction_ms": _ms(seconds.get("extract", 0.0)),
            "face_loop_ms": _ms(detect + align + embed),
            "detection_ms": _ms(detect),
            "embedding_ms": _ms(embed),
            "recognition_ms": _ms(match),
            "matching_ms": _ms(match),
        },
        "multi_signal_used": identified.multi_signal_used,
        "source": identified.source.value,
        "duration": identified.duration_seconds,
        "database_version": identified.release_version,
    }


def person_answer(
    number: int,
    identified: IdentifiedPerson,
    faces: list[SeenFace],
    crops: list[bytes] | None,
) -> dict[str, Any]:
    """Return the body of PersonAnswer; `faces` are those the person refers to."""
    person = identified.person
    matches = [match_answer(match) for match in identified.matches]
    return {
        "person_id": number,
        "frame_count": person.frame_count,
        "decision": person.decision.value,
        "best_match": matches[0] if person.named else None,
        "all_matches": matches,
        "signals_used": identified.signals_used,
        "tattoos_detected": identified.tattoos_detected,
        "faces": [evidence_answer(faces[position]) for position in person.faces],
        "crop": best_crop(person.faces, faces, crops),
    }


def image_answer(
    identified: IdentifiedStashImage, *, with_crops: bool
) -> dict[str, Any]:
    """Return the body of IdentifyImageAnswer."""
    return {
        "faces": [
            {
                "person_id": number,
                "box": _box(each.face),
                "decision": each.decision.value,
                "matches": found if each.decision is Decision.KNOWN else [],
                "candidates": found,
                "crop": _data_address(each.crop_jpeg) if with_crops else None,
            }
            for number, each in enumerate(identified.faces)
            for found in [[match_answer(match) for match in each.matches]]
        ],
        "face_count": len(identified.faces),
        "image_width": identified.width,
        "image_height": identified.height,
        "fingerprint_saved": not identified.fingerprint_error,
        "fingerprint_error": identified.fingerprint_error or None,
        "database_version": identified.release_version,
    }


def evidence_answer(face: SeenFace) -> dict[str, Any]:
    """Return the body of EvidenceAnswer."""
    return {
        "frame": face.frame,
        "timestamp": None if face.frame == COVER_FRAME else face.seconds,
        "box": _box(face),
        "quality": face.quality,
    }


def _box(face: SeenFace) -> dict[str, Any]:
    box = face.box
    return {
        "x": box.x,
        "y": box.y,
        "width": box.width,
        "height": box.height,
        "confidence": face.confidence,
    }


def best_crop(
    positions: tuple[int, ...], faces: list[SeenFace], crops: list[bytes] | None
) -> str | None:
    """Return the best of these faces as a data: address; None without crops."""
    if crops is None or not positions:
        return None
    best = max(positions, key=lambda position: faces[position].quality)
    return _data_address(crops[best])


def _data_address(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 1)
