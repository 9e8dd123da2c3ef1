"""From pictures to faces with embeddings, and to whom the release has near them."""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dbupdates.prepared import Performer
from recognition.numeric.alignment import align_face
from recognition.numeric.arrays import Embeddings, RgbImage
from recognition.numeric.fusion import Candidate
from recognition.numeric.people import SeenFace
from recognition.numeric.quality import face_quality
from recognition.runtime.detector import DetectedFace
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.networks import Networks
from recognition.runtime.people import candidates_of


@dataclass(frozen=True)
class Match:
    """A candidate with the performer it stands for."""

    performer: Performer
    candidate: Candidate


@dataclass(frozen=True)
class RecognizedFace:
    """A detected face and its matches, nearest first; empty when nobody is near."""

    face: DetectedFace
    matches: list[Match]


@dataclass(frozen=True)
class AlignedFace:
    """A detected face and its aligned crop; the picture is no longer needed."""

    face: DetectedFace
    crop: RgbImage


@dataclass(frozen=True)
class EmbeddedFace:
    """A detected face, its aligned crop, and its embeddings, float32 [512] each."""

    face: DetectedFace
    crop: RgbImage
    facenet: NDArray[np.float32]
    arcface: NDArray[np.float32]

    def seen_in(self, frame: int, *, seconds: float | None = None) -> SeenFace:
        """Return the face without its crop, as one of a scene or gallery."""
        return SeenFace(
            frame=frame,
            seconds=seconds,
            box=self.face.box,
            confidence=self.face.confidence,
            quality=face_quality(self.face.box, self.face.confidence),
            facenet=self.facenet,
            arcface=self.arcface,
        )


@dataclass
class Timing:
    """Seconds spent in each step of a recognition."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the time spent inside to the step."""
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            self.seconds[name] = self.seconds.get(name, 0.0) + spent


@dataclass(frozen=True)
class Recognizer:
    """Networks and the faces they are compared with; safe to use from many threads."""

    networks: Networks
    database: FaceDatabase

    def recognize(
        self,
        image: RgbImage,
        *,
        max_candidates: int,
        max_distance: float,
        min_face_confidence: float,
        timing: Timing,
    ) -> list[RecognizedFace]:
        """Return the picture's faces, the surest detection first, with their matches.

        Each performer appears once in a face's matches.
        """
        faces = self.detect(
            image,
            min_face_confidence=min_face_confidence,
            min_face_size_px=0,
            timing=timing,
        )
        facenet, arcface = self._embeddings(faces, timing=timing)
        with timing.step("match"):
            candidates = candidates_of(
                self.database,
                facenet,
                arcface,
                max_candidates=max_candidates,
                max_distance=max_distance,
            )
            return [
                RecognizedFace(aligned.face, self._matches(found))
                for aligned, found in zip(faces, candidates, strict=True)
            ]

    def detect(
        self,
        image: RgbImage,
        *,
        min_face_confidence: float,
        min_face_size_px: int,
        timing: Timing,
    ) -> list[AlignedFace]:
        """Return the faces as wide and as high as this, the surest first, aligned."""
        with timing.step("detect"):
            faces = [
                face
                for face in self.networks.detector.detect_faces(
                    image, min_confidence=min_face_confidence
                )
                if min(face.box.width, face.box.height) >= min_face_size_px
            ]
        with timing.step("align"):
            return [
                AlignedFace(face, align_face(image, face.landmarks)) for face in faces
            ]

    def embed(
        self, faces: Sequence[AlignedFace], *, timing: Timing
    ) -> list[EmbeddedFace]:
        """Return the faces with their embeddings, from as few runs as there can be."""
        return [
            EmbeddedFace(aligned.face, aligned.crop, facenet, arcface)
            for aligned, facenet, arcface in zip(
                faces, *self._embeddings(faces, timing=timing), strict=True
            )
        ]

    def detect_and_embed(
        self,
        image: RgbImage,
        *,
        min_face_confidence: float,
        min_face_size_px: int,
        timing: Timing,
    ) -> list[EmbeddedFace]:
        """Return the faces of one picture, the surest detection first, embedded."""
        faces = self.detect(
            image,
            min_face_confidence=min_face_confidence,
            min_face_size_px=min_face_size_px,
            timing=timing,
        )
        return self.embed(faces, timing=timing)

    def iter_detect_and_embed(
        self,
        images: Iterable[RgbImage],
        *,
        min_face_confidence: float,
        min_face_size_px: int,
        timing: Timing,
    ) -> Iterator[list[EmbeddedFace]]:
        """Yield the faces of each picture in their order, embedded in full batches.

        A picture's faces come as soon as all of them are embedded, which can be some
        pictures later. One picture at a time is held, and crops of less than a batch.
        """
        batch_size = self.networks.facenet.batch_size
        waiting: list[AlignedFace] = []
        embedded: deque[EmbeddedFace] = deque()
        owed: deque[int] = deque()
        for image in images:
            found = self.detect(
                image,
                min_face_confidence=min_face_confidence,
                min_face_size_px=min_face_size_px,
                timing=timing,
            )
            # Not while the next one is decoded: at 8K a picture is 100 MB.
            del image
            owed.append(len(found))
            waiting += found
            full = len(waiting) - len(waiting) % batch_size
            embedded += self.embed(waiting[:full], timing=timing)
            del waiting[:full]
            yield from _paid(owed, embedded)
        embedded += self.embed(waiting, timing=timing)
        yield from _paid(owed, embedded)

    def _embeddings(
        self, faces: Sequence[AlignedFace], *, timing: Timing
    ) -> tuple[Embeddings, Embeddings]:
        crops = [aligned.crop for aligned in faces]
        with timing.step("embed"):
            return self.networks.facenet.embed(crops), self.networks.arcface.embed(
                crops
            )

    def _matches(self, candidates: list[Candidate]) -> list[Match]:
        release = self.database.release
        return [
            Match(release.performer(candidate.performer), candidate)
            for candidate in candidates
        ]


def _paid(
    owed: deque[int], embedded: deque[EmbeddedFace]
) -> Iterator[list[EmbeddedFace]]:
    """Take out the faces of every picture, from the first on, that has them all."""
    while owed and len(embedded) >= owed[0]:
        count = owed.popleft()
        yield [embedded.popleft() for _ in range(count)]
