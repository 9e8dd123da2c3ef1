"""Faces in a picture: boxes, landmarks and confidence, by InsightFace's SCRFD."""

import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.numeric.alignment import is_alignable
from recognition.numeric.arrays import Landmarks, RgbImage
from recognition.numeric.boxes import FaceBox, box_from_corners, clip_box
from recognition.runtime.sessions import Session

# Below this nearly every one of the 16,800 anchors is a face, and suppressing them
# takes seconds.
MIN_DETECTION_CONFIDENCE = 0.02


@dataclass(frozen=True)
class DetectedFace:
    """One face: its box clipped to the picture, and five landmarks in its pixels.

    `landmarks` is float32 [5, 2]: eyes, nose, corners of the mouth, as x and y.
    """

    box: FaceBox
    confidence: float
    landmarks: Landmarks


class FaceDetector:
    """An SCRFD network that looks at pictures in a square of `size_px` pixels."""

    def __init__(self, session: Session, path: Path, *, size_px: int) -> None:
        # It brings SciPy along: a second that /health need not wait for at a start.
        from insightface.model_zoo.scrfd import SCRFD

        # One dynamic session serves every size: InsightFace's fixed-size copies
        # would each hold the network again.
        self._network = SCRFD(
            model_file=str(path), session=session, static_shape_sessions=False
        )
        self._size_px = size_px

    @property
    def size_px(self) -> int:
        """The side of the square."""
        return self._size_px

    def with_size(self, size_px: int) -> "FaceDetector":
        """Return a detector with the same open network and another square."""
        other = copy.copy(self)
        other._size_px = size_px
        return other

    def detect_faces(
        self, image: RgbImage, *, min_confidence: float
    ) -> list[DetectedFace]:
        """Return the faces of at least this confidence, the surest first.

        The network was trained on BGR and is shown RGB, as when the published
        indices were made.
        """
        boxes, landmarks = self._network.detect(
            image,
            input_size=(self._size_px, self._size_px),
            det_thresh=max(min_confidence, MIN_DETECTION_CONFIDENCE),
        )
        faces = (
            DetectedFace(
                box=_box_inside(image, row), confidence=float(row[4]), landmarks=points
            )
            for row, points in zip(boxes, landmarks, strict=True)
            if is_alignable(points)
        )
        return [face for face in faces if face.box.width and face.box.height]


def _box_inside(image: RgbImage, row: NDArray[np.float32]) -> FaceBox:
    height, width = image.shape[:2]
    box = box_from_corners(*row[:4])
    return clip_box(box, image_width=width, image_height=height)
