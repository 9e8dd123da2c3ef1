"""From a picture to candidates: detect, align, embed, look up, fuse."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dbupdates.prepared import Performer, PreparedRelease
from recognition.numeric.alignment import align_face
from recognition.numeric.arrays import RgbImage
from recognition.numeric.fusion import Candidate
from recognition.numeric.people import NOT_RELEASED, PersonCandidate, SeenPerson
from recognition.runtime.candidates import candidates_of
from recognition.runtime.detector import DetectedFace
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.networks import Networks
from recognition.runtime.signals import NO_SIGNALS, SignalResources
from stashsense.observability import trace


@dataclass(frozen=True)
class Match:
    """A candidate with the performer it stands for."""

    performer: Performer
    candidate: Candidate | PersonCandidate


def matches_of(person: SeenPerson, release: PreparedRelease) -> list[Match]:
    """Return a person's candidates as performers; the owner may name any other."""
    if (owners := person.owners_name) is not None:
        (candidate,) = person.candidates
        if candidate.performer == NOT_RELEASED:
            unknown = Performer(owners.universal_id, owners.name, None, None, None)
            return [Match(unknown, candidate)]
    return [
        Match(release.performer(candidate.performer), candidate)
        for candidate in person.candidates
    ]


@dataclass(frozen=True)
class RecognizedFace:
    """A detected face and its matches, nearest first; empty when nobody is near."""

    face: DetectedFace
    matches: list[Match]


@dataclass
class Timing:
    """Seconds spent in each step of a recognition."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the time spent inside to the step."""
        start = time.perf_counter()
        try:
            with trace.stage(name):
                yield
        finally:
            spent = time.perf_counter() - start
            self.seconds[name] = self.seconds.get(name, 0.0) + spent

    def add(self, other: "Timing") -> None:
        """Add what another timing saw, of work that went on in a thread beside this."""
        trace.add_stages(other.seconds)
        for name, seconds in other.seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds


@dataclass(frozen=True)
class Recognizer:
    """Networks and the faces they are compared with; safe to use from many threads."""

    networks: Networks
    database: FaceDatabase
    signals: SignalResources = NO_SIGNALS

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
        with timing.step("detect"):
            faces = self.networks.detector.detect_faces(
                image, min_confidence=min_face_confidence
            )
        with timing.step("align"):
            crops = [align_face(image, face.landmarks) for face in faces]
        with timing.step("embed"):
            facenet = self.networks.facenet.embed(crops)
            arcface = self.networks.arcface.embed(crops)
        with timing.step("match"):
            candidates = candidates_of(
                self.database,
                facenet,
                arcface,
                max_candidates=max_candidates,
                max_distance=max_distance,
            )
            return [
                RecognizedFace(face, self._matches(found))
                for face, found in zip(faces, candidates, strict=True)
            ]

    def _matches(self, candidates: list[Candidate]) -> list[Match]:
        release = self.database.release
        return [
            Match(release.performer(candidate.performer), candidate)
            for candidate in candidates
        ]
