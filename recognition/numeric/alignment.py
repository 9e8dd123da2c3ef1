"""From a face in a picture to the upright 112x112 crop that embedders expect."""

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.numeric.arrays import Landmarks, RgbImage

ALIGNED_SIDE_PX = 112

# Where ArcFace's training crops have the five landmarks, in pixels of 112x112. The
# published embeddings were made with these, so they are not ours to improve.
ARCFACE_TEMPLATE = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ],
    dtype=np.float64,
)

# Landmarks whose mean square distance from their centre is below this lie on one
# point: an embedder would be shown a single smeared pixel.
MIN_LANDMARK_SPREAD_PX2 = 1e-3

_TEMPLATE_CENTRE = ARCFACE_TEMPLATE.mean(axis=0)
_CENTRED_TEMPLATE = ARCFACE_TEMPLATE - _TEMPLATE_CENTRE


def is_alignable(landmarks: Landmarks) -> bool:
    """Say whether the landmarks are finite and apart from one another.

    A detector can report others on noise. Such a detection has no crop.
    """
    if not np.isfinite(landmarks).all():
        return False
    return float(np.var(landmarks, axis=0).sum()) >= MIN_LANDMARK_SPREAD_PX2


def align_face(image: RgbImage, landmarks: Landmarks) -> RgbImage:
    """Return the 112x112 crop in which the landmarks lie on the ArcFace template.

    Bilinear; black where the crop reaches beyond the picture. Raises ValueError for
    landmarks that are not alignable.
    """
    crop: RgbImage = cv2.warpAffine(
        image,
        similarity_to_template(landmarks),
        (ALIGNED_SIDE_PX, ALIGNED_SIDE_PX),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    return crop


def similarity_to_template(landmarks: Landmarks) -> NDArray[np.float64]:
    """Return the 2x3 similarity that brings the landmarks nearest to the template.

    The least-squares one, as Umeyama's: in two dimensions rotation and scale are one
    complex number, so there is a closed form and no singular value decomposition.
    """
    if not is_alignable(landmarks):
        raise ValueError("the five landmarks coincide or are not finite")
    source = np.asarray(landmarks, dtype=np.float64)
    source_centre = source.mean(axis=0)
    x, y = (source - source_centre).T
    template_x, template_y = _CENTRED_TEMPLATE.T
    spread = x @ x + y @ y
    cosine = (x @ template_x + y @ template_y) / spread
    sine = (x @ template_y - y @ template_x) / spread
    rotation = np.array([(cosine, -sine), (sine, cosine)])
    translation = _TEMPLATE_CENTRE - rotation @ source_centre
    return np.column_stack([rotation, translation])
