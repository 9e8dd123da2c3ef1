"""Faces without pictures: a person is a direction, a face that and some noise."""

import numpy as np

from recognition.numeric.boxes import FaceBox
from recognition.numeric.people import SeenFace

DIMENSIONS = 64


class MadePeople:
    """People by number, with as many faces of each as are wanted."""

    def __init__(self, *, count=40, seed=5):
        self.rng = np.random.default_rng(seed)
        self.facenet, self.arcface = (self.directions(count) for _ in range(2))

    def directions(self, count):
        rows = self.rng.standard_normal((count, DIMENSIONS))
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def face(self, person, *, frame=0, noise=0.5, quality=0.9):
        return SeenFace(
            frame=frame,
            seconds=float(frame),
            box=FaceBox(0, 0, 100, 100),
            confidence=0.9,
            quality=quality,
            facenet=self._embedding(self.facenet[person], noise),
            arcface=self._embedding(self.arcface[person], noise),
        )

    def _embedding(self, direction, noise):
        return (20 * (direction + noise * self.directions(1)[0])).astype(np.float32)
