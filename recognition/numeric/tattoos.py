"""Tattoos: what the two networks are shown and answer, whose they are, what they say.

The detector is a YOLOv5s, the embedder an EfficientNet-B0; the published index was
made with exactly these sides, roundings and scales.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.numeric.arrays import NetworkInput, RgbImage
from recognition.numeric.boxes import FaceBox

DETECTOR_SIDE_PX = 640
_PADDING_GREY = 114
MIN_TATTOO_CONFIDENCE = 0.25
_MAX_OVERLAP = 0.45
# Each costs a run of the embedder; nobody has more that can be told apart in a picture,
# and a detector that fires everywhere must not hold a request up for minutes.
MAX_TATTOOS = 32

EMBEDDER_SIDE_PX = 224
_EMBEDDER_SHORT_SIDE_PX = 256
_IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
_IMAGENET_DEVIATION = np.array([0.229, 0.224, 0.225], dtype=np.float32)
# Around a tattoo, on each side, in sizes of its box.
_CROP_MARGIN = 0.10
# Only the middle square of a crop is looked at. What lies farther out than this many
# short sides is cut off before enlarging: a line of 5,000 x 2 would become 640,000 px.
_LONGEST_CROP = 4

# How far from a face its owner's tattoos may be, in heights of the face: a standing
# body is about ten faces high.
_BODY_REACH = 10.0

# Of the predecessor; the recorded cases pin them.
STRONG_SIMILARITY = 0.7
WEAK_SIMILARITY = 0.5
_STRONG_MULTIPLIER, _STRONGEST_MULTIPLIER = 1.3, 1.5
_WEAK_MULTIPLIER = 1.1
_UNKNOWN_TATTOO_MULTIPLIER = 0.7
_UNSEEN_TATTOO_MULTIPLIER = 0.95


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a picture lies in the detector's square: scaled, then moved."""

    ratio: float
    left: int
    top: int


@dataclass(frozen=True, slots=True)
class TattooBox:
    """A tattoo as shares of the picture's width and height; `x`, `y` is a corner."""

    x: float
    y: float
    width: float
    height: float
    confidence: float

    @property
    def centre(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class TattooEvidence:
    """What the detector found on one person, possibly nothing.

    `similarities` maps universal ids to the likeness, 0…1, of their nearest tattoo.
    """

    tattoos: tuple[TattooBox, ...]
    similarities: Mapping[str, float]


def letterbox(image: RgbImage) -> tuple[RgbImage, Letterbox]:
    """Return the picture in a grey square of the detector's side, and where it lies."""
    height, width = image.shape[:2]
    ratio = DETECTOR_SIDE_PX / max(height, width)
    new_width = max(1, round(width * ratio))
    new_height = max(1, round(height * ratio))
    placed = Letterbox(
        ratio, (DETECTOR_SIDE_PX - new_width) // 2, (DETECTOR_SIDE_PX - new_height) // 2
    )
    square = np.full((DETECTOR_SIDE_PX, DETECTOR_SIDE_PX, 3), _PADDING_GREY, np.uint8)
    square[
        placed.top : placed.top + new_height, placed.left : placed.left + new_width
    ] = cv2.resize(image, (new_width, new_height), interpolation=cv2.INTER_LINEAR)
    return square, placed


def detector_input(square: RgbImage) -> NetworkInput:
    """Return the square as the detector takes it: 1 x 3 x 640 x 640, 0…1."""
    planes = square.transpose(2, 0, 1)[np.newaxis]
    return np.ascontiguousarray(planes, dtype=np.float32) / np.float32(255)


def decode_detections(
    output: NDArray[np.float32],
    placed: Letterbox,
    *,
    image_width: int,
    image_height: int,
) -> list[TattooBox]:
    """Return the tattoos in the detector's answer, the surest first, at most 32.

    `output` is 1 x anchors x 6: centre, size, objectness, class. Of boxes that overlap
    by more than 0.45 the surest stays.
    """
    rows = output[0].astype(np.float64)
    rows = rows[np.isfinite(rows).all(axis=1)]
    scores = rows[:, 4] * rows[:, 5]
    is_sure = scores >= MIN_TATTOO_CONFIDENCE
    rows, scores = rows[is_sure], np.minimum(scores[is_sure], 1.0)
    corners = rows[:, :2] - rows[:, 2:4] / 2
    boxes = np.hstack([corners, rows[:, 2:4]])
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), 0.0, _MAX_OVERLAP)
    tattoos = (
        _in_picture(boxes[row], float(scores[row]), placed, image_width, image_height)
        for row in np.asarray(kept, dtype=np.int64).ravel()
    )
    return [tattoo for tattoo in tattoos if tattoo is not None][:MAX_TATTOOS]


