"""How likely two scenes are the same, and which file of a scene is the best one.

Scores go from 0 to 100. Evidence is a stash-box id, the pHash of the pictures, the
metadata, and the faces; only the first two say something of the very recording.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from recommendations.items import id_order

# Beyond this many bits two pHashes say nothing about each other.
MAX_PHASH_DISTANCE = 10
# A pair is worth a person's look from here on.
MIN_CONFIDENCE = 50.0
HIGH_CONFIDENCE = 80.0
MAX_CONFIDENCE = 95.0
# The same people at the same studio make many different scenes: without the pictures
# or a stash-box's word such a pair is never more than "likely".
MAX_CONFIDENCE_WITHOUT_PICTURES = 70.0
UNKNOWN_PERFORMER = "unknown"

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class SceneFacts:
    """What is compared of a scene. `date` counts when it is a whole day, YYYY-MM-DD.

    `stash_ids` are (endpoint, stash id) pairs.
    """

    scene_id: str
    phash: int | None = None
    date: str | None = None
    studio_id: str | None = None
    performer_ids: frozenset[str] = frozenset()
    duration_seconds: float | None = None
    stash_ids: frozenset[tuple[str, str]] = frozenset()


# How many faces each performer has in a scene.
FaceCounts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A score and why it is that."""

    score: float = 0.0
    reasons: tuple[str, ...] = ()

    @property
    def reasoning(self) -> str:
        return ", ".join(self.reasons)


@dataclass(frozen=True, slots=True)
class PairScore:
    """How likely two scenes are the same, 0 to 95, or 100 by a stash-box's word."""

    confidence: float
    reasoning: tuple[str, ...]
    stash_box_endpoint: str | None
    phash_distance: int | None
    metadata: Evidence = field(default_factory=Evidence)
    faces: Evidence = field(default_factory=Evidence)

    @property
    def is_duplicate(self) -> bool:
        return self.confidence >= MIN_CONFIDENCE

    @property
    def label(self) -> str:
        if self.confidence >= HIGH_CONFIDENCE:
            return "High confidence duplicate"
        return "Likely duplicate" if self.is_duplicate else "Unlikely duplicate"

    def signal_breakdown(self) -> dict[str, object]:
        """Return the evidence as a recommendation keeps and tells it."""
        return {
            "stashbox_match": self.stash_box_endpoint is not None,
            "stashbox_endpoint": self.stash_box_endpoint,
            "phash_distance": self.phash_distance,
            "face_score": round(self.faces.score, 1),
            "face_reasoning": self.faces.reasoning,
            "metadata_score": round(self.metadata.score, 1),
            "metadata_reasoning": self.metadata.reasoning,
        }


def score_pair(
    a: SceneFacts,
    b: SceneFacts,
    *,
    phash_distance: int | None = None,
    faces_a: FaceCounts | None = None,
    faces_b: FaceCounts | None = None,
) -> PairScore:
    """Return how likely two scenes are the same.

    An id at the same stash-box settles it. Else, without pHashes within ten bits, the
    confidence is at most MAX_CONFIDENCE_WITHOUT_PICTURES.
    """
    shared = a.stash_ids & b.stash_ids
    metadata = score_metadata(a, b)
    faces = score_faces(faces_a or {}, faces_b or {})
    if shared:
        endpoint = min(endpoint for endpoint, _ in shared)
        reasons: tuple[str, ...] = (f"Same stash-box id at {endpoint}",)
        return PairScore(100.0, reasons, endpoint, phash_distance, metadata, faces)
    confidence = limit_without_pictures(
        combine_signals(phash_distance, metadata.score, faces.score), phash_distance
    )
    pictures = (
        (f"pHashes differ in {phash_distance} of 64 bits",)
        if _are_pictures_alike(phash_distance)
        else ()
    )
    reasons = (*pictures, *metadata.reasons, *faces.reasons)
    return PairScore(
        confidence, reasons, None, phash_distance, metadata=metadata, faces=faces
    )


def score_phash(phash_distance: int | None) -> float:
    """Return the score of the pictures: 85 for equal pHashes, 0 beyond ten bits."""
    if phash_distance is None or not _are_pictures_alike(phash_distance):
        return 0.0
    return 85 - 6.5 * phash_distance


def score_metadata(a: SceneFacts, b: SceneFacts) -> Evidence:
    """Return what date, cast, studio and duration say, 0 to 60."""
    score, reasons = _score_cast_and_date(a, b)
    if a.studio_id is not None and a.studio_id == b.studio_id:
        score += 10
        reasons.append("same studio")
    if a.duration_seconds and b.duration_seconds:
        shorter, longer = sorted((a.duration_seconds, b.duration_seconds))
        if shorter / longer < 0.30:
            score -= 20 if shorter / longer < 0.15 else 10
            reasons.append("very different durations")
    return Evidence(float(min(max(score, 0), 60)), tuple(reasons))


