"""Bodies and tattoos of those whose faces were seen, and what they change."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import cv2

from recognition import preferences
from recognition.calibrations import with_confidence
from recognition.numeric.arrays import RgbImage
from recognition.numeric.body import BodyRatios
from recognition.numeric.boxes import FaceBox
from recognition.numeric.people import MatchingMode, PersonCandidate, SeenPerson
from recognition.numeric.reranking import FaceCandidate
from recognition.numeric.tattoos import TattooBox, TattooEvidence
from recognition.runtime.collector import CroppedFace
from recognition.runtime.people import MatchedFaces
from recognition.runtime.recognizer import Match, RecognizedFace
from recognition.runtime.signals import (
    FaceSignals,
    PersonSignals,
    SignalResources,
    signals_used,
)

# Bodies and tattoos take long to read, and one good view tells as much as twenty.
MAX_PICTURES = 3
# A pose is looked for in 256 pixels, tattoos in 640.
MAX_SIDE_PX = 1280

# What was seen of some faces, by their positions among all.
Observations = Mapping[int, FaceSignals]
NOTHING_SEEN: Observations = {}


@dataclass(frozen=True)
class Picture:
    """A picture, and the faces in it by position and by box in its own pixels."""

    image: RgbImage
    positions: list[int]
    boxes: list[FaceBox]

    @property
    def face_area(self) -> int:
        """How much of it is faces: those near the camera show the most."""
        return sum(box.width * box.height for box in self.boxes)


def wanted_signals(
    resources: SignalResources, *, body: bool, tattoo: bool
) -> SignalResources:
    """Return of what can be read that which is wanted."""
    return replace(
        resources,
        pose=resources.pose if body else None,
        tattoos=resources.tattoos if tattoo else None,
    )


class PictureShelf:
    """The pictures of a scene whose faces are largest, small enough to keep."""

    def __init__(self, signals: SignalResources) -> None:
        self._is_open = signals.reads_anything
        self._signals = signals
        self._kept: list[Picture] = []

    def offer(
        self,
        image: RgbImage,
        faces: Sequence[CroppedFace],
        *,
        first_position: int,
        scale: float,
    ) -> None:
        """Keep the picture if it is among the best; `scale` as in `look_at`."""
        if not (self._is_open and faces):
            return
        shrink = min(1.0, MAX_SIDE_PX / max(image.shape[:2]))
        boxes = [_scaled(face.box, scale * shrink) for face in faces]
        positions = [*range(first_position, first_position + len(faces))]
        offered = Picture(image, positions, boxes)
        if len(self._kept) == MAX_PICTURES:
            smallest = min(self._kept, key=lambda kept: kept.face_area)
            if smallest.face_area >= offered.face_area:
                return
            self._kept = [kept for kept in self._kept if kept is not smallest]
        if shrink < 1.0:
            image = cv2.resize(
                image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA
            )
        self._kept.append(replace(offered, image=image))

    def observe(self) -> Observations:
        """Return what the kept pictures show of their faces' owners."""
        return {
            position: seen
            for picture in self._kept
            for position, seen in zip(
                picture.positions,
                self._signals.observe(picture.image, picture.boxes),
                strict=True,
            )
        }


def observations_as_json(observations: Observations) -> list[dict[str, Any]]:
    """Return what `observations_from_json` reads, for a row."""
    return [
        {"face": face, "body": _body_as_json(seen), "tattoos": _tattoos_as_json(seen)}
        for face, seen in sorted(observations.items())
    ]


def observations_from_json(stored: Sequence[dict[str, Any]]) -> Observations:
    """Return what was seen when the row was written."""
    return {
        each["face"]: FaceSignals(
            body=each["body"] and BodyRatios(**each["body"]),
            tattoos=each["tattoos"]
            and TattooEvidence(
                tuple(TattooBox(**box) for box in each["tattoos"]["boxes"]),
                each["tattoos"]["similarities"],
            ),
        )
        for each in stored
    }


def _body_as_json(seen: FaceSignals) -> dict[str, float] | None:
    return None if seen.body is None else asdict(seen.body)


