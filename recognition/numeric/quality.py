"""How much of a face there is to recognize: one number, without another network.

It chooses the best crop of a person, the order in which faces become people, and how
much each counts in a person's template.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from recognition.numeric.arrays import Embeddings, Landmarks, RgbImage
from recognition.numeric.boxes import FaceBox

# The side of an aligned crop. A face as large loses nothing more when it is looked at
# closer; a smaller one is enlarged, and what is not there does not come back.
FULL_DETAIL_PX = 112
# The variance of the Laplacian of a crop, in grey levels squared, at which sharpness
# counts one half. Crops of drawn and filmed faces have 100 to 1,000 in focus, and less
# than 20 once blurred by three pixels (recognition/tests/numeric/test_quality.py).
HALF_SHARP_VARIANCE = 30.0
# What the far side of a face is still worth when it is seen from the side.
LEAST_FRONTAL = 0.2
# What a face is still worth whose mirror image is somebody else to both embedders.
LEAST_AGREEMENT = 0.1


@dataclass(frozen=True, slots=True)
class FaceView:
    """What a face looks like before any embedder: how sharp, and how far turned away.

    `sharpness` is the variance of the crop's Laplacian in grey levels squared,
    `yaw_degrees` 0 from the front and positive to the right of the picture.
    """

    sharpness: float
    yaw_degrees: float


def view_of(crop: RgbImage, landmarks: Landmarks) -> FaceView:
    """Return the view of a face by its aligned crop and its landmarks."""
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    sharpness = float(cv2.Laplacian(grey, cv2.CV_32F).var())
    return FaceView(sharpness, yaw_degrees(landmarks))


def yaw_degrees(landmarks: Landmarks) -> float:
    """Return by how much the face is turned, told by its nose between its eyes.

    0 without a distance between the eyes, which says nothing.
    """
    left, right, nose = np.asarray(landmarks, dtype=np.float64)[:3]
    eyes = right - left
    distance = float(np.hypot(*eyes))
    if not math.isfinite(distance) or distance == 0:
        return 0.0
    # Along the line of the eyes, so that a head held at a slant is not turned.
    aside = float((nose - (left + right) / 2) @ eyes) / distance
    return math.degrees(math.atan2(aside, distance / 2))


def mirror_agreement(embeddings: Embeddings, mirrored: Embeddings) -> Embeddings:
    """Return the cosine of each face and its mirror image, float32 [faces]; 0 for none.

    A network that sees a face sees the same one in the mirror; of what is no face, or
    blurred, it makes something else.
    """
    products = np.einsum("nd,nd->n", embeddings, mirrored, dtype=np.float64)
    lengths = np.linalg.norm(embeddings, axis=1).astype(np.float64)
    lengths *= np.linalg.norm(mirrored, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines: Embeddings = np.nan_to_num(products / lengths, posinf=0, neginf=0)
    return cosines.astype(np.float32)


def face_quality(
    box: FaceBox, confidence: float, *, view: FaceView, agreement: float
) -> float:
    """Return 0…1: the product of what is there of a face, each factor at most 1.

    - the detector's confidence;
    - detail: the shorter side of the box over that of an aligned crop;
    - sharpness: v / (v + HALF_SHARP_VARIANCE) for a Laplacian of variance v;
    - how far it is seen from the front: the cosine of the yaw;
    - the mean agreement of both embedders with the mirror image.

    The length of an embedding is told beside the others' of a medium, where it counts
    (`recognition.numeric.templates`): it has no scale that two networks share.
    """
    detail = min(max(min(box.width, box.height), 0) / FULL_DETAIL_PX, 1.0)
    sharpness = view.sharpness / (view.sharpness + HALF_SHARP_VARIANCE)
    frontal = max(math.cos(math.radians(view.yaw_degrees)), LEAST_FRONTAL)
    agreeing = min(max(agreement, LEAST_AGREEMENT), 1.0)
    quality = detail * sharpness * frontal * agreeing * min(max(confidence, 0.0), 1.0)
    return quality if math.isfinite(quality) else 0.0
