"""Body proportions: ratios of a pose, whose pose it is, and what it says of a name.

Ratios do not depend on how large somebody stands in the picture. The reference values
of a release are such ratios, so a pose can be compared with them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from recognition.numeric.boxes import FaceBox

# Rows of 33 landmarks; columns x and y as shares of the picture, and visibility 0…1.
PoseLandmarks: TypeAlias = NDArray[np.floating]

_NOSE = 0
_SHOULDERS = (11, 12)
_WRISTS = (15, 16)
_HIPS = (23, 24)
_ANKLES = (27, 28)
REQUIRED_LANDMARKS = (_NOSE, *_SHOULDERS, *_WRISTS, *_HIPS, *_ANKLES)
# Of the predecessor: whoever is hidden from the hips down has no ratios.
MIN_VISIBILITY = 0.3

# Multipliers of the predecessor by the difference of shoulder to hip; the recorded
# cases pin them. The largest difference first.
_MULTIPLIERS = ((0.35, 0.3), (0.20, 0.6), (0.12, 0.85))

# How far outside of a face's box its nose may lie, in sizes of that box: a face
# detector and a pose detector disagree by a quarter at most, and whoever stands beside
# has a face of their own a whole size away.
_NOSE_REACH = 0.5


@dataclass(frozen=True, slots=True)
class BodyRatios:
    """Proportions of one body; a ratio is 0 where its denominator is."""

    shoulder_hip: float
    leg_torso: float
    arm_span_height: float
    confidence: float


def body_ratios(
    landmarks: PoseLandmarks, *, image_width: int, image_height: int
) -> BodyRatios | None:
    """Return the proportions of a pose, or None when part of it is not to be seen.

    Landmarks are shares of width and height, which are one unit only in a square: they
    are brought to pixels first, or a pose would differ between portrait and landscape.
    """
    required = landmarks[list(REQUIRED_LANDMARKS)]
    if not np.isfinite(required).all() or required[:, 2].min() < MIN_VISIBILITY:
        return None
    points = landmarks[:, :2].astype(np.float64) * (image_width, image_height)
    nose = points[_NOSE]
    mid_shoulder, mid_hip, mid_ankle = (
        points[list(pair)].mean(axis=0) for pair in (_SHOULDERS, _HIPS, _ANKLES)
    )
    return BodyRatios(
        shoulder_hip=_ratio(_width(points, _SHOULDERS), _width(points, _HIPS)),
        leg_torso=_ratio(
            math.dist(mid_hip, mid_ankle), math.dist(mid_shoulder, mid_hip)
        ),
        arm_span_height=_ratio(_width(points, _WRISTS), math.dist(nose, mid_ankle)),
        confidence=float(required[:, 2].mean()),
    )


def body_multiplier(probe: float | None, candidate: float | None) -> float:
    """Return by how much the bodies' shoulder to hip ratios speak for the candidate.

    1 where either is unknown. A ratio of 0 was no ratio: nobody is measured by it.
    """
    if not probe or not candidate:
        return 1.0
    difference = abs(probe - candidate)
    for bound, multiplier in _MULTIPLIERS:
        if difference > bound:
            return multiplier
    return 1.0


def faces_of_noses(
    noses: Sequence[tuple[float, float]], boxes: Sequence[FaceBox]
) -> list[int | None]:
    """Return for each nose, in pixels, the position of the face it is of, or None.

    A face has one nose and a nose one face; the nearest pairs are made first, in sizes
    of the face. Whoever has no face near the nose was seen by the pose detector alone.
    """
    pairs = sorted(
        (distance, nose, face)
        for nose, point in enumerate(noses)
        for face, box in enumerate(boxes)
        if (distance := _distance_to_centre(point, box)) <= 0.5 + _NOSE_REACH
    )
    found: list[int | None] = [None] * len(noses)
    taken: set[int] = set()
    for _, nose, face in pairs:
        if found[nose] is None and face not in taken:
            found[nose] = face
            taken.add(face)
    return found


def _width(points: NDArray[np.float64], pair: tuple[int, int]) -> float:
    return math.dist(points[pair[0]], points[pair[1]])


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else 0.0


def _distance_to_centre(point: tuple[float, float], box: FaceBox) -> float:
    """Return how far the point is from the box's centre: 0.5 lies on its border."""
    across = abs(point[0] - box.x - box.width / 2) / max(box.width, 1)
    along = abs(point[1] - box.y - box.height / 2) / max(box.height, 1)
    return max(across, along)
