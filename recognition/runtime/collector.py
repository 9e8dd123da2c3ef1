"""Faces out of many pictures: detected one picture at a time, embedded in batches."""

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from PIL import Image

from recognition.numeric.alignment import align_face
from recognition.numeric.arrays import RgbImage
from recognition.numeric.boxes import FaceBox
from recognition.numeric.people import SeenFace
from recognition.numeric.quality import FaceView, face_quality, view_of
from recognition.runtime.detector import DetectedFace
from recognition.runtime.networks import Networks
from recognition.runtime.recognizer import Timing

# The surest of a crowd; a hundred faces in each of 120 frames would fill the memory.
MAX_FACES_PER_PICTURE = 50
CROP_JPEG_QUALITY = 85

# Holds a place among those that compute, for as long as it is entered.
Turn = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class FaceFilter:
    """Which detected faces are looked at further."""

    min_confidence: float
    min_size_px: int

    def keeps(self, face: DetectedFace, *, scale: float) -> bool:
        """Say whether a face is large enough, in a picture scaled by so much."""
        shorter = min(face.box.width, face.box.height)
        return shorter >= self.min_size_px * scale


@dataclass(frozen=True)
class CroppedFace:
    """A detected face on its way to be embedded; the box is in original pixels."""

    frame: int
    seconds: float | None
    box: FaceBox
    confidence: float
    crop: RgbImage
    view: FaceView


@dataclass(frozen=True)
class Look:
    """What was seen in one picture: how many faces in all, and those that are kept."""

    detected_count: int
    faces: list[CroppedFace]


@dataclass(frozen=True)
class CollectedFaces:
    """Faces with embeddings, and each one's aligned crop as a small JPEG."""

    faces: list[SeenFace]
    crop_jpegs: list[bytes]


def look_at(
    networks: Networks,
    image: RgbImage,
    *,
    face_filter: FaceFilter,
    frame: int,
    seconds: float | None,
    scale: float = 1.0,
    timing: Timing,
) -> Look:
    """Return the faces of a picture, the surest first, ready to be embedded.

    `scale` is the size of the picture in pixels of the original, which boxes are told
    in and sizes compared in.
    """
    with timing.step("detect"):
        detected = networks.detector.detect_faces(
            image, min_confidence=face_filter.min_confidence
        )
    kept = [face for face in detected if face_filter.keeps(face, scale=scale)]
    with timing.step("align"):
        crops = [
            align_face(image, face.landmarks) for face in kept[:MAX_FACES_PER_PICTURE]
        ]
        faces = [
            CroppedFace(
                frame=frame,
                seconds=seconds,
                box=_unscaled(face.box, scale),
                confidence=face.confidence,
                crop=crop,
                view=view_of(crop, face.landmarks),
            )
            for face, crop in zip(kept, crops, strict=False)
        ]
    return Look(len(detected), faces)


class FaceCollector:
    """Embeds faces as soon as there are enough for a batch; keeps the order."""

    def __init__(self, networks: Networks, *, turn: Turn, timing: Timing) -> None:
        self._networks = networks
        self._batch_size = networks.arcface.batch_size
        self._turn = turn
        self._timing = timing
        self._waiting: list[CroppedFace] = []
        self._collected = CollectedFaces([], [])

    @property
    def count(self) -> int:
        """How many faces were added."""
        return len(self._collected.faces) + len(self._waiting)

    def add(self, faces: list[CroppedFace]) -> None:
        """Take faces; whole batches are embedded at once."""
        self._waiting += faces
        while len(self._waiting) >= self._batch_size:
            self._embed(self._waiting[: self._batch_size])
            del self._waiting[: self._batch_size]

    def collect(self) -> CollectedFaces:
        """Return every face added so far, embedded; more can be added later."""
        if self._waiting:
            self._embed(self._waiting)
            self._waiting = []
        return self._collected

    def _embed(self, cropped: list[CroppedFace]) -> None:
        crops = [face.crop for face in cropped]
        with self._turn(), self._timing.step("embed"):
            facenet, by_facenet = self._networks.facenet.embed_and_compare(crops)
            arcface, by_arcface = self._networks.arcface.embed_and_compare(crops)
        agreements = ((by_facenet + by_arcface) / 2).tolist()
        for face, agreement, *embeddings in zip(
            cropped, agreements, facenet, arcface, strict=True
        ):
            self._collected.faces.append(
                SeenFace(
                    frame=face.frame,
                    seconds=face.seconds,
                    box=face.box,
                    confidence=face.confidence,
                    quality=face_quality(
                        face.box,
                        face.confidence,
                        view=face.view,
                        agreement=agreement,
                    ),
                    facenet=embeddings[0],
                    arcface=embeddings[1],
                )
            )
            self._collected.crop_jpegs.append(_jpeg(face.crop))


def _unscaled(box: FaceBox, scale: float) -> FaceBox:
    if scale == 1.0:
        return box
    return FaceBox(
        *(round(edge / scale) for edge in (box.x, box.y, box.width, box.height))
    )


def _jpeg(crop: RgbImage) -> bytes:
    file = io.BytesIO()
    Image.fromarray(crop).save(file, "JPEG", quality=CROP_JPEG_QUALITY)
    return file.getvalue()