def score_faces(faces_a: FaceCounts, faces_b: FaceCounts) -> Evidence:
    """Return what the people seen say, 0 to 75: who they are, and how often."""
    known_a, known_b = (
        {performer for performer in faces if performer != UNKNOWN_PERFORMER}
        for faces in (faces_a, faces_b)
    )
    shared = known_a & known_b
    if not shared:
        return Evidence()
    jaccard = len(shared) / len(known_a | known_b)
    total_a, total_b = sum(faces_a.values()), sum(faces_b.values())
    differences = (
        abs(faces_a[performer] / total_a - faces_b[performer] / total_b)
        for performer in sorted(shared)
    )
    mean_difference = sum(differences) / len(shared)
    score = 60 * jaccard + max(0.0, 15 * (1 - 4 * mean_difference))
    people = len(known_a | known_b)
    return Evidence(score, (f"{len(shared)} of {people} people seen in both",))


def combine_signals(
    phash_distance: int | None, metadata_score: float, face_score: float
) -> float:
    """Return the confidence that the signals make together, 0 to 95, to one decimal.

    Without pictures this is more than such a pair deserves: `limit_without_pictures`.
    """
    phash_score = score_phash(phash_distance)
    best = max(metadata_score, face_score)
    if phash_distance is None or not _are_pictures_alike(phash_distance):
        confidence = best + 0.3 * min(metadata_score, face_score)
    elif phash_distance <= 4:
        extra = min(0.15 * metadata_score, 5) + min(0.1 * face_score, 5)
        confidence = phash_score + extra
    elif best > 0:
        confidence = phash_score + 0.4 * best
    else:
        confidence = 0.6 * phash_score
    return round(min(confidence, MAX_CONFIDENCE), 1)


def limit_without_pictures(confidence: float, phash_distance: int | None) -> float:
    """Return the confidence, capped where no pHashes within ten bits support it."""
    if _are_pictures_alike(phash_distance):
        return confidence
    return min(confidence, MAX_CONFIDENCE_WITHOUT_PICTURES)


def day_number(date: str | None) -> int | None:
    """Return the days since 1970 of a whole date, None for any other text."""
    if date is None or not _DAY.fullmatch(date):
        return None
    try:
        return int(np.datetime64(date, "D").astype(np.int64))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What tells the quality of a scene's file; zeros where Stash does not know."""

    file_id: str
    width: int = 0
    height: int = 0
    bit_rate: int = 0
    size_bytes: int = 0
    video_codec: str = ""


# What a bit is worth to a codec. AV1 and VP9 need about as few bits for a picture as
# HEVC does, so beside it their files would lose by the bit rate alone.
CODEC_BONUS = {
    **dict.fromkeys(("av1", "av01"), 110),
    **dict.fromkeys(("hevc", "h265", "x265", "hvc1", "hev1"), 100),
    **dict.fromkeys(("vp9", "vp09"), 90),
    **dict.fromkeys(("h264", "avc", "x264", "avc1"), 50),
}


def score_file_quality(file: FileFacts) -> int:
    """Return the quality of a file: pixels / 10,000 + megabits a second + codec."""
    codec = re.sub(r"[^a-z0-9]", "", file.video_codec.lower())
    pixels, megabits = file.width * file.height // 10_000, file.bit_rate // 1_000_000
    return pixels + megabits + CODEC_BONUS.get(codec, 0)


def rank_files(files: Iterable[FileFacts]) -> list[FileFacts]:
    """Return the files, best first: the first is the one to keep.

    Of equal ones the larger, then the older id, so that the choice stays the same.
    """
    return sorted(
        files,
        key=lambda file: (
            -score_file_quality(file),
            -file.size_bytes,
            id_order(file.file_id),
        ),
    )


def _are_pictures_alike(phash_distance: int | None) -> bool:
    return phash_distance is not None and phash_distance <= MAX_PHASH_DISTANCE


def _score_cast_and_date(a: SceneFacts, b: SceneFacts) -> tuple[int, list[str]]:
    shared = len(a.performer_ids & b.performer_ids)
    jaccard = shared / len(a.performer_ids | b.performer_ids) if shared else 0.0
    apart = _days_apart(a.date, b.date)
    if apart == 0 and jaccard == 1:
        return 45, ["same date", "identical cast"]
    if apart == 0 and jaccard >= 0.5:
        return 35, ["same date", "similar cast"]
    if apart is not None and apart <= 7 and jaccard == 1:
        return 35, [f"dates {apart} days apart", "identical cast"]
    if jaccard == 1:
        return 25, ["identical cast"]
    # "Any cast" is a cast on either side, shared or not: so it is recorded.
    if apart == 0 and (a.performer_ids or b.performer_ids):
        return 20, ["same date"]
    if jaccard >= 0.5:
        return 15, ["similar cast"]
    return 0, []


def _days_apart(a: str | None, b: str | None) -> int | None:
    if a is not None and a == b:
        return 0 if _DAY.fullmatch(a) else None
    day_a, day_b = day_number(a), day_number(b)
    return None if day_a is None or day_b is None else abs(day_a - day_b)