def crop_tattoo(image: RgbImage, tattoo: TattooBox) -> RgbImage:
    """Return the tattoo with a tenth of its size around it, inside the picture."""
    height, width = image.shape[:2]
    margin_x, margin_y = _CROP_MARGIN * tattoo.width, _CROP_MARGIN * tattoo.height
    left = max(0, int((tattoo.x - margin_x) * width))
    top = max(0, int((tattoo.y - margin_y) * height))
    right = min(width, int((tattoo.x + tattoo.width + margin_x) * width))
    bottom = min(height, int((tattoo.y + tattoo.height + margin_y) * height))
    # Never empty: a box of a fraction of a pixel shows that pixel.
    return image[
        min(top, height - 1) : max(bottom, top + 1),
        min(left, width - 1) : max(right, left + 1),
    ]


def tattoo_embedder_input(crop: RgbImage) -> NetworkInput:
    """Return a crop as the embedder takes it: 1 x 3 x 224 x 224, ImageNet's scale."""
    crop = _without_far_ends(crop)
    height, width = crop.shape[:2]
    ratio = _EMBEDDER_SHORT_SIDE_PX / min(height, width)
    new_width = max(_EMBEDDER_SHORT_SIDE_PX, int(width * ratio))
    new_height = max(_EMBEDDER_SHORT_SIDE_PX, int(height * ratio))
    resized = cv2.resize(crop, (new_width, new_height), interpolation=cv2.INTER_LINEAR)
    left = round((new_width - EMBEDDER_SIDE_PX) / 2)
    top = round((new_height - EMBEDDER_SIDE_PX) / 2)
    square = resized[top : top + EMBEDDER_SIDE_PX, left : left + EMBEDDER_SIDE_PX]
    values = square.astype(np.float32) / np.float32(255)
    values = (values - _IMAGENET_MEAN) / _IMAGENET_DEVIATION
    return np.ascontiguousarray(values.transpose(2, 0, 1)[np.newaxis])


def faces_of_tattoos(
    tattoos: Sequence[TattooBox],
    boxes: Sequence[FaceBox],
    *,
    image_width: int,
    image_height: int,
) -> list[int | None]:
    """Return for each tattoo the position of the nearest face, or None.

    A face farther off than its body reaches is not the owner's, however near others
    are: the owner's face may be outside of the picture.
    """
    return [
        _nearest_face((x * image_width, y * image_height), boxes)
        for x, y in (tattoo.centre for tattoo in tattoos)
    ]


def best_similarities(
    neighbours: Iterable[tuple[str, float]],
) -> dict[str, float]:
    """Return each universal id's greatest similarity, from cosine distances."""
    best: dict[str, float] = {}
    for universal_id, distance in neighbours:
        similarity = max(0.0, 1.0 - distance)
        best[universal_id] = max(best.get(universal_id, 0.0), similarity)
    return best


def tattoo_multiplier(
    *,
    detector_ran: bool,
    probe_has_tattoos: bool,
    similarity: float | None,
    candidate_has_embeddings: bool,
) -> float:
    """Return by how much the tattoos seen on a person speak for the candidate."""
    if not detector_ran:
        return 1.0
    if not probe_has_tattoos:
        return _UNSEEN_TATTOO_MULTIPLIER if candidate_has_embeddings else 1.0
    if similarity is not None and similarity > STRONG_SIMILARITY:
        share = (similarity - STRONG_SIMILARITY) / (1.0 - STRONG_SIMILARITY)
        gain = (_STRONGEST_MULTIPLIER - _STRONG_MULTIPLIER) * share
        return min(_STRONG_MULTIPLIER + gain, _STRONGEST_MULTIPLIER)
    if similarity is not None and similarity > WEAK_SIMILARITY:
        return _WEAK_MULTIPLIER
    return 1.0 if candidate_has_embeddings else _UNKNOWN_TATTOO_MULTIPLIER


def _in_picture(
    box: NDArray[np.float64],
    confidence: float,
    placed: Letterbox,
    image_width: int,
    image_height: int,
) -> TattooBox | None:
    """Return the detector's box as shares of the picture; None when it is outside."""
    x, y, width, height = box
    left = (x - placed.left) / placed.ratio / image_width
    top = (y - placed.top) / placed.ratio / image_height
    right = (x + width - placed.left) / placed.ratio / image_width
    bottom = (y + height - placed.top) / placed.ratio / image_height
    left, top, right, bottom = np.clip([left, top, right, bottom], 0.0, 1.0).tolist()
    if right <= left or bottom <= top:
        return None
    return TattooBox(left, top, right - left, bottom - top, confidence)


def _without_far_ends(crop: RgbImage) -> RgbImage:
    height, width = crop.shape[:2]
    longest = _LONGEST_CROP * min(height, width)
    left, top = max(0, width - longest) // 2, max(0, height - longest) // 2
    return crop[top : top + longest, left : left + longest]


def _nearest_face(point: tuple[float, float], boxes: Sequence[FaceBox]) -> int | None:
    reachable = [
        (distance, face)
        for face, box in enumerate(boxes)
        if (distance := _distance_px(point, box)) <= _BODY_REACH * box.height
    ]
    return min(reachable)[1] if reachable else None


def _distance_px(point: tuple[float, float], box: FaceBox) -> float:
    centre = (box.x + box.width / 2, box.y + box.height / 2)
    return math.dist(point, centre)