def _tattoos_as_json(seen: FaceSignals) -> dict[str, Any] | None:
    if seen.tattoos is None:
        return None
    return {
        "boxes": [asdict(box) for box in seen.tattoos.tattoos],
        "similarities": dict(seen.tattoos.similarities),
    }


@dataclass(frozen=True)
class EvidencedPerson:
    """A person after all evidence, what that was, and how many tattoos were seen."""

    person: SeenPerson
    signals_used: list[str]
    tattoos_detected: int


def candidate_count(top_k: int, signals: SignalResources) -> int:
    """Return how many candidates to ask for, so that evidence has some to choose from.

    As the setting says, where there is evidence at all.
    """
    if not signals.reads_anything:
        return top_k
    return max(top_k, preferences.face_candidates())


def weigh(
    matched: MatchedFaces,
    observations: Observations,
    signals: SignalResources,
    *,
    top_k: int,
) -> list[EvidencedPerson]:
    """Return the people with their candidates in the order that all evidence gives."""
    release = matched.database.release
    seen = [
        [observations[face] for face in person.faces if face in observations]
        for person in matched.people
    ]
    rankings = signals.rerank_person_candidates(
        [
            # No evidence stands against the owner's word.
            (() if person.owners_name else person.candidates, observed)
            for person, observed in zip(matched.people, seen, strict=True)
        ],
        universal_id=lambda row: release.performer(row).universal_id,
    )
    return [
        EvidencedPerson(
            person=_reordered(person, ranking[:top_k]),
            signals_used=signals_used(observed),
            tattoos_detected=sum(
                len(one.tattoos.tattoos) for one in observed if one.tattoos is not None
            ),
        )
        for person, ranking, observed in zip(
            matched.people, rankings, seen, strict=True
        )
    ]


def _reordered(person: SeenPerson, ranking: tuple[PersonCandidate, ...]) -> SeenPerson:
    """Return the person with candidates in this order, unless the owner named them.

    Who was named by a score is uncertain when other evidence prefers somebody else.
    """
    if person.owners_name or not ranking:
        return person
    best = person.candidates[0]
    is_contradicted = best.score is not None and ranking[0].performer != best.performer
    return replace(
        person,
        candidates=ranking,
        is_uncertain=person.is_uncertain or is_contradicted,
    )


def with_calibrated_confidence(
    people: Sequence[EvidencedPerson], *, mode: MatchingMode
) -> list[EvidencedPerson]:
    """Return the people with confidences as the calibration in force tells them.

    After all evidence, for it is weighed in distances turned round.
    """
    calibrated = with_confidence([each.person for each in people], mode)
    return [
        replace(each, person=person)
        for each, person in zip(people, calibrated, strict=True)
    ]


def weigh_faces(
    faces: Sequence[RecognizedFace],
    image: RgbImage,
    signals: SignalResources,
    *,
    top_k: int,
) -> list[RecognizedFace]:
    """Return a picture's faces with their matches in the order of all evidence."""
    if not signals.reads_anything:
        return [replace(face, matches=face.matches[:top_k]) for face in faces]
    observations = signals.observe(image, [face.face.box for face in faces])
    rankings = signals.rerank_people(
        [
            PersonSignals(
                [
                    FaceCandidate(
                        match.performer.universal_id,
                        match.candidate.distance,
                        match.candidate.confidence,
                    )
                    for match in face.matches
                ],
                [observed],
            )
            for face, observed in zip(faces, observations, strict=True)
        ]
    )
    return [
        replace(
            face,
            matches=[
                _with_confidence(face.matches[ranked.position], ranked.confidence)
                for ranked in ranking[:top_k]
            ],
        )
        for face, ranking in zip(faces, rankings, strict=True)
    ]


def _with_confidence(match: Match, confidence: float) -> Match:
    candidate = match.candidate
    return replace(
        match,
        candidate=PersonCandidate(
            performer=candidate.performer,
            distance=candidate.distance,
            facenet_distance=candidate.facenet_distance,
            arcface_distance=candidate.arcface_distance,
            confidence=confidence,
            frame_count=1,
        ),
    )


def _scaled(box: FaceBox, scale: float) -> FaceBox:
    edges = (box.x, box.y, box.width, box.height)
    return FaceBox(*(round(edge * scale) for edge in edges))
