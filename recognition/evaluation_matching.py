"""The people of a scene, image or gallery in every matching mode, for an evaluation.

Matched from the stored faces as if nobody had tagged or corrected anything. Bodies and
tattoos are left out: what is measured is what faces say.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from recognition import registry
from recognition.calibrations import deciding_calibration, raw_score
from recognition.exceptions import FingerprintNotFound
from recognition.galleries import identify_gallery
from recognition.models import EvaluatedItem, Fingerprint
from recognition.numeric.packing import PackedFaces
from recognition.numeric.people import (
    Decision,
    MatchingMode,
    SeenFace,
    SeenPerson,
)
from recognition.runtime.collector import FaceFilter
from recognition.runtime.face_database import FaceDatabase
from recognition.runtime.people import (
    MatchingOptions,
    people_in_gallery,
    people_in_image,
    people_in_scene,
)
from recognition.runtime.recognizer import Recognizer
from recognition.services import inference_queue
from recognition.stash_images import identify_stash_image

Kind = EvaluatedItem.Kind

# What each route answers with unless a request says otherwise.
OPTIONS = {
    Kind.SCENE: MatchingOptions(),
    Kind.IMAGE: MatchingOptions(top_k=5, max_distance=0.6),
    Kind.GALLERY: MatchingOptions(top_k=5, max_distance=0.6),
}
IMAGE_FILTER = FaceFilter(min_confidence=0.5, min_size_px=1)
GALLERY_FILTER = FaceFilter(min_confidence=0.5, min_size_px=40)


@dataclass(frozen=True)
class ItemFaces:
    """The faces of an item; in a gallery `frame` is a position in `image_ids`."""

    faces: Sequence[SeenFace]
    source: str
    image_ids: Sequence[int] = ()


@dataclass(frozen=True)
class MatchedItem:
    """The people of an item by mode, as JSON: those who may be a performer."""

    release_version: str
    network_set: str
    source: str
    people: dict[str, list[dict[str, Any]]]


def match_item(
    kind: EvaluatedItem.Kind, stash_id: int, *, may_look: bool
) -> MatchedItem:
    """Return whom each mode sees. With `may_look` images and galleries are fetched.

    Raises FingerprintNotFound where nothing is kept that the networks served now have
    seen, DatabaseNotLoaded, and what identifying them raises.
    """
    with registry.in_use():
        recognizer = registry.recognizer()
        # Local performers were learnt from the very pictures that are measured.
        database = recognizer.database.plain
        found = _faces(kind, stash_id, recognizer, may_look=may_look)
        people = {}
        for mode in MatchingMode:
            with inference_queue().turn():
                seen = people_of(kind, found.faces, mode, database)
            people[mode.value] = [
                _as_json(person, found, database)
                for person in seen
                if person.candidates
            ]
    return MatchedItem(
        release_version=recognizer.database.version,
        network_set=recognizer.networks.name,
        source=found.source,
        people=people,
    )


def people_of(
    kind: EvaluatedItem.Kind,
    faces: Sequence[SeenFace],
    mode: MatchingMode,
    database: FaceDatabase,
) -> list[SeenPerson]:
    """Return the people as the mode sees them, tags and corrections unseen."""
    options = replace(OPTIONS[kind], mode=mode, calibration=deciding_calibration())
    match kind:
        case Kind.SCENE:
            return people_in_scene(database, faces, options)
        case Kind.IMAGE:
            return people_in_image(database, faces, options)
    return people_in_gallery(database, faces, options)


def _faces(
    kind: EvaluatedItem.Kind, stash_id: int, recognizer: Recognizer, *, may_look: bool
) -> ItemFaces:
    kept = _kept_faces(kind, stash_id, recognizer.networks.name)
    if kept is not None:
        return kept
    # Kept as the routes would keep it.
    options = replace(
        OPTIONS[kind],
        mode=MatchingMode.TEMPLATE,
        calibration=deciding_calibration(),
    )
    if may_look and kind is Kind.GALLERY:
        seen = identify_gallery(
            str(stash_id), options=options, face_filter=GALLERY_FILTER
        )
        return ItemFaces(seen.collected.faces, kind.value, seen.image_ids)
    if may_look and kind is Kind.IMAGE:
        image = identify_stash_image(
            str(stash_id), options=options, face_filter=IMAGE_FILTER
        )
        return ItemFaces([each.face for each in image.faces], kind.value)
    raise FingerprintNotFound(
        f"Nothing is kept of {kind} {stash_id} that the networks in use have seen."
    )


def _kept_faces(
    kind: EvaluatedItem.Kind, stash_id: int, network_set: str
) -> ItemFaces | None:
    fingerprint = (
        Fingerprint.objects.complete()
        .filter(kind=kind.value, stash_id=stash_id, network_set=network_set)
        .select_related("packed")
        .first()
    )
    if fingerprint is None:
        return None
    faces = PackedFaces.from_bytes(bytes(fingerprint.packed.faces)).seen()
    return ItemFaces(faces, fingerprint.source or kind.value, fingerprint.image_ids)


def _as_json(
    person: SeenPerson, found: ItemFaces, database: FaceDatabase
) -> dict[str, Any]:
    likeliest = person.candidates[0]
    performer = database.release.performer(likeliest.performer)
    best = _best_face(found.faces[position] for position in person.faces)
    return {
        "universal_id": performer.universal_id,
        "name": performer.name,
        "is_named": person.decision is Decision.KNOWN,
        "score": raw_score(likeliest),
        "confidence": likeliest.confidence,
        "distance": likeliest.distance,
        "quality": best.quality,
        "face": {
            "frame": best.frame,
            "seconds": best.seconds,
            "box": [best.box.x, best.box.y, best.box.width, best.box.height],
            "image_id": found.image_ids[best.frame] if found.image_ids else None,
        },
    }


def _best_face(faces: Iterable[SeenFace]) -> SeenFace:
    return max(faces, key=lambda face: face.quality)
