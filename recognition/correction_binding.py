"""Which faces the owner's corrections are about, in a look kept or just taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dbupdates.prepared import PreparedRelease
from recognition.models import Correction, Fingerprint
from recognition.numeric.boxes import FaceBox
from recognition.numeric.corrections import (
    MIN_LIKENESS,
    MIN_REJECTED_LIKENESS,
    Corrections,
    FacePlace,
    OwnersWord,
    Portrait,
    Strengths,
    Verdict,
    portrait_of,
    recognise,
    settle,
    the_very,
)
from recognition.numeric.packing import PackedFaces
from recognition.numeric.people import OwnersName, SeenFace
from recognition.runtime.embedders import EMBEDDING_SIZE

_VECTOR_SIZE = 2 * EMBEDDING_SIZE


@dataclass(frozen=True, kw_only=True)
class SeenMedia:
    """Faces seen in a scene, image or gallery; `seen_at` is None until it is kept.

    `image_ids` are a gallery's, by the frames of the faces.
    """

    kind: str
    stash_id: int
    network_set: str
    faces: Sequence[SeenFace]
    image_ids: Sequence[int] = ()
    seen_at: datetime | None = None

    @classmethod
    def of(cls, fingerprint: Fingerprint) -> "SeenMedia":
        """Return what is kept; ValueError or DoesNotExist if that cannot be read."""
        content = bytes(fingerprint.packed.faces)
        return cls(
            kind=fingerprint.kind,
            stash_id=fingerprint.stash_id,
            network_set=fingerprint.network_set,
            faces=PackedFaces.from_bytes(content).seen(),
            image_ids=fingerprint.image_ids,
            seen_at=fingerprint.seen_at,
        )

    @property
    def places(self) -> list[FacePlace]:
        """Where each face is, in terms that hold in another look, too."""
        return [
            FacePlace(
                # Images come into a gallery and go; what numbers them changes.
                self.image_ids[face.frame] if self.image_ids else face.frame,
                face.seconds,
                face.box,
            )
            for face in self.faces
        ]


def corrections_of(media: SeenMedia, release: PreparedRelease) -> Corrections:
    """Return what the owner's corrections come to for the faces of this media."""
    rows = Correction.objects.active().of_media(media.kind, media.stash_id)
    words = [
        OwnersWord(
            correction=row.pk,
            verdict=Verdict(row.verdict),
            owners_name=OwnersName(row.universal_id, row.name),
            performers=_rows_of(row, release),
            strengths=strengths_in(media, row),
        )
        for row in rows
    ]
    return settle(words, face_count=len(media.faces))


def _rows_of(correction: Correction, release: PreparedRelease) -> tuple[int, ...]:
    """Return the release's rows of whom it is about, that of the id it names first."""
    others = sorted(correction.known_ids - {correction.universal_id})
    named = [correction.universal_id] if correction.universal_id else []
    found = (release.find_row(universal_id) for universal_id in named + others)
    return tuple(dict.fromkeys(row for row in found if row is not None))


def strengths_in(media: SeenMedia, correction: Correction) -> Strengths:
    """Return how surely each face of the look is of the correction's person."""
    if media.seen_at is not None and correction.seen_at == media.seen_at:
        return the_very(correction.positions, len(media.faces))
    is_comparable = correction.network_set == media.network_set
    vectors = np.frombuffer(bytes(correction.vectors), dtype="<f2")
    portrait = Portrait(
        places=[_place(*stored) for stored in correction.places],
        vectors=vectors.reshape(-1, _VECTOR_SIZE)[: None if is_comparable else 0],
    )
    is_rejection = correction.verdict == Verdict.REJECT
    return recognise(
        portrait,
        media.faces,
        media.places,
        min_likeness=MIN_REJECTED_LIKENESS if is_rejection else MIN_LIKENESS,
    )


def bound_faces(media: SeenMedia, correction: Correction) -> set[int]:
    """Return the faces of the look that the correction is about."""
    return {*np.flatnonzero(strengths_in(media, correction)).tolist()}


def portrait_fields(
    media: SeenMedia, person: Sequence[int], others: Sequence[Sequence[int]]
) -> dict[str, Any]:
    """Return the fields of a Correction by which its person is found again."""
    portrait = portrait_of(person, others, faces=media.faces, places=media.places)
    return {
        "network_set": media.network_set,
        "seen_at": media.seen_at,
        "positions": [*person],
        "places": [_stored(place) for place in portrait.places],
        "vectors": _half_precision(portrait.vectors).tobytes(),
    }


def _half_precision(vectors: NDArray[np.floating]) -> NDArray[np.float16]:
    return vectors.astype("<f2")


def _stored(place: FacePlace) -> list[float | None]:
    box = place.box
    return [place.picture, place.seconds, box.x, box.y, box.width, box.height]


def _place(picture: int, seconds: float | None, *edges: int) -> FacePlace:
    return FacePlace(picture, seconds, FaceBox(*edges))
